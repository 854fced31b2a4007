// SPDX-License-Identifier: Apache-2.0
#include "mysql/accounts.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "base/secret.h"
#include "mysql/password_hash.h"
#include "mysql/session.h"

namespace mysos::mysql {
namespace {

constexpr std::string_view kReserved[] = {"root", "mysql", "mariadb", "event_scheduler"};
constexpr std::size_t kMaxUserName = 32;

void append(std::vector<std::string>& to, std::vector<std::string> more) {
  for (auto& m : more) to.push_back(std::move(m));
}

}  // namespace

Status check_user_name(std::string_view name) {
  const auto bad = [&](std::string_view why) {
    return fail(Errc::kInvalid, fmt::format("the user name '{}' {}", name, why), "user");
  };
  if (name.empty() || name.size() > kMaxUserName) return bad(fmt::format("must have 1 to {} characters", kMaxUserName));
  const bool plain = std::ranges::all_of(name, [](unsigned char c) {
    return c < 0x80 && (std::isalnum(c) != 0 || c == '_' || c == '-' || c == '.');
  });
  if (!plain) return bad("may hold letters, digits, '_', '-' and '.' only");
  std::string lower(name);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const bool taken = std::ranges::find(kReserved, lower) != std::end(kReserved) || lower.starts_with(kOurPrefix) ||
                     lower.starts_with("mysql.") || lower.starts_with("mariadb.");
  if (taken) return bad("is kept for the server's and Mysos' own accounts");
  return {};
}

std::string replication_account(const MemberId& member) {
  const auto dash = member.value.rfind('-');
  return fmt::format("{}r{}", kOurPrefix, dash == std::string::npos ? member.value : member.value.substr(dash + 1));
}

std::string replication_password(const Secrets& secrets, const MemberId& member) {
  return account_password(secrets, replication_account(member));
}

std::string account_password(const Secrets& secrets, std::string_view account) {
  return hmac_derive(secrets.replication_key, account);
}

std::string backup_password(const Secrets& secrets) { return account_password(secrets, kBackupAccount); }

std::string verifier_of(const Flavour& f, const Secrets& secrets, std::string_view account, std::string_view password) {
  return f.verifier(password, hmac_derive(secrets.replication_key, fmt::format("salt of {}", account)).substr(0, kSaltLength));
}

Secrets for_member(const Flavour& f, Secrets secrets) {
  if (!secrets.user_password.empty()) {
    secrets.user_verifier = verifier_of(f, secrets, secrets.user, secrets.user_password);
    secrets.user_password.clear();
  }
  return secrets;
}

bool is_replication_account(std::string_view user) {
  const std::string prefix = std::string(kOurPrefix) + "r";
  return user.starts_with(prefix) && user.size() > prefix.size() &&
         user.find_first_not_of("0123456789", prefix.size()) == std::string_view::npos;
}

bool is_own_session(std::string_view user, std::string_view host) {
  const bool ours = user == kAdminAccount || user == kOwnerAccount || user == kMonitorAccount;
  const bool here = host == "localhost" || host.starts_with(std::string(kLoopback) + ":");
  return (ours && here) || user == kBackupAccount || is_replication_account(user);
}

// By the socket, and from this machine by the admin port, where the socket has no room. The recipient of a clone comes over
// TCP; mariadb-backup runs beside the server.
std::vector<OwnAccount> own_accounts(const Flavour& f) {
  return {{kAdminAccount, "localhost"}, {kAdminAccount, kLoopback},
          {kOwnerAccount, "localhost"}, {kOwnerAccount, kLoopback},
          {kMonitorAccount, "localhost"}, {kBackupAccount, f.has_clone() ? "%" : "localhost"}};
}

std::string own_verifier(const Flavour& f, const Secrets& secrets, std::string_view name) {
  const std::string password = name == kMonitorAccount  ? secrets.monitor_password
                               : name == kBackupAccount ? backup_password(secrets)
                                                        : secrets.admin_password;
  return verifier_of(f, secrets, name, password);
}

std::vector<std::string> own_account_sql(const Flavour& f, const Secrets& secrets, const OwnAccount& which) {
  const std::string account = quote_account(which.name, which.host);
  const std::string identified = f.identified_by(own_verifier(f, secrets, which.name));
  std::vector<std::string> sql = {fmt::format("CREATE USER IF NOT EXISTS {} {}", account, identified),
                                  fmt::format("ALTER USER {} {} ACCOUNT UNLOCK", account, identified)};
  if (which.name == kAdminAccount) {
    sql.push_back("GRANT ALL PRIVILEGES ON *.* TO " + account + " WITH GRANT OPTION");
    return sql;
  }
  sql.push_back("REVOKE ALL PRIVILEGES, GRANT OPTION FROM " + account);  // what an earlier version gave, or somebody else
  if (which.name == kOwnerAccount) {
    append(sql, f.grant_owner(account));
    sql.push_back(fmt::format("GRANT CREATE, SELECT, INSERT, DELETE ON {} TO {}", kDisabledEvents, account));
    if (f.has_clone()) sql.push_back("GRANT SERVICE_CONNECTION_ADMIN ON *.* TO " + account);
  }
  if (which.name == kMonitorAccount) append(sql, f.grant_monitor(account));
  if (which.name == kBackupAccount) {
    const std::string_view rights = f.has_clone() ? "BACKUP_ADMIN, SYSTEM_USER, SERVICE_CONNECTION_ADMIN"
                                                  : "RELOAD, PROCESS, LOCK TABLES, BINLOG MONITOR, SLAVE MONITOR";
    sql.push_back(fmt::format("GRANT {} ON *.* TO {}", rights, account));
  }
  return sql;
}

std::string init_sql(const Flavour& f, const Secrets& secrets) {
  std::vector<std::string> sql = {"SET SESSION sql_log_bin=0", "SET SESSION sql_mode=''"};
  if (f.super_read_only()) sql.emplace_back("SET GLOBAL super_read_only=OFF");  // read_only stays; nobody is connected yet
  for (const OwnAccount& account : own_accounts(f)) append(sql, own_account_sql(f, secrets, account));
  if (f.super_read_only()) sql.emplace_back("SET GLOBAL super_read_only=ON");
  if (const std::string open = f.open_memory_tables(); !open.empty()) sql.push_back(open);
  std::string out;
  for (const std::string& s : sql) out += s + ";\n";
  return out;
}

std::vector<std::string> shut_out_sql(const Flavour& f, const Secrets& secrets, const std::vector<AccountState>& known,
                                      const std::set<MemberId>& replicas, const std::set<MemberId>& shut_out) {
  std::set<MemberId> all = replicas;
  all.insert(shut_out.begin(), shut_out.end());
  std::vector<std::string> lock, open;  // locking comes first: it is what safety waits for
  for (const MemberId& member : all) {
    const std::string name = replication_account(member);
    const std::string account = quote_account(name, "%");
    const std::string verifier = verifier_of(f, secrets, name, replication_password(secrets, member));
    const auto found = std::ranges::find(known, name, &AccountState::name);
    const bool ours = found != known.end() && found->verifier == verifier;
    const bool want_locked = shut_out.contains(member);
    auto& out = want_locked ? lock : open;
    if (!ours) {
      if (found != known.end()) out.push_back("DROP USER " + account);
      out.push_back(fmt::format("CREATE USER IF NOT EXISTS {} {} ACCOUNT LOCK", account, f.identified_by(verifier)));
      // One that is locked, too: without SYSTEM_USER a user could change it, and the statement, replicated, would stop the
      // appliers of members that have no such account.
      append(out, f.grant_replication(account));
    }
    if (want_locked) {
      if (ours && !found->locked) out.push_back("ALTER USER " + account + " ACCOUNT LOCK");
    } else if (!ours || found->locked) {  // an open one has its rights: they come before it is opened
      if (ours) append(out, f.grant_replication(account));
      out.push_back("ALTER USER " + account + " ACCOUNT UNLOCK");
    }
  }
  append(lock, std::move(open));
  return lock;
}

std::vector<std::string> user_password_sql(const Flavour& f, const Secrets& secrets, const UserVerifiers& now) {
  const Secrets told = for_member(f, secrets);
  return f.set_user_verifiers(quote_account(secrets.user, "%"), now, {told.user_verifier, told.old_user_verifier});
}

std::vector<std::string> user_sql(const Flavour& f, const Secrets& secrets) {
  const std::string account = quote_account(secrets.user, "%");
  const std::string identified = f.identified_by(for_member(f, secrets).user_verifier);
  std::vector<std::string> sql = f.user_procedures(quote_account(kOwnerAccount, "localhost"), secrets.user);
  sql.push_back(fmt::format("CREATE USER IF NOT EXISTS {} {} ACCOUNT LOCK", account, identified));
  sql.push_back("REVOKE ALL PRIVILEGES, GRANT OPTION FROM " + account);  // what an earlier version gave
  append(sql, f.grant_user(account));
  sql.push_back(fmt::format("ALTER USER {} ACCOUNT UNLOCK", account));
  return sql;
}

}  // namespace mysos::mysql
