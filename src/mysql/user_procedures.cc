// SPDX-License-Identifier: Apache-2.0
#include "mysql/user_procedures.h"

#include <fmt/format.h>

#include "mysql/rows.h"

namespace mysos::mysql {
namespace {

struct Procedure {
  std::string_view head;
  std::string_view body;
};

// {0}: the cluster's user, {1}: our schema. Names are compared byte by byte: a comparison without case takes U+212A for k, and
// 'KATE' for 'kate'. A name that is checked needs no quoting; it is quoted all the same.
constexpr Procedure kAll[] = {
    {"check_name(IN name VARCHAR(80))", R"(BEGIN
  IF name IS NULL OR LENGTH(name) NOT BETWEEN 1 AND 32 OR BINARY name RLIKE '[^A-Za-z0-9_.-]' THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'a user name has 1 to 32 letters, digits, _, - and .';
  END IF;
  IF LOWER(name) IN ('root', 'mysql', 'mariadb', 'event_scheduler', 'public', LOWER({0}))
      OR LEFT(LOWER(name), 5) = 'mysos' OR LEFT(LOWER(name), 6) = 'mysql.' OR LEFT(LOWER(name), 8) = 'mariadb.' THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'this account is not yours to make or to change';
  END IF;
END)"},
    {"check_database(IN name VARCHAR(80))", R"(BEGIN
  IF name IS NULL OR LENGTH(name) NOT BETWEEN 1 AND 64 OR BINARY name RLIKE '[^A-Za-z0-9_$-]' THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'a database is named by 1 to 64 letters, digits, _, - and $, without patterns';
  END IF;
  IF LOWER(name) IN ('mysql', 'sys', 'performance_schema', 'information_schema', '{1}') THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'this database is not yours';
  END IF;
END)"},
    {"check_password(IN password VARCHAR(256))", R"(BEGIN
  IF IFNULL(password, '') = '' THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the password must not be empty';
  END IF;
END)"},
    {"create_user(IN name VARCHAR(80), IN password VARCHAR(256))", R"(BEGIN
  CALL {1}.check_name(name);
  CALL {1}.check_password(password);
  EXECUTE IMMEDIATE CONCAT('CREATE USER ', QUOTE(name), '@''%'' IDENTIFIED VIA mysql_native_password USING ',
                           QUOTE(CONCAT('*', UPPER(SHA1(UNHEX(SHA1(password)))))));
END)"},
    {"set_password(IN name VARCHAR(80), IN password VARCHAR(256))", R"(BEGIN
  CALL {1}.check_name(name);
  CALL {1}.check_password(password);
  EXECUTE IMMEDIATE CONCAT('ALTER USER ', QUOTE(name), '@''%'' IDENTIFIED VIA mysql_native_password USING ',
                           QUOTE(CONCAT('*', UPPER(SHA1(UNHEX(SHA1(password)))))));
END)"},
    {"drop_user(IN name VARCHAR(80))", R"(BEGIN
  CALL {1}.check_name(name);
  EXECUTE IMMEDIATE CONCAT('DROP USER ', QUOTE(name), '@''%''');
END)"},
    {"revoke_database(IN name VARCHAR(80), IN database_name VARCHAR(80))", R"(BEGIN
  CALL {1}.check_name(name);
  CALL {1}.check_database(database_name);
  EXECUTE IMMEDIATE CONCAT('REVOKE ALL PRIVILEGES ON `', REPLACE(database_name, '_', '\\_'), '`.* FROM ',
                           QUOTE(name), '@''%''');
END)"},
    {"grant_database(IN name VARCHAR(80), IN database_name VARCHAR(80), IN level VARCHAR(16))", R"(BEGIN
  DECLARE rights TEXT DEFAULT CASE level
    WHEN 'read' THEN 'SELECT, SHOW VIEW'
    WHEN 'write' THEN 'SELECT, INSERT, UPDATE, DELETE, EXECUTE, SHOW VIEW, CREATE TEMPORARY TABLES, LOCK TABLES'
    WHEN 'all' THEN 'SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, REFERENCES, INDEX, ALTER, CREATE TEMPORARY TABLES,
LOCK TABLES, EXECUTE, CREATE VIEW, SHOW VIEW, CREATE ROUTINE, ALTER ROUTINE, EVENT, TRIGGER'
  END;
  CALL {1}.check_name(name);
  CALL {1}.check_database(database_name);
  IF rights IS NULL THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the level is read, write or all';
  END IF;
  IF NOT EXISTS (SELECT 1 FROM mysql.global_priv WHERE User = BINARY name AND Host = '%') THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'there is no such user';
  END IF;
  IF EXISTS (SELECT 1 FROM mysql.db
             WHERE User = BINARY name AND Host = '%' AND Db = BINARY REPLACE(database_name, '_', '\\_')) THEN
    CALL {1}.revoke_database(name, database_name);
  END IF;
  EXECUTE IMMEDIATE CONCAT('GRANT ', rights, ' ON `', REPLACE(database_name, '_', '\\_'), '`.* TO ', QUOTE(name), '@''%''');
END)"},
};
static_assert(std::size(kAll) == kProcedures);

}  // namespace

std::vector<std::string> procedure_sql(const std::string& definer, std::string_view user) {
  std::vector<std::string> out = {fmt::format("CREATE DATABASE IF NOT EXISTS {} CHARACTER SET utf8mb4", kProcedureSchema)};
  // A procedure keeps the mode it was made in: a GRANT to an account that is not there must not make one without a password.
  out.emplace_back("SET SESSION sql_mode='NO_AUTO_CREATE_USER'");
  const std::string quoted_user = quote(user);
  for (const Procedure& p : kAll) {
    std::string body(p.body);
    const auto put = [&](std::string_view mark, std::string_view text) {
      for (auto at = body.find(mark); at != std::string::npos; at = body.find(mark, at + text.size())) {
        body.replace(at, mark.size(), text);
      }
    };
    put("{0}", quoted_user);
    put("{1}", kProcedureSchema);
    out.push_back(fmt::format("CREATE OR REPLACE DEFINER={} PROCEDURE {}.{} MODIFIES SQL DATA SQL SECURITY DEFINER "
                              "COMMENT {} {}",
                              definer, kProcedureSchema, p.head, quote(kProcedureForm), body));
  }
  out.emplace_back("SET SESSION sql_mode=''");
  return out;
}

}  // namespace mysos::mysql
