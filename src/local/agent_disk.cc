// SPDX-License-Identifier: Apache-2.0
// An agent whose state cannot be written (its disk is full, say). What it has done since is in memory only: somebody who heard
// of it would rely on what a crash takes back. So it takes its leave, as an agent of Mesos that ends for that reason: of the
// master, which marks it disconnected and makes no offers of it, and of its executors, which go on and keep their updates. It
// writes again and again. Once that succeeds it registers again, which brings the master up to date, and executors
// subscribe again.
#include <algorithm>
#include <utility>

#include "base/backoff.h"
#include "base/fs.h"
#include "base/log.h"
#include "local/agent_executor.h"
#include "local/master.h"

namespace mysos::local {
namespace {
constexpr Logger kLog{"local-agent"};
constexpr Backoff kPauses{std::chrono::milliseconds(200), std::chrono::seconds(5)};
}  // namespace

bool Agent::save() {
  if (unsaved_) return false;  // save_later() writes it
  const auto saved = write_file_atomic(config_.dir + "/agent.json", encode_state(state_), 0600);
  if (!saved) fall_silent(saved.error().message);
  return saved.has_value();
}

void Agent::fall_silent(const std::string& why) {
  kLog.error("agent {}: its state cannot be stored, and until it can the agent is away: {}", state_.id.value, why);
  unsaved_ = true;
  if (master_ != nullptr) master_->detach(link_, state_.id);
  master_ = nullptr;
  for (const auto& [key, executor] : executors_) {
    if (executor->stream) executor->stream->close();
  }
  tasks_.spawn("agent state", save_later());
}

asio::awaitable<void> Agent::save_later() {
  for (Backoff pauses = kPauses; unsaved_;) {
    co_await sleep_for(pauses.next());
    const auto saved = write_file_atomic(config_.dir + "/agent.json", encode_state(state_), 0600);
    unsaved_ = !saved.has_value();
  }
  kLog.info("agent {}: its state is stored again", state_.id.value);
  remove_volumes();
  link_to_master();
}

// Once the state that no longer has them is on disk, or after a crash that came in between.
void Agent::remove_volumes() {
  for (const std::string& volume : std::exchange(state_.doomed_volumes, {})) {
    const auto is_it = [&](const Resource& r) { return r.volume && volume_dir(r) == volume; };
    if (std::ranges::any_of(state_.total.list(), is_it)) continue;
    if (const auto removed = remove_tree(volume); !removed) kLog.error("volume: {}", removed.error().message);
  }
}

}  // namespace mysos::local
