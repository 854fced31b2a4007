// SPDX-License-Identifier: Apache-2.0
#pragma once
// The accounts of a member's server. The names of Mysos' own accounts begin with "mysos_". Each server makes them itself,
// without binlog, from a file of SQL that it runs at every start before any client can connect (init_file). So there is never a
// root without password, and a changed secret is in force after a restart. There is one replication account per member, so that
// one member can be shut out. Their passwords are derived from the cluster's replication key. The user's account is different:
// it is made once on the primary, through the binlog, like any statement of a client. Pure, except write_init_file.
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "model/ids.h"
#include "mysql/flavour.h"

namespace mysos::mysql {

inline constexpr std::string_view kAdminAccount = "mysos_admin";      // all rights, from this machine only
inline constexpr std::string_view kOwnerAccount = "mysos_owner";      // makes the user's account; read-only stops it
inline constexpr std::string_view kMonitorAccount = "mysos_monitor";  // socket only
inline constexpr std::string_view kBackupAccount = "mysos_backup";    // copies the data; CLONE brings it in over TCP
inline constexpr std::string_view kOurPrefix = "mysos_";
// Replicated: written by the primary's kOwnerAccount, read by the next primary (server_events.h).
inline constexpr std::string_view kDisabledEvents = "mysql.mysos_disabled_events";

struct Secrets {
  std::string admin_password;
  std::string monitor_password;
  std::string replication_key;
  std::string user;
  std::string user_password;      // only the scheduler has it; members never get it
  std::string user_verifier;      // what the server stores of it: a member has this
  std::string old_user_verifier;  // of the password before, while both are valid
  std::uint64_t user_version = 0;  // how often it was changed
  bool user_pending = false;       // a member: it has not seen a server with this version yet
  bool operator==(const Secrets&) const = default;
};
template <class Io>
void fields(Io& io, Secrets& s) {
  io.required("admin_password", s.admin_password);
  io.required("monitor_password", s.monitor_password);
  io.required("replication_key", s.replication_key);
  io.required("user", s.user);
  io("user_password", s.user_password);
  io("user_verifier", s.user_verifier);
  io("old_user_verifier", s.old_user_verifier);
  io("user_version", s.user_version);
  io("user_pending", s.user_pending);
}

// 1 to 32 letters, digits, '_', '-' and '.'; none of the servers' own names, nor of ours.
Status check_user_name(std::string_view name);

// "mysos_r3" for "k3x9a2bq-3".
std::string replication_account(const MemberId& member);
std::string replication_password(const Secrets& secrets, const MemberId& member);
std::string account_password(const Secrets& secrets, std::string_view account);  // of one whose password follows from the key

// Follows from the replication key, so each member of a cluster knows it of each other.
std::string backup_password(const Secrets& secrets);

// What the server stores of an account's password. Equal on all members and after each start.
std::string verifier_of(const Flavour& flavour, const Secrets& secrets, std::string_view account, std::string_view password);
// The part of the cluster's secrets that a member gets. The user's password is in it only as the server stores it.
Secrets for_member(const Flavour& flavour, Secrets secrets);

// Whether a session of the process list is one of ours, which a demotion does not end. A client may have a name that begins
// like ours (MySQL lets users make accounts). So only sessions count that come over the socket or from this
// machine's own address, or that replicate.
bool is_own_session(std::string_view user, std::string_view host);
// "mysos_r12": the account of a member.
bool is_replication_account(std::string_view user);

struct OwnAccount {
  std::string_view name, host;
};
// But for those that replicate.
std::vector<OwnAccount> own_accounts(const Flavour& flavour);
// Makes one of them right, as it is at each start.
std::vector<std::string> own_account_sql(const Flavour& flavour, const Secrets& secrets, const OwnAccount& which);
std::string own_verifier(const Flavour& flavour, const Secrets& secrets, std::string_view name);

// One statement a line.
std::string init_sql(const Flavour& flavour, const Secrets& secrets);

// What makes the accounts of `replicas` right: those in `shut_out` locked, the others not. `known`: those that are there; one
// with another password than ours was made by somebody else, and is made again.
std::vector<std::string> shut_out_sql(const Flavour& flavour, const Secrets& secrets, const std::vector<AccountState>& known,
                                      const std::set<MemberId>& replicas, const std::set<MemberId>& shut_out);

// Gives the user's account the passwords of `secrets`; nothing where it has them.
std::vector<std::string> user_password_sql(const Flavour& flavour, const Secrets& secrets, const UserVerifiers& now);

// Statements that make the user's account; it is unlocked last, so one that is there and not locked has all its rights.
std::vector<std::string> user_sql(const Flavour& flavour, const Secrets& secrets);

}  // namespace mysos::mysql
