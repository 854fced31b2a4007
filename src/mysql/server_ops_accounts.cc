// SPDX-License-Identifier: Apache-2.0
// What ServerOps does with accounts: the user's, and what was changed of any.
#include <fmt/format.h>

#include "mysql/server_ops_impl.h"

namespace mysos::mysql {
namespace {

// Written to the binlog, though there is no such table; and, unlike a FLUSH, refused by a server that is read-only.
constexpr std::string_view kPushCommits = "DROP TABLE IF EXISTS sys.mysos_none";

}  // namespace

void ServerOps::use_secrets(Secrets secrets) {
  config_.secrets = secrets;
  guard_.use_secrets(std::move(secrets));
}

// `all`: goes on after a statement that fails, and tells of the first that did.
asio::awaitable<Status> ServerOps::as_owner(std::vector<std::string> statements, bool all, Budget budget) {
  SessionTarget owner = config_.admin;
  owner.user = kOwnerAccount;
  Session session(co_await asio::this_coro::executor, std::move(owner));
  MYSOS_CO_TRY_VOID(co_await session.connect(std::min(budget.left(), kConnectTimeout)));
  Status out;
  for (const std::string& statement : statements) {
    const auto done = co_await session.query(statement, budget.left());
    if (done) continue;
    if (out) out = std::unexpected(done.error());
    if (!all || !session.connected()) break;
  }
  co_return out;
}

asio::awaitable<Status> ServerOps::push_commits(Duration at_most) {
  co_return co_await as_owner({std::string(kPushCommits)}, false, Budget{steady_now() + at_most});
}

asio::awaitable<Result<bool>> ServerOps::user_password_is_set(Duration at_most) {
  const Budget budget{steady_now() + at_most};
  MYSOS_CO_TRY_VOID(co_await ensure_connected(reads_, budget.left()));
  MYSOS_CO_TRY(const Rows seen, co_await reads_.query(flavour_.user_verifiers(config_.secrets.user), budget.left()));
  const Secrets& wanted = config_.secrets;
  co_return !seen.empty() && seen.text(0, "current") == wanted.user_verifier &&
      seen.text(0, "other") == wanted.old_user_verifier;
}

asio::awaitable<Result<bool>> ServerOps::user_is_there(Duration at_most) {
  const Budget budget{steady_now() + at_most};
  MYSOS_CO_TRY_VOID(co_await ensure_connected(reads_, budget.left()));
  MYSOS_CO_TRY(const Rows seen, co_await reads_.query(flavour_.user_is_right(config_.secrets.user), budget.left()));
  if (seen.number(0, "ok") != 1) co_return false;
  if (!config_.secrets.user_pending) co_return true;
  co_return co_await user_password_is_set(budget.left());
}

asio::awaitable<Status> ServerOps::ensure_user(Duration at_most) {
  const Budget budget{steady_now() + at_most};
  MYSOS_CO_TRY_VOID(check_user_name(config_.secrets.user));
  MYSOS_CO_TRY_VOID(co_await ensure_connected(reads_, budget.left()));
  MYSOS_CO_TRY(const Rows state, co_await reads_.query("SELECT @@GLOBAL.read_only", budget.left()));
  if (state.text(0, std::size_t{0}) != "0") co_return fail(Errc::kConflict, "the server is read-only");
  MYSOS_CO_TRY(const Rows right, co_await reads_.query(flavour_.user_is_right(config_.secrets.user), budget.left()));
  std::vector<std::string> statements;
  if (right.number(0, "ok") != 1) statements = user_sql(flavour_, config_.secrets);
  if (config_.secrets.user_pending) {
    MYSOS_CO_TRY(const Rows now, co_await reads_.query(flavour_.user_verifiers(config_.secrets.user), budget.left()));
    // One that is not there is made with the new password; what it lacks is the old one.
    const Secrets told = for_member(flavour_, config_.secrets);
    const UserVerifiers has{now.empty() ? told.user_verifier : now.text(0, "current"), now.empty() ? "" : now.text(0, "other")};
    for (auto& s : user_password_sql(flavour_, told, has)) statements.push_back(std::move(s));
  }
  if (statements.empty()) co_return Status{};
  auto made = co_await as_owner(std::move(statements), false, budget);
  if (!made) co_return std::unexpected(std::move(made).error().with_context("make the user's account"));
  co_return Status{};
}

asio::awaitable<Result<std::vector<Deviation>>> ServerOps::look_for_changes(bool user_made, Duration at_most) {
  const Budget budget{steady_now() + at_most};
  MYSOS_CO_TRY_VOID(co_await ensure_connected(guards_, budget.left()));
  MYSOS_CO_TRY(const auto answers, co_await guards_.query_all(guard_.look_sql(), budget.left()));
  GuardContext context{.user_made = user_made};
  context.writable = !answers.front().empty() && answers.front().text(0, "read_only") == "0";
  if (shut_out_) {
    auto& replicating = context.replicating.emplace();
    for (const MemberId& m : shut_out_->replicas) replicating[replication_account(m)] = false;
    for (const MemberId& m : shut_out_->shut_out) replicating[replication_account(m)] = true;
    replicating[replication_account(config_.member)] = true;
  }
  MYSOS_CO_TRY(std::vector<Deviation> found, guard_.deviations(answers, context));
  const std::string verifier = ServerGuard::user_in(answers).text(0, "current");
  user_changed_password_ = context.writable && user_made && !config_.secrets.user_pending &&
                           verifier != for_member(flavour_, config_.secrets).user_verifier;
  if (!context.writable || config_.any_engine) co_return found;
  MYSOS_CO_TRY_VOID(co_await look_at_engines(budget));
  if (engines_.found()) found.push_back(*engines_.found());
  co_return found;
}

asio::awaitable<Status> ServerOps::look_at_engines(Budget budget) {
  MYSOS_CO_TRY(const Rows counts, co_await guards_.query(EngineLook::count_sql(), budget.left()));
  if (!engines_.due(counts, steady_now())) co_return Status{};
  MYSOS_CO_TRY(const Rows tables, co_await guards_.query(engines_.list_sql(), budget.left()));
  engines_.take(tables);
  co_return Status{};
}

asio::awaitable<Status> ServerOps::mend_here(std::vector<Deviation> found, Duration at_most) {
  const Budget budget{steady_now() + at_most};
  std::vector<std::string> statements;
  std::set<std::string> users;
  for (const Deviation& d : found) {
    statements.insert(statements.end(), d.here.begin(), d.here.end());
    if (!d.sessions_of.empty()) users.insert(d.sessions_of);
  }
  if (!statements.empty() && flavour_.super_read_only()) {
    MYSOS_CO_TRY(const Rows now, co_await sql("SELECT @@GLOBAL.read_only", budget));
    if (now.text(0, std::size_t{0}) == "1") {  // it stays so: clients stay out
      statements.insert(statements.begin(), "SET GLOBAL super_read_only=OFF");
      statements.emplace_back("SET GLOBAL super_read_only=ON");
    }
  }
  Status out;
  for (const std::string& statement : statements) {
    const auto done = co_await sql(statement, budget);
    if (!done && out) out = std::unexpected(done.error());
  }
  if (users.empty()) co_return out;
  const Status ended = co_await kill_held(is_client_named, std::move(users), budget);
  co_return out ? ended : out;
}

asio::awaitable<Status> ServerOps::mend_replicated(std::vector<Deviation> found, Duration at_most) {
  std::vector<std::string> statements;
  for (const Deviation& d : found) statements.insert(statements.end(), d.replicated.begin(), d.replicated.end());
  if (statements.empty()) co_return Status{};
  co_return co_await as_owner(std::move(statements), true, Budget{steady_now() + at_most});
}

}  // namespace mysos::mysql
