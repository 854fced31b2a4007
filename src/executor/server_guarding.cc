// SPDX-License-Identifier: Apache-2.0
// What ServerKeeper does about secrets, and about what somebody else changes of the server: it looks once a second, puts
// right what it can, and tells both.
#include <algorithm>
#include <utility>

#include "base/clock.h"
#include "base/log.h"
#include "base/pool_work.h"
#include "executor/server_run.h"

namespace mysos {
namespace {

constexpr Logger kLog{"server"};
constexpr std::size_t kMaxShown = 200;  // characters of one

std::vector<std::string> words(const std::vector<mysql::Deviation>& found) {
  std::vector<std::string> out;
  for (const mysql::Deviation& d : found) {
    if (!d.by_primary && out.size() < kMaxTampered) out.push_back(d.what.substr(0, kMaxShown));
  }
  return out;
}

// All but the user's password, which may change.
bool same_cluster(mysql::Secrets a, const mysql::Secrets& b) {
  a.user_password = b.user_password;
  a.user_verifier = b.user_verifier;
  a.old_user_verifier = b.old_user_verifier;
  a.user_version = b.user_version;
  a.user_pending = b.user_pending;
  return a == b;
}

}  // namespace

// The password itself is never kept here, whoever sends it.
Result<TakenSecrets> ServerKeeper::use_secrets(const json::object& secrets, const std::optional<json::object>& stored) {
  const mysql::Flavour& flavour = mysql::flavour(config_.distribution.kind);
  auto parsed = from_json<mysql::Secrets>(secrets);
  if (!parsed) {
    parsed.error().field = "secrets." + parsed.error().field;
    return std::unexpected(std::move(parsed).error());
  }
  mysql::Secrets told = mysql::for_member(flavour, *std::move(parsed));
  if (told.user_verifier.empty()) return fail(Errc::kInvalid, "there is no password of the user", "secrets.user_verifier");
  bool older = false;
  if (stored) {
    MYSOS_TRY(mysql::Secrets known, from_json<mysql::Secrets>(*stored));
    known = mysql::for_member(flavour, std::move(known));
    if (!same_cluster(told, known)) return fail(Errc::kConflict, "this member was set up with other secrets");
    older = told.user_version < known.user_version;
    if (told.user_version > known.user_version) {
      told.user_pending = true;
    } else {
      told = std::move(known);
    }
  }
  secrets_ = told;
  if (run_) run_->ops.use_secrets(told);
  return TakenSecrets{to_json(told).as_object(), told.user_version, older};
}

// Until this server, too, has the password that was told last: a later promotion need not set it then, and does not undo
// what a user has changed since.
asio::awaitable<void> ServerKeeper::note_password(RunPtr run) {
  const std::uint64_t version = secrets_->user_version;
  const auto set = co_await run->ops.user_password_is_set(kReadDeadline);
  if (run_ != run || !set || !*set || secrets_->user_version != version) co_return;
  secrets_->user_pending = false;
  run->ops.use_secrets(*secrets_);
  if (config_.keep_secrets) config_.keep_secrets(to_json(*secrets_).as_object());
}

// After a purge: reports it, and reads again what is known about the logs.
asio::awaitable<void> ServerKeeper::look_at_binlogs(RunPtr run) {
  const auto seen = co_await run_on_pool(pools_.looks, [dir = layout_.datadir] { return mysql::read_binlog_index(dir); });
  if (run_ != run || !seen || run->binlogs == *seen) co_return;
  const std::string purged = run->binlogs ? mysql::what_was_purged(*run->binlogs, *seen) : "";
  run->binlogs = *seen;
  if (purged.empty()) co_return;
  run->ops.binlogs_changed();
  tell_(member_input::Noticed{NoticeKind::kBinlogsChanged, purged});
}

asio::awaitable<void> ServerKeeper::guard(RunPtr run) {
  Duration pause = kGuardEvery;
  bool wrong = false;
  co_await look_at_binlogs(run);
  while (run_ == run) {
    co_await sleep_for(pause);
    if (run_ != run) co_return;
    if (secrets_->user_pending) co_await note_password(run);
    if (run_ != run) co_return;
    co_await look_at_binlogs(run);
    if (run_ != run) co_return;
    const auto looked = co_await guard_once(run, wrong);
    if (!looked) continue;  // who reads the server says why
    if (run_ == run && run->password_changed != run->ops.user_changed_password()) {
      run->password_changed = !run->password_changed;
      tell_(member_input::PasswordSeen{run->password_changed});
    }
    wrong = *looked;
    pause = wrong ? std::min(pause * 2, kGuardAtMost) : kGuardEvery;
  }
}

// Whether anything stays wrong. What is seen is looked at once more while no plan is at work: a step may be half done.
asio::awaitable<Result<bool>> ServerKeeper::guard_once(RunPtr run, bool told_before) {
  auto found = co_await run->ops.look_for_changes(run->user_made && !user_wanted_, kReadDeadline);
  if (!found) co_return std::unexpected(std::move(found).error());
  if (run_ != run) co_return false;
  if (found->empty()) {
    if (told_before) tell_(member_input::Guarded{});
    co_return false;
  }
  const Instant until = steady_now() + kGuardWaits;
  while (run_ == run && run->busy && steady_now() < until) co_await run->border.wait_for(until - steady_now());
  if (run_ != run || run->busy) co_return told_before;
  {
    const Turn turn(*run);
    found = co_await run->ops.look_for_changes(run->user_made && !user_wanted_, kMendDeadline);
    if (!found) co_return std::unexpected(std::move(found).error());
    if (run_ == run && !found->empty()) {
      const Status mended = co_await run->ops.mend_here(*found, kMendDeadline);
      if (!mended) kLog.warn("what somebody changed of the server: {}", mended.error().message);
    }
  }
  if (run_ == run && found->empty()) {
    run->still_wrong.clear();
    if (told_before) tell_(member_input::Guarded{});
  }
  co_await mend(run, *found);
  co_return !run->still_wrong.empty();
}

// The rest, through the binlog: it may wait for an acker, so plans continue meanwhile. Then both are reported.
asio::awaitable<void> ServerKeeper::mend(RunPtr run, std::vector<mysql::Deviation> found) {
  if (run_ != run || found.empty()) co_return;
  const Status mended = co_await run->ops.mend_replicated(found, kUserDeadline);
  if (!mended) kLog.warn("what somebody changed of the server: {}", mended.error().message);
  if (run_ != run) co_return;
  const auto left = co_await run->ops.look_for_changes(run->user_made && !user_wanted_, kReadDeadline);
  if (run_ != run) co_return;
  run->still_wrong = left ? words(*left) : words(found);
  std::vector<std::string> repaired;
  for (std::string& what : words(found)) {
    if (std::ranges::find(run->still_wrong, what) == run->still_wrong.end()) repaired.push_back(std::move(what));
  }
  tell_(member_input::Guarded{run->still_wrong, std::move(repaired)});
}

}  // namespace mysos
