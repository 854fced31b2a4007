// SPDX-License-Identifier: Apache-2.0
// What ServerKeeper does with users' sessions that are in the applier's way.
#include "base/log.h"
#include "base/pool_work.h"
#include "executor/server_run.h"

namespace mysos {
namespace {

constexpr Logger kLog{"server"};
constexpr Duration kLookDeadline = std::chrono::seconds(10);  // binlogs may have to be read

}  // namespace

asio::awaitable<void> ServerKeeper::end_readers(RunPtr run, Duration watched) {
  const auto looked = co_await run->ops.end_readers(watched, kLookDeadline + watched);
  run->ending_readers = false;
  if (run_ != run) co_return;
  if (!looked) co_return kLog.warn("sessions of users cannot be looked at: {}", looked.error().message);
  if (!looked->ended.empty()) kLog.info("{}", looked->ended);
  tell_(member_input::ApplierLooked{looked->ended, looked->does, looked->waits_for});
}

asio::awaitable<Result<std::set<mysql::Xid>>> ServerKeeper::prepared_in_binlogs(std::size_t wanted) {
  co_return co_await run_on_pool(pools_.binlogs,
                                 [dir = layout_.datadir, wanted] { return mysql::prepared_in_binlogs(dir, wanted); });
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
