// SPDX-License-Identifier: Apache-2.0
#pragma once
// Carries out the steps of model/server_step.h on a live server, and reads its state. It keeps two sessions open, so that a
// hanging step does not block read(). Neither session writes to the binlog. A step returns when its effect is in force; a step
// that its deadline ends may still take effect later. One run() at a time; read() at any time.
#include <cstdint>
#include <optional>
#include <set>
#include <string>

#include "base/asio.h"
#include "base/result.h"
#include "model/server_step.h"
#include "mysql/accounts.h"
#include "mysql/engine_look.h"
#include "mysql/flavour.h"
#include "mysql/prepared_xa.h"
#include "mysql/server_guard.h"
#include "mysql/session.h"

namespace mysos::mysql {

struct ServerOpsConfig {
  FlavourKind flavour = FlavourKind::kMysql;
  SessionTarget admin;  // server_process.h: admin_target()
  MemberId member;      // whose server this is: it replicates under this one's account
  Secrets secrets;
  BinlogLook prepared_in_binlogs = {};  // none: nothing is proved by binlogs
  bool any_engine = false;              // tables may be made of any storage engine
};

// The result of a look at an applier that executes nothing.
struct ApplierLook {
  std::string ended;      // whose sessions and transactions were ended and why, "" = nobody's
  std::string does;       // the state of the applier, as the server shows it
  std::string waits_for;  // the lock that it waits for and no session holds, "" = none
};

class ServerOps {
 public:
  ServerOps(const asio::any_io_executor& executor, ServerOpsConfig config);

  // kTimeout: the outcome is unknown. kConflict: the server refused, or what the step requires does not hold.
  asio::awaitable<Status> run(ServerStep step, Duration at_most);
  // One round trip, 1 to 3 ms.
  asio::awaitable<Result<ServerSnapshot>> read(Duration at_most);
  // How many commits waited for acknowledgements at the last read().
  [[nodiscard]] std::uint32_t commits_waited() const { return commits_waited_; }
  // How many were acknowledged from the server's start to the last read(); a user may set the count back.
  [[nodiscard]] std::uint64_t commits_acknowledged() const { return commits_acknowledged_; }
  // Whether the event scheduler was on at the last read().
  [[nodiscard]] bool events_on() const { return events_on_; }
  // Makes the user's account, through the binlog, on a session of its own: it waits for an acker like any write. Writes
  // nothing when the account is there. Fails on a read-only server, of either flavour, and writes nothing then.
  asio::awaitable<Status> ensure_user(Duration at_most);
  // The user can log in, and has the right rights and the newest known password: nothing needs to be written.
  asio::awaitable<Result<bool>> user_is_there(Duration at_most);
  // Another password of the user's; the other secrets stay.
  void use_secrets(Secrets secrets);
  // The server has the user's password of the secrets. On a replica, too.
  asio::awaitable<Result<bool>> user_password_is_set(Duration at_most);
  // What somebody changed of the server (server_guard.h), on a session of its own. `user_made`: the user's account is there.
  asio::awaitable<Result<std::vector<Deviation>>> look_for_changes(bool user_made, Duration at_most);
  // Whether the last of these looks, on a server that takes writes, saw a password of the user that it does not know.
  [[nodiscard]] bool user_changed_password() const { return user_changed_password_; }
  // Repairs what can be repaired on this server, and ends sessions. No step may run meanwhile.
  asio::awaitable<Status> mend_here(std::vector<Deviation> found, Duration at_most);
  // Repairs through the binlog, on a primary only. It waits for an acker like any write, and a read-only server refuses it.
  asio::awaitable<Status> mend_replicated(std::vector<Deviation> found, Duration at_most);
  // Makes an empty commit, whose acknowledgement also covers earlier commits. It waits for acknowledgements like any write,
  // with an account that a read-only server refuses.
  asio::awaitable<Status> push_commits(Duration at_most);
  // MySQL: kills the sessions in which others clone this server.
  asio::awaitable<Status> end_clones(Duration at_most);
  // Ends users' sessions for whose locks the applier waits, and still does after `watched`; so are XA transactions that a user
  // prepared here, whose session is gone. Nothing of that is written to the binlog.
  asio::awaitable<Result<ApplierLook>> end_readers(Duration watched, Duration at_most);
  // Ends users' sessions that have been idle in a transaction for `limit`. Returns which and why; "" = none.
  asio::awaitable<Result<std::string>> end_idle_readers(Duration limit, Duration at_most);
  // The set of binary logs has changed: reads again what depends on it.
  void binlogs_changed() {
    binlog_complete_.reset();
    binlogs_looked_at_ = {};
  }
  // "10.11.19-MariaDB-..."
  asio::awaitable<Result<std::string>> version(Duration at_most);
  asio::awaitable<Result<std::string>> server_id(Duration at_most);
  // Ends what runs, with kUnavailable.
  void close();

 private:
  struct Budget;
  struct Prepared;
  asio::awaitable<Result<Rows>> sql(std::string text, Budget budget);
  asio::awaitable<Result<std::vector<Rows>>> look(Budget budget);
  asio::awaitable<Result<ServerSnapshot>> look_parsed(Budget budget);
  asio::awaitable<Status> kill_sessions(bool (*wanted)(const Rows&, std::size_t, const std::set<std::string>&),
                                        std::set<std::string> names, Budget budget);
  asio::awaitable<Status> kill_held(bool (*wanted)(const Rows&, std::size_t, const std::set<std::string>&),
                                    std::set<std::string> names, Budget budget);
  asio::awaitable<Status> kill_clients(Budget budget);
  asio::awaitable<void> look_at_binlogs();
  asio::awaitable<Status> set_read_only(bool on, Budget budget);
  asio::awaitable<Status> stop_receiver(Budget budget);
  asio::awaitable<Status> stop_replication(Budget budget);
  asio::awaitable<Status> kill_applier(Budget budget);
  asio::awaitable<Status> abort_applier(Budget budget);
  asio::awaitable<Result<std::set<Xid>>> users_prepared(Session& session, const Prepared& before, Budget budget);
  asio::awaitable<Status> stop_applier(ServerSnapshot seen, Budget budget);
  asio::awaitable<Status> await_received(GtidSet set, Budget budget);
  asio::awaitable<Result<std::vector<Rows>>> drain(bool stop_too, Budget budget);
  asio::awaitable<Status> set_source(step::SetSource to, Budget budget);
  [[nodiscard]] Status keeps_relay_log(const ServerSnapshot& seen, bool may_go) const;
  asio::awaitable<Status> start_replication(step::StartReplication how, Budget budget);
  asio::awaitable<Status> forget_source(Budget budget);
  asio::awaitable<Status> start_applier(Budget budget);
  asio::awaitable<Status> abandon_relay_log(Budget budget);
  asio::awaitable<Status> shut_out(step::ShutOut who, Budget budget);
  asio::awaitable<Status> look_at_engines(Budget budget);
  asio::awaitable<Status> as_owner(std::vector<std::string> statements, bool all, Budget budget);
  asio::awaitable<Status> replicate(std::string text, Budget budget);
  asio::awaitable<Status> require(GtidSet set, bool executed, Budget budget);
  asio::awaitable<Status> dispatch(ServerStep step, Budget budget);

  ServerOpsConfig config_;
  const Flavour& flavour_;
  Session steps_;
  Session reads_;
  Session guards_;
  ServerGuard guard_;
  EngineLook engines_;
  bool user_changed_password_ = false;
  std::optional<step::ShutOut> shut_out_;  // the last that was carried out
  std::optional<std::string> waits_at_;  // what was executed when the applier was first seen to wait for a lock
  Instant waits_since_{};
  std::uint32_t commits_waited_ = 0;
  std::uint64_t commits_acknowledged_ = 0;
  bool events_on_ = false;
  std::optional<bool> binlog_complete_;  // where a snapshot does not say it: found out once, and after a purge
  Instant binlogs_looked_at_{};
};

}  // namespace mysos::mysql
