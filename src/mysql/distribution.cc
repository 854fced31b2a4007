// SPDX-License-Identifier: Apache-2.0
#include "mysql/distribution.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <filesystem>
#include <set>

#include "base/did_you_mean.h"
#include "base/process.h"

namespace mysos::mysql {
namespace {
namespace fs = std::filesystem;

constexpr Duration kVersionTimeout = std::chrono::seconds(20);
constexpr std::string_view kServers[] = {"usr/sbin/mariadbd", "usr/sbin/mysqld",  "sbin/mariadbd",       "sbin/mysqld",
                                         "bin/mariadbd",      "bin/mysqld",       "usr/bin/mariadbd",    "usr/bin/mysqld",
                                         "libexec/mariadbd",  "usr/libexec/mysqld", "usr/libexec/mariadbd"};

std::string first_existing(const fs::path& base, std::initializer_list<std::string_view> candidates) {
  for (const auto c : candidates) {
    std::error_code ec;
    const fs::path path = base / c;
    if (fs::exists(path, ec)) return path.string();
  }
  return {};
}

bool executable(const fs::path& path) { return ::access(path.c_str(), X_OK) == 0; }

std::string first_tool(const fs::path& base, std::initializer_list<std::string_view> names) {
  for (const auto name : names) {
    for (const std::string_view dir : {"bin", "scripts", "sbin"}) {
      const fs::path path = base / dir / name;
      if (executable(path)) return path.string();
    }
  }
  return {};
}

Result<Distribution> look_at(const std::string& root, const fs::path& server) {
  MYSOS_TRY(const CommandResult said, run_command({.argv = {server.string(), "--no-defaults", "--version"}}, kVersionTimeout));
  if (!said.status.ok()) {
    return fail(Errc::kIo, fmt::format("{} --version: {}: {}", server.string(), to_string(said.status), said.err));
  }
  MYSOS_TRY(const ServerVersion version, parse_server_version(said.out));
  Distribution out;
  out.kind = version.kind;
  out.version = version.version;
  out.full_version = version.full;
  out.root = root;
  out.server = server.string();
  const fs::path base = server.parent_path().parent_path();
  out.basedir = base.string();
  // The folder of messages is known by the English ones.
  const fs::path share = first_existing(base, {"share/mysql/english/errmsg.sys", "share/english/errmsg.sys",
                                               "share/mariadb/english/errmsg.sys", "share/mysql-8.0/english/errmsg.sys",
                                               "share/mysql-8.4/english/errmsg.sys"});
  if (!share.empty()) {
    out.messages_dir = share.parent_path().parent_path().string();
    out.charsets_dir = first_existing(out.messages_dir, {"charsets"});
  }
  out.plugin_dir = first_existing(base, {"lib/mysql/plugin", "lib/plugin", "lib64/mysql/plugin",
                                          "lib/x86_64-linux-gnu/mariadb19/plugin"});
  out.client = first_tool(base, {"mariadb", "mysql"});
  out.dump = first_tool(base, {"mariadb-dump", "mysqldump"});
  out.binlog = first_tool(base, {"mariadb-binlog", "mysqlbinlog"});
  if (out.kind == FlavourKind::kMariadb) {
    out.install_tool = first_tool(base, {"mariadb-install-db", "mysql_install_db"});
    out.backup = first_tool(base, {"mariadb-backup", "mariabackup"});
    if (out.install_tool.empty()) {
      return fail(Errc::kNotFound, fmt::format("{} has no mariadb-install-db beside it", server.string()));
    }
  }
  return out;
}

}  // namespace

std::string to_string(const Version& v) { return fmt::format("{}.{}.{}", v.major, v.minor, v.patch); }
std::string Distribution::name() const { return fmt::format("{}-{}.{}", enum_text(kind), version.major, version.minor); }

Result<ServerVersion> parse_server_version(std::string_view line) {
  const auto at = line.find("Ver ");
  if (at == std::string_view::npos) return fail(Errc::kInvalid, fmt::format("'{}' names no version", line));
  std::string_view full = line.substr(at + 4);
  full = full.substr(0, full.find_first_of(" \n"));
  ServerVersion out;
  out.full = std::string(full);
  out.kind = line.find("MariaDB") == std::string_view::npos ? FlavourKind::kMysql : FlavourKind::kMariadb;
  unsigned* const parts[] = {&out.version.major, &out.version.minor, &out.version.patch};
  const char* pos = full.data();
  const char* const end = pos + full.size();
  for (unsigned* part : parts) {
    const auto [next, ec] = std::from_chars(pos, end, *part);
    if (ec != std::errc{}) return fail(Errc::kInvalid, fmt::format("'{}' is no version", full));
    pos = next;
    if (pos != end && *pos == '.') ++pos;
  }
  return out;
}

std::vector<Distribution> find_distributions(std::span<const std::string> roots) {
  std::vector<Distribution> out;
  std::set<std::string> seen;
  for (const std::string& root : roots) {
    for (const auto candidate : kServers) {
      const fs::path server = fs::path(root) / candidate;
      if (!executable(server)) continue;
      std::error_code ec;
      const std::string real = fs::canonical(server, ec).string();
      if (ec || !seen.insert(real).second) continue;
      if (auto found = look_at(root, server)) out.push_back(*std::move(found));
    }
  }
  std::ranges::sort(out, [](const Distribution& a, const Distribution& b) {
    if (a.kind != b.kind) return a.kind < b.kind;
    return a.version > b.version;
  });
  return out;
}

Result<Distribution> choose_distribution(std::span<const Distribution> all, std::string_view name) {
  for (const Distribution& d : all) {
    if (name.empty() || d.name() == name || enum_text(d.kind) == name) return d;
  }
  if (all.empty()) {
    return fail(Errc::kNotFound,
                "no MySQL or MariaDB server was found: install one (the package mariadb-server-core will do), or name the "
                "root of an unpacked one with --mysql-root");
  }
  std::vector<std::string> names;
  for (const Distribution& d : all) {
    if (std::ranges::find(names, d.name()) == names.end()) names.push_back(d.name());
  }
  return fail(Errc::kNotFound,
              fmt::format("there is no {} here, only {}{}", name, fmt::join(names, ", "), did_you_mean(name, names)),
              "version");
}

}  // namespace mysos::mysql
