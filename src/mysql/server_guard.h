// SPDX-License-Identifier: Apache-2.0
#pragma once
// What somebody changed of a server, against what Mysos made: our accounts (password, lock, rights), accounts that pose as
// ours or have rights that no client may have, proxy grants and roles that lead to ours or from ours, the user's account, and
// the settings that promises stand on. Clients cannot do
// most of that (accounts.h); this finds what they can, what an earlier version allowed, and what was done over the socket.
// Pure: it compares rows, and says how to repair what differs. Names no secret.
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "mysql/accounts.h"

namespace mysos::mysql {

struct Deviation {
  std::string what;                     // "the account 'mysos_admin' has another password"
  std::vector<std::string> here;        // statements for this server only, without binlog
  std::vector<std::string> replicated;  // ... for the primary, through the binlog: what was replicated to all is undone there
  std::string sessions_of;              // whose sessions are ended, "" = nobody's
  bool by_primary = false;              // the primary repairs it, and tells
};

// What is known of the server beside the rows.
struct GuardContext {
  bool writable = false;   // accounts of clients are looked at where they can be repaired
  bool user_made = false;  // the user's account was made on this server
  // The accounts that replicate, by whether they are locked; none: not known since this executor came.
  std::optional<std::map<std::string, bool>> replicating = std::nullopt;
};

class ServerGuard {
 public:
  ServerGuard(const Flavour& flavour, Secrets secrets) : flavour_(flavour), secrets_(std::move(secrets)) {}

  void use_secrets(Secrets secrets) { secrets_ = std::move(secrets); }
  // One round trip of some statements, whose answers deviations() takes.
  [[nodiscard]] std::string look_sql() const;
  // Of those answers, the one about the cluster's user (Flavour::user_is_right).
  static const Rows& user_in(const std::vector<Rows>& answers) { return answers.at(2); }
  // The first look at our accounts' rights is what later ones are compared with: they were just made.
  Result<std::vector<Deviation>> deviations(const std::vector<Rows>& answers, const GuardContext& context);

 private:
  void compare_settings(const Rows& rows, std::vector<Deviation>& out) const;
  void compare_own(const Rows& rows, std::vector<Deviation>& out);
  void compare_ties(const Rows& rows, std::vector<Deviation>& out) const;
  void compare_replicating(const Rows& rows, const GuardContext& context, std::vector<Deviation>& out) const;
  void compare_password(const Rows& rows, const GuardContext& context, std::vector<Deviation>& out) const;
  void compare_clients(const Rows& rows, const GuardContext& context, std::vector<Deviation>& out) const;
  [[nodiscard]] bool is_own(const std::string& name, const std::string& host) const;

  const Flavour& flavour_;
  Secrets secrets_;
  std::map<std::string, std::string> rights_;
};

}  // namespace mysos::mysql
