// SPDX-License-Identifier: Apache-2.0
#include "mysql/server_guard.h"

#include <fmt/format.h>

#include <algorithm>

namespace mysos::mysql {
namespace {

// Names that clients choose are shown in events.
std::string shown(const std::string& name, const std::string& host) {
  std::string out = quote_account(name, host);
  for (char& c : out) {
    if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7f) c = '?';
  }
  return out;
}

std::string literal(std::string_view value) {
  const bool number = !value.empty() && value.find_first_not_of("0123456789") == std::string_view::npos;
  return number ? std::string(value) : quote(value);
}

// A role of MariaDB has no host.
std::string grantee(const std::string& name, const std::string& host) {
  return host.empty() && !name.empty() ? quote(name) : quote_account(name, host);
}

std::optional<std::size_t> row_of(const Rows& rows, std::string_view name, std::string_view host) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows.text(i, "name") == name && rows.text(i, "host") == host) return i;
  }
  return std::nullopt;
}

}  // namespace

std::string ServerGuard::look_sql() const {
  std::string settings = "SELECT @@GLOBAL.read_only AS read_only";
  if (flavour_.super_read_only()) settings += ", @@GLOBAL.super_read_only AS super_read_only";
  for (const auto& [name, value] : flavour_.guarded_settings()) settings += fmt::format(", @@GLOBAL.{0} AS {0}", name);
  return settings + "; " + flavour_.guarded_accounts(secrets_.user) + "; " + flavour_.user_is_right(secrets_.user) + "; " +
         flavour_.guarded_ties();
}

Result<std::vector<Deviation>> ServerGuard::deviations(const std::vector<Rows>& answers, const GuardContext& context) {
  if (answers.size() != 4 || answers[0].empty() || user_in(answers).empty()) {
    return fail(Errc::kInternal, "a look at a server has four answers");
  }
  std::vector<Deviation> out;
  compare_settings(answers[0], out);
  compare_own(answers[1], out);
  compare_ties(answers[3], out);
  compare_password(user_in(answers), context, out);
  if (!context.writable) return out;
  compare_replicating(answers[1], context, out);
  compare_clients(answers[1], context, out);
  if (context.user_made && user_in(answers).number(0, "ok") != 1) {
    out.push_back({.what = fmt::format("the account {} has not the rights it was made with, is locked, or is gone",
                                       shown(secrets_.user, "%")),
                   .replicated = user_sql(flavour_, secrets_)});
  }
  return out;
}

void ServerGuard::compare_settings(const Rows& rows, std::vector<Deviation>& out) const {
  if (rows.text(0, "read_only") == "1" && rows.text(0, "super_read_only") == "0") {
    out.push_back({.what = "super_read_only was 0", .here = {"SET GLOBAL super_read_only=ON"}});
  }
  for (const auto& [name, value] : flavour_.guarded_settings()) {
    const std::string now = rows.text(0, name);
    if (now == value) continue;
    const std::string shown_now = now.size() <= 40 ? now : now.substr(0, 40) + "...";
    out.push_back({.what = fmt::format("{} was '{}'", name, shown_now),
                   .here = {fmt::format("SET GLOBAL {}={}", name, literal(value))}});
  }
}

void ServerGuard::compare_own(const Rows& rows, std::vector<Deviation>& out) {
  for (const OwnAccount& own : own_accounts(flavour_)) {
    const std::string account = shown(std::string(own.name), std::string(own.host));
    const auto add = [&](std::string_view how) {
      out.push_back({.what = fmt::format("the account {} {}", account, how), .here = own_account_sql(flavour_, secrets_, own)});
    };
    const auto row = row_of(rows, own.name, own.host);
    if (!row) {
      add("was gone");
      continue;
    }
    const std::string rights = rows.text(*row, "rights");
    const auto& first = rights_.try_emplace(account, rights).first->second;
    if (rows.text(*row, "verifier") != own_verifier(flavour_, secrets_, own.name)) {
      add("had another password");
    } else if (rows.text(*row, "locked") == "Y") {
      add("was locked");
    } else if (rights != first) {
      add("had other rights");
    }
  }
}

// Undone on each server by itself: a REVOKE of what is not there would stop a replica's applier.
void ServerGuard::compare_ties(const Rows& rows, std::vector<Deviation>& out) const {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Tie tie{rows.text(i, "kind"), rows.text(i, "name"), rows.text(i, "host"), rows.text(i, "of_name"),
                  rows.text(i, "of_host")};
    const std::string whom = tie.of_name.empty() ? "any account" : "the account " + shown(tie.of_name, tie.of_host);
    out.push_back({.what = fmt::format("the account {} could act as {} ({})", shown(tie.name, tie.host), whom, tie.kind),
                   .here = flavour_.cut_tie(tie),
                   .sessions_of = tie.name});
  }
}

// Only a primary lets anybody replicate.
void ServerGuard::compare_replicating(const Rows& rows, const GuardContext& context, std::vector<Deviation>& out) const {
  if (!context.replicating) return;
  for (const auto& [name, locked] : *context.replicating) {
    const std::string account = quote_account(name, "%");
    const std::string verifier = verifier_of(flavour_, secrets_, name, account_password(secrets_, name));
    const auto row = row_of(rows, name, "%");
    const bool same = row && rows.text(*row, "verifier") == verifier;
    const bool lock_right = row && (rows.text(*row, "locked") == "Y") == locked;
    const std::string powers = row ? rows.text(*row, "powers") : std::string();
    if (same && lock_right && powers == flavour_.replication_powers()) continue;
    Deviation d{.what = fmt::format("the account {} was changed", shown(name, "%"))};
    d.here.push_back(fmt::format("CREATE USER IF NOT EXISTS {} {} ACCOUNT LOCK", account, flavour_.identified_by(verifier)));
    d.here.push_back(fmt::format("ALTER USER {} {} ACCOUNT LOCK", account, flavour_.identified_by(verifier)));
    d.here.push_back("REVOKE ALL PRIVILEGES, GRANT OPTION FROM " + account);
    for (auto& s : flavour_.grant_replication(account)) d.here.push_back(std::move(s));
    if (!locked) d.here.push_back(fmt::format("ALTER USER {} ACCOUNT UNLOCK", account));
    if (locked) d.sessions_of = name;
    out.push_back(std::move(d));
  }
}

// A user may set its own password, to nothing too, and then anybody logs in. Until the primary has put the known one back,
// nobody else gets in there, and those who did are sent away everywhere.
void ServerGuard::compare_password(const Rows& rows, const GuardContext& context, std::vector<Deviation>& out) const {
  if (rows.number(0, "no_password").value_or(0) == 0) return;
  const std::string account = quote_account(secrets_.user, "%");
  Deviation d{.what = fmt::format("the account {} had no password", shown(secrets_.user, "%")), .sessions_of = secrets_.user};
  d.by_primary = !context.writable;
  if (context.writable) {
    d.here.push_back("ALTER USER " + account + " ACCOUNT LOCK");
    d.replicated = user_password_sql(flavour_, secrets_, {});
    for (auto& s : user_sql(flavour_, secrets_)) d.replicated.push_back(std::move(s));
  }
  out.push_back(std::move(d));
}

bool ServerGuard::is_own(const std::string& name, const std::string& host) const {
  return std::ranges::any_of(own_accounts(flavour_),
                             [&](const OwnAccount& own) { return name == own.name && host == own.host; });
}

// What clients made was replicated to every member, so it is undone through the binlog: an account that is missing on one
// of them would stop its applier.
void ServerGuard::compare_clients(const Rows& rows, const GuardContext& context, std::vector<Deviation>& out) const {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::string name = rows.text(i, "name"), host = rows.text(i, "host"), powers = rows.text(i, "powers");
    if (is_own(name, host)) continue;
    if (is_replication_account(name) && host == "%") {
      if (!context.replicating || context.replicating->contains(name)) continue;
      const bool ours = rows.text(i, "verifier") == verifier_of(flavour_, secrets_, name, account_password(secrets_, name));
      if (ours) continue;  // of a member that is gone, or to come
    }
    if (name.starts_with(kOurPrefix) || (name.empty() && !host.empty())) {
      out.push_back({.what = fmt::format("an account {} was made, whose name is kept for Mysos' own", shown(name, host)),
                     // A definer of something cannot always be dropped.
                     .replicated = {"ALTER USER IF EXISTS " + quote_account(name, host) + " ACCOUNT LOCK",
                                    "REVOKE ALL PRIVILEGES, GRANT OPTION FROM " + quote_account(name, host),
                                    "DROP USER IF EXISTS " + quote_account(name, host)},
                     .sessions_of = name});
    } else if (!powers.empty()) {
      out.push_back({.what = fmt::format("the account {} had more rights than a user may have: {}", shown(name, host), powers),
                     .replicated = {"REVOKE ALL PRIVILEGES, GRANT OPTION FROM " + grantee(name, host)},
                     .sessions_of = name});
    }
  }
}

}  // namespace mysos::mysql
