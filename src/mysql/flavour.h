// SPDX-License-Identifier: Apache-2.0
#pragma once
// The differences between MySQL (8.0.26 and newer) and MariaDB (10.6 and newer): SQL, names of settings, abilities.
// Pure: makes SQL and configuration lines, and parses answers; server_ops.h runs the SQL. docs/mysql.md explains the
// differences, and mysql_real_test checks them on real servers.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "base/units.h"
#include "model/gtid.h"
#include "model/server_step.h"
#include "mysql/rows.h"

namespace mysos::mysql {

enum class FlavourKind { kMysql, kMariadb };
constexpr auto enum_names(FlavourKind) {
  return std::to_array<EnumName<FlavourKind>>({{FlavourKind::kMysql, "mysql"}, {FlavourKind::kMariadb, "mariadb"}});
}

struct SourceSpec {
  std::string host;
  std::uint16_t port = 0;
  std::string user;
  std::string password;
};

struct ConfigInput;  // config.h
struct MemoryPlan;   // config.h
using ConfigLines = std::vector<std::pair<std::string, std::string>>;

// Of the receiver and the applier; `configured` false: this server has no source.
struct ReplicaState {
  bool configured = false;
  bool receiver_running = false;
  bool applier_running = false;
  GtidSet executed;
  GtidSet received;  // contains executed
  std::string last_error;
};

// An account as the server lists it.
struct AccountState {
  std::string name;
  bool locked = false;
  std::string verifier = {};
};

// One account may act as another: by a proxy grant or as a role. A row of the server's tables.
struct Tie {
  std::string kind;           // the table
  std::string name, host;     // who may
  std::string of_name, of_host;  // ... act as whom
};

struct UserVerifiers {
  std::string current;
  std::string other = {};
};

class Flavour {
 public:
  virtual ~Flavour() = default;
  [[nodiscard]] virtual FlavourKind kind() const = 0;
  [[nodiscard]] std::string_view name() const { return enum_text(kind()); }

  // What it can do.
  [[nodiscard]] virtual std::uint32_t max_d() const = 0;             // replicas that a commit can be made to wait for
  [[nodiscard]] virtual bool has_clone() const = 0;
  [[nodiscard]] virtual bool relay_log_survives() const = 0;         // a stop of both threads, and so a restart
  [[nodiscard]] virtual bool super_read_only() const = 0;            // our own accounts are stopped by it too

  // Steps, as statements.
  [[nodiscard]] virtual std::string set_read_only(bool on) const = 0;
  [[nodiscard]] virtual std::string semi_sync_source(std::uint32_t d) const = 0;
  [[nodiscard]] virtual std::string semi_sync_replica(bool on) const = 0;
  [[nodiscard]] virtual std::string stop_receiver() const = 0;
  [[nodiscard]] virtual std::string stop_applier() const = 0;
  // stop_applier() waits up to a minute for the rest of a transaction of which only the beginning was received.
  [[nodiscard]] virtual bool stop_waits_for_rest() const = 0;
  [[nodiscard]] virtual std::string start_applier() const = 0;
  // One after the other: the receiver comes first, since commits may wait for what it acknowledges.
  [[nodiscard]] virtual std::vector<std::string> start_replication() const = 0;
  // The error of starting replication, or of changing its source, where the relay log is not there although the server
  // remembers one.
  [[nodiscard]] virtual bool has_no_relay_log(unsigned error) const = 0;
  [[nodiscard]] virtual std::string forget_source() const = 0;
  [[nodiscard]] virtual std::string change_source(const SourceSpec& source) const = 0;
  // The same while the applier continues, so that the relay log stays. "" if that is not possible, or not in the state that the
  // snapshot shows. The receiver must be stopped.
  [[nodiscard]] virtual std::string change_source_only(const SourceSpec& source, const std::vector<Rows>& snapshot) const = 0;
  // Brings the position that the receiver will ask from up to what the server itself has written (a former primary);
  // "" where nothing is to be done. Both threads must be stopped. `snapshot`: the answer to snapshot_sql().
  [[nodiscard]] virtual std::string align_position(const std::vector<Rows>& snapshot) const = 0;
  // Returns once `set` is executed, or after `seconds`; to be followed by a look.
  [[nodiscard]] virtual std::string wait_executed(const GtidSet& set, double seconds) const = 0;

  // One round trip that tells all of a ServerSnapshot.
  [[nodiscard]] virtual std::string snapshot_sql() const = 0;
  [[nodiscard]] virtual Result<ServerSnapshot> parse_snapshot(const std::vector<Rows>& answers) const = 0;
  // What names the oldest binlog in column Log_name, where the snapshot does not tell binlog_complete; else "".
  [[nodiscard]] virtual std::string oldest_binlog_sql() const = 0;
  // Surrounds what kills clients: between the two no commit is under way. "" where a kill leaves a commit that waits for an
  // acker waiting.
  [[nodiscard]] virtual std::string hold_commits() const = 0;
  [[nodiscard]] virtual std::string release_commits() const = 0;

  // The events whose status fits `status` ("LIKE ..."), in columns db, name, definer, client and collation (of the client that
  // made it).
  [[nodiscard]] virtual std::string list_events(std::string_view status) const = 0;

  // One row and column: all that the server has executed.
  [[nodiscard]] virtual std::string executed_sql() const = 0;
  // XA RECOVER, in a form that prepared_xids() reads (prepared_xa.h).
  [[nodiscard]] virtual std::string list_prepared() const = 0;
  // A prepared XA transaction that has changed nothing holds its locks when its session has ended.
  [[nodiscard]] virtual bool keeps_idle_prepared() const = 0;

  // Accounts.
  // Columns name, host, locked (Y/N) and verifier.
  [[nodiscard]] virtual std::string list_accounts(std::string_view like) const = 0;
  // What the server stores of a password: accounts are made and changed with that, never with the password itself. `salt`:
  // kSaltLength letters and digits.
  [[nodiscard]] virtual std::string verifier(std::string_view password, std::string_view salt) const = 0;
  // "IDENTIFIED ...", as CREATE USER and ALTER USER take it.
  [[nodiscard]] virtual std::string identified_by(const std::string& verifier) const = 0;
  [[nodiscard]] virtual std::vector<std::string> grant_replication(const std::string& account) const = 0;
  [[nodiscard]] virtual std::vector<std::string> grant_monitor(const std::string& account) const = 0;
  // Wide, but nothing with which a client could write to a read-only server, leave the binlog out, end it, acknowledge
  // as a replica, read files, reach our accounts, or read or change mysql.*, nor hand on any of that.
  [[nodiscard]] virtual std::vector<std::string> grant_user(const std::string& account) const = 0;
  // All that a user may have, and the right to hand it on; stopped by a read-only server like any client.
  [[nodiscard]] virtual std::vector<std::string> grant_owner(const std::string& account) const = 0;
  // What a user calls to make further accounts, where CREATE USER cannot be given; nothing where it can.
  [[nodiscard]] virtual std::vector<std::string> user_procedures(const std::string& definer, std::string_view user) const = 0;
  // One row. Column `ok` is 1 where the user's account is unlocked and has the rights of grant_user(), not older ones;
  // `no_password` is not 0 where anybody can log in to it; `current`: what the server stores of its password.
  [[nodiscard]] virtual std::string user_is_right(std::string_view name) const = 0;
  // Columns `current` and `other`: what the server stores of the passwords of the user's account.
  [[nodiscard]] virtual std::string user_verifiers(std::string_view name) const = 0;
  // Makes `wanted` the user's password, and `old` (which may be "") the only other one that is valid.
  [[nodiscard]] virtual std::vector<std::string> set_user_verifiers(const std::string& account, const UserVerifiers& now,
                                                                    const UserVerifiers& wanted) const = 0;

  // What the guard compares (server_guard.h). Settings, with the value each must have.
  [[nodiscard]] virtual std::vector<std::pair<std::string_view, std::string_view>> guarded_settings() const = 0;
  // Columns name, host, locked, verifier, rights (to be compared with what they were) and powers: what no account of a client
  // may have, "" = nothing. Accounts whose name begins like ours, those without a name, and those with powers; not the
  // server's own, nor those of `user`.
  [[nodiscard]] virtual std::string guarded_accounts(std::string_view user) const = 0;
  // Proxy grants and role edges that have one of our accounts, or all accounts, at either end: the columns of a Tie.
  [[nodiscard]] virtual std::string guarded_ties() const = 0;
  // Takes it away, on this server only: without binlog.
  [[nodiscard]] virtual std::vector<std::string> cut_tie(const Tie& tie) const = 0;
  [[nodiscard]] virtual std::string_view replication_powers() const = 0;  // ... of an account that replicates
  // The tables of users whose engine is not InnoDB, in columns db, name and engine.
  [[nodiscard]] virtual std::string other_engines() const = 0;
  // For the init file: opens each MEMORY table once. A server that was restarted writes to its binlog, at the first look at
  // such a table, that it is empty; in the session of the init file it does not. "" where that is not needed.
  [[nodiscard]] virtual std::string open_memory_tables() const = 0;
  // Run on a template before anybody can reach it: no account is left but the server's own.
  [[nodiscard]] virtual std::vector<std::string> remove_default_accounts() const = 0;

  // Configuration.
  [[nodiscard]] virtual Bytes min_memory() const = 0;   // a server starts, serves and replicates in that
  [[nodiscard]] virtual Bytes fixed_memory() const = 0; // taken before any buffer pool
  [[nodiscard]] virtual Bytes diagnostics_memory() const = 0;  // performance_schema
  [[nodiscard]] virtual ConfigLines config(const ConfigInput& in, const MemoryPlan& plan) const = 0;
};

const Flavour& flavour(FlavourKind kind);

// What both flavours say alike.
ReplicaState replica_state(const ServerSnapshot& snapshot);
std::string global_status(const Rows& status, std::string_view name);

}  // namespace mysos::mysql
