// SPDX-License-Identifier: Apache-2.0
// What ServerKeeper does with users' sessions that are in the applier's way.
#include "base/log.h"
#include "executor/server_run.h"

namespace mysos {
namespace {

constexpr Logger kLog{"server"};

}  // namespace

asio::awaitable<void> ServerKeeper::end_readers(RunPtr run, Duration watched) {
  const auto ended = co_await run->ops.end_readers(watched, kReadDeadline + watched);
  run->ending_readers = false;
  readers_ended(run, ended);
}

asio::awaitable<void> ServerKeeper::end_idle_readers(RunPtr run, Duration limit) {
  readers_ended(run, co_await run->ops.end_idle_readers(limit, kReadDeadline));
}

void ServerKeeper::readers_ended(const RunPtr& run, const Result<std::string>& ended) {
  if (run_ != run) return;
  if (!ended) return kLog.warn("sessions of users cannot be looked at: {}", ended.error().message);
  if (ended->empty()) return;
  kLog.info("{}", *ended);
  tell_(member_input::Noticed{NoticeKind::kReaderEnded, *ended});
}

}  // namespace mysos
