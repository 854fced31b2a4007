// SPDX-License-Identifier: Apache-2.0
#pragma once
// A MySQL or MariaDB that is installed somewhere: "/" for the system's packages, or the root of an unpacked one. Flavour and
// version are what the server program says of itself, never what its file is called: on Debian /usr/sbin/mysqld may well be
// MariaDB. Looking runs each server once with --version: blocking, some 20 ms each; look once and keep the answer.
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "mysql/flavour.h"

namespace mysos::mysql {

struct Version {
  unsigned major = 0, minor = 0, patch = 0;
  auto operator<=>(const Version&) const = default;
};

struct Distribution {
  FlavourKind kind = FlavourKind::kMysql;
  Version version;
  std::string full_version;  // "10.11.19-MariaDB-0+deb12u1"
  std::string root;          // where it was looked for
  std::string server;        // program
  std::string install_tool;  // MariaDB: mariadb-install-db
  std::string basedir;
  std::string messages_dir;  // "" where the server's own default will do
  std::string charsets_dir;
  std::string plugin_dir;
  std::string client;        // mysql or mariadb; "" = not there (so with the next three)
  std::string dump;
  std::string binlog;        // mysqlbinlog or mariadb-binlog
  std::string backup;        // mariadb-backup
  // "mysql-9.7": what users ask for.
  [[nodiscard]] std::string name() const;
};
std::string to_string(const Version& version);

struct ServerVersion {
  FlavourKind kind = FlavourKind::kMysql;
  Version version;
  std::string full;
};
// From a line such as "mysqld  Ver 9.7.4 for Linux on x86_64 (MySQL Community Server - GPL)".
Result<ServerVersion> parse_server_version(std::string_view line);

// All under the roots, newest first within a name; each server program once. Programs that do not run are passed over.
std::vector<Distribution> find_distributions(std::span<const std::string> roots);
// The newest whose name is `name`; "" or "mysql" or "mariadb": the newest of all, or of that flavour (MySQL before MariaDB).
// kNotFound says what there is.
Result<Distribution> choose_distribution(std::span<const Distribution> all, std::string_view name);

}  // namespace mysos::mysql
