// SPDX-License-Identifier: Apache-2.0
#include "executor/relay_sync.h"

#include <utility>

#include "base/clock.h"
#include "base/pool_work.h"
#include "mysql/relay_log.h"

namespace mysos {

RelaySync::RelaySync(TaskGroup& tasks, Pools& pools, std::string datadir)
    : tasks_(tasks), pools_(pools), datadir_(std::move(datadir)), ended_(tasks.executor()) {}

void RelaySync::silenced() {
  durable_ = false;
  ++silenced_;
}

asio::awaitable<Status> RelaySync::make_durable(Duration at_most) {
  const Instant until = steady_now() + at_most;
  while (!result_ && steady_now() < until) co_await ended_.wait_for(until - steady_now());
  if (result_ && !durable_) {
    result_.reset();
    tasks_.spawn("sync the relay log", try_once(shared_from_this()));
    while (!result_ && steady_now() < until) co_await ended_.wait_for(until - steady_now());
  }
  if (!result_) co_return fail(Errc::kTimeout, "the disk does not take it");
  co_return *result_;
}

asio::awaitable<void> RelaySync::try_once(std::shared_ptr<RelaySync> self) {
  const std::uint64_t silenced = self->silenced_;
  self->result_ = co_await run_on_pool(self->pools_.syncs, [dir = self->datadir_] { return mysql::sync_relay_logs(dir); });
  self->durable_ = self->result_->has_value() && silenced == self->silenced_;
  self->ended_.notify_all();
}

}  // namespace mysos
