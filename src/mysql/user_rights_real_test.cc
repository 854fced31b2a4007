// SPDX-License-Identifier: Apache-2.0
// What the cluster's user can do on real servers, and cannot: the ways to become superuser, to stop replication, to leave the
// binlog out, to read the server's accounts. Each was tried by hand first; some worked before (docs/mysql.md, "Accounts").
#include <gtest/gtest.h>

#include <fmt/format.h>

#include <filesystem>
#include <map>

#include "base/fs.h"
#include "mysql/real_servers.h"

namespace mysos::mysql {
namespace {

using std::chrono::seconds;
using Statements = std::vector<std::string>;

class Rights : public testing::TestWithParam<FlavourKind> {
 protected:
  [[nodiscard]] static bool mysql() { return GetParam() == FlavourKind::kMysql; }
  void a_primary(std::map<std::string, std::string> settings = {}) {
    member_.emplace(io, GetParam(), 0);
    m().spec.user_settings = std::move(settings);
    m().make_and_start();
    ASSERT_TRUE(m().ops);
    m().promote(0, {});
    const Status made = m().await(m().ops->ensure_user(seconds(10)));
    ASSERT_TRUE(made) << made.error().message;
  }
  TestMember& m() { return *member_; }
  Result<Rows> as(const std::string& user, const std::string& password, const Statements& all) {
    Session session(io.get_executor(), {.host = "127.0.0.1", .port = m().port, .user = user, .password = password});
    MYSOS_TRY_VOID(m().await(session.connect(seconds(5))));
    Result<Rows> last = Rows{};
    for (const std::string& sql : all) {
      last = m().await(session.query(sql, seconds(10)));
      if (!last) return last;
    }
    return last;
  }
  Result<Rows> shop(const Statements& all) { return as(kTestSecrets.user, kTestSecrets.user_password, all); }
  void refused(const Statements& all, const std::string& user = kTestSecrets.user,
               const std::string& password = kTestSecrets.user_password) {
    for (const std::string& sql : all) EXPECT_FALSE(as(user, password, {sql})) << user << ": " << sql;
  }
  void works(const Statements& all) {
    const auto done = shop(all);
    EXPECT_TRUE(done) << all.front() << "...: " << done.error().message;
  }
  std::string admin(const std::string& sql) { return m().admin(sql).text(0, std::size_t{0}); }

  asio::io_context io;
  std::optional<TestMember> member_;
};
INSTANTIATE_TEST_SUITE_P(Flavours, Rights, testing::Values(FlavourKind::kMysql, FlavourKind::kMariadb),
                         [](const auto& i) { return std::string(enum_text(i.param)); });

const Statements kOnBoth = {
    // the server's own tables
    "SELECT * FROM mysql.user",
    "SELECT * FROM mysql.db",
    "UPDATE mysql.db SET Select_priv='Y'",
    "INSERT INTO d.copy SELECT * FROM mysql.db",
    "CREATE TABLE d.copied LIKE mysql.db",
    "CREATE VIEW d.v AS SELECT * FROM mysql.db",
    "CREATE TABLE mysql.t (i INT)",
    "DROP TABLE mysql.db",
    "RENAME TABLE d.t TO mysql.x",
    "LOCK TABLES mysql.db WRITE",
    "HANDLER mysql.db OPEN",
    "ANALYZE TABLE mysql.db",
    "CREATE TRIGGER sys.tt BEFORE INSERT ON sys.sys_config FOR EACH ROW SET NEW.value='1'",
    "UPDATE sys.sys_config SET value=1",
    "DROP DATABASE mysql",
    "DROP DATABASE sys",
    "ALTER DATABASE mysql DEFAULT CHARACTER SET latin1",
    "UPDATE performance_schema.setup_consumers SET enabled='YES'",
    // our accounts
    "ALTER USER mysos_admin@localhost IDENTIFIED BY 'x'",
    "RENAME USER mysos_admin@localhost TO adm@'%'",
    "DROP USER mysos_admin@localhost",
    "ALTER USER mysos_owner@localhost IDENTIFIED BY 'x'",
    "RENAME USER mysos_owner@localhost TO own@'%'",
    "RENAME USER mysos_monitor@localhost TO mon@'%'",
    "ALTER USER mysos_r1@'%' IDENTIFIED BY 'x'",
    "ALTER USER mysos_r1@'%' ACCOUNT LOCK",
    "DROP USER mysos_r1@'%'",
    "CREATE USER mysos_r0@'%' IDENTIFIED BY 'x'",
    "SET PASSWORD FOR mysos_admin@localhost = 'x'",
    "GRANT mysos_admin@localhost TO shop@'%'",
    "GRANT PROXY ON mysos_admin@localhost TO shop@'%'",
    "REVOKE ALL PRIVILEGES, GRANT OPTION FROM mysos_admin@localhost",
    "SHOW GRANTS FOR mysos_admin@localhost",
    // more rights
    "GRANT SUPER ON *.* TO shop@'%'",
    "GRANT ALL ON *.* TO shop@'%'",
    "GRANT ALL ON mysql.* TO shop@'%'",
    "GRANT REPLICATION SLAVE ON *.* TO shop@'%'",
    "GRANT RELOAD ON *.* TO shop@'%'",
    "GRANT FILE ON *.* TO shop@'%'",
    // other people's rights
    "CREATE DEFINER=mysos_admin@localhost PROCEDURE d.p() SELECT 1",
    "CREATE DEFINER=mysos_admin@localhost FUNCTION d.f() RETURNS INT RETURN 1",
    "CREATE DEFINER=mysos_admin@localhost VIEW d.v AS SELECT 1",
    "CREATE DEFINER=mysos_admin@localhost EVENT d.e ON SCHEDULE EVERY 1 SECOND DO SET GLOBAL read_only=OFF",
    "CREATE DEFINER=mysos_admin@localhost TRIGGER d.tr BEFORE INSERT ON d.t FOR EACH ROW SET NEW.i=1",
    "CREATE DEFINER=mysos_owner@localhost PROCEDURE d.p() SELECT 1",
    // what carries promises
    "SET SESSION sql_log_bin=0",
    "SET GLOBAL read_only=OFF",
    "SET GLOBAL sync_binlog=0",
    "SET GLOBAL innodb_flush_log_at_trx_commit=0",
    "SET GLOBAL event_scheduler=OFF",
    "SET GLOBAL init_connect='x'",
    "SET SESSION binlog_format=STATEMENT",
    "SET SESSION binlog_row_image=MINIMAL",
    "SET GLOBAL general_log=ON",
    "SET GLOBAL local_infile=ON",
    "PURGE BINARY LOGS TO 'binlog.000002'",
    "PURGE BINARY LOGS BEFORE NOW()",
    "FLUSH BINARY LOGS",
    "FLUSH TABLES",
    "FLUSH TABLES WITH READ LOCK",
    "FLUSH STATUS",
    "FLUSH PRIVILEGES",
    "SHUTDOWN",
    // files and code
    "SELECT 1 INTO OUTFILE 'x'",
    "LOAD DATA INFILE '/etc/passwd' INTO TABLE d.t",
    "CREATE FUNCTION f RETURNS STRING SONAME 'x.so'",
    "INSTALL PLUGIN x SONAME 'x.so'",
    "CREATE SERVER s FOREIGN DATA WRAPPER mysql OPTIONS (HOST 'x')",
    "BINLOG 'x'",
};

const Statements kOnMysql = {
    "SET GLOBAL super_read_only=OFF",
    "CREATE TABLE d.far (i INT) DATA DIRECTORY='/tmp'",
    "SET GLOBAL partial_revokes=OFF",
    "SET GLOBAL rpl_semi_sync_source_enabled=OFF",
    "SET GLOBAL rpl_semi_sync_source_timeout=1",
    "SET PERSIST max_connections=10",
    "SET PERSIST_ONLY gtid_mode=OFF",
    "SET SESSION gtid_next='aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa:5'",
    "SET GLOBAL gtid_purged='+aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa:5'",
    "RESET BINARY LOGS AND GTIDS",
    "STOP REPLICA",
    "RESET REPLICA ALL",
    "CHANGE REPLICATION SOURCE TO SOURCE_HOST='x'",
    "CLONE LOCAL DATA DIRECTORY '/tmp/x'",
    "RESTART",
    "INSTALL COMPONENT 'file://component_validate_password'",
    "LOCK INSTANCE FOR BACKUP",
    "ALTER INSTANCE DISABLE INNODB REDO_LOG",
    "CREATE TABLESPACE ts ADD DATAFILE '/tmp/x.ibd'",
    "GRANT SYSTEM_USER ON *.* TO shop@'%'",
    "GRANT SYSTEM_VARIABLES_ADMIN ON *.* TO shop@'%'",
    "GRANT SET_ANY_DEFINER ON *.* TO shop@'%'",
    "ALTER USER 'mysql.session'@localhost ACCOUNT UNLOCK",
    "GRANT 'mysql.session'@localhost TO shop@'%'",
    "GRANT SELECT ON mysql.user TO shop@'%'",
    "REVOKE SYSTEM_USER ON *.* FROM mysos_admin@localhost",
    "CREATE USER mysos_backup@'%' IDENTIFIED BY 'x'",
};

const Statements kOnMariadb = {
    "SELECT * FROM mysql.global_priv",
    "UPDATE mysql.global_priv SET Priv=JSON_SET(Priv, '$.access', 549755813887)",
    "SET STATEMENT sql_log_bin=0 FOR CREATE DATABASE x",
    "SET SESSION gtid_domain_id=5",
    "SET SESSION gtid_seq_no=5",
    "SET SESSION server_id=5",
    "SET GLOBAL gtid_slave_pos=''",
    "SET GLOBAL rpl_semi_sync_master_enabled=OFF",
    "RESET MASTER",
    "STOP SLAVE",
    "RESET SLAVE ALL",
    "CHANGE MASTER TO MASTER_HOST='x'",
    "CHANGE MASTER 'y' TO MASTER_HOST='x'",
    "BACKUP STAGE START",
    "INSTALL SONAME 'ha_connect'",
    "CREATE USER eve@'%' IDENTIFIED BY 'x'",
    "CREATE ROLE r",
    "GRANT SELECT ON d.* TO shop@'%'",
    "GRANT ALL ON `%`.* TO PUBLIC",
    "GRANT ALL ON `mysq_`.* TO shop@'%'",
    "GRANT SET USER ON *.* TO shop@'%'",
    "SET ROLE mysos_admin",
    "SHOW ENGINE INNODB STATUS",
    "CREATE DATABASE mysql2 COLLATE x",
    "DROP PROCEDURE mysos.create_user",
    "CREATE OR REPLACE PROCEDURE mysos.check_name(IN name VARCHAR(80)) SELECT 1",
    "CREATE TABLE mysos.t (i INT)",
    "DROP DATABASE mysos",
    "CALL mysos.create_user('mysos_admin', 'x')",
    "CALL mysos.create_user('MYSOS_R9', 'x')",
    "CALL mysos.create_user('root', 'x')",
    "CALL mysos.create_user('', 'x')",
    "CALL mysos.create_user('eve', '')",
    "CALL mysos.create_user('eve''@''%'' IDENTIFIED BY ''x''; --', 'x')",
    "CALL mysos.create_user('eve\n', 'x')",
    "CALL mysos.set_password('shop', 'x')",
    "CALL mysos.set_password('mysos_admin', 'x')",
    "CALL mysos.drop_user('shop')",
    "CALL mysos.drop_user('mariadb.sys')",
    "CALL mysos.grant_database('shop', 'd', 'all')",
    "CALL mysos.grant_database('nobody', 'd', 'all')",
    "CALL mysos.grant_database('app', 'mysql', 'read')",
    "CALL mysos.grant_database('app', '%', 'read')",
    "CALL mysos.grant_database('app', 'mysql`.* TO app@`%`; --', 'read')",
    "CALL mysos.grant_database('app', 'mysos', 'all')",
    "CALL mysos.grant_database('app', 'd', 'SUPER')",
};

// Attempts of accounts and roles that the user made, each with all that it could give it.
const Statements kBySecondUser = {
    "SELECT * FROM mysql.user",
    "SELECT * FROM mysql.db",
    "UPDATE mysql.user SET Super_priv='Y'",
    "UPDATE mysql.db SET Grant_priv='Y'",
    "GRANT SELECT ON mysql.* TO eve@'%'",
    "CREATE TABLE mysql.t (i INT)",
    "UPDATE performance_schema.setup_consumers SET enabled='NO'",
    "DROP VIEW sys.version",
    "ALTER USER mysos_admin@localhost IDENTIFIED BY 'x'",
    "SET SESSION sql_log_bin=0",
    "SET GLOBAL read_only=OFF",
};

TEST_P(Rights, NoStatementOfTheUserReachesWhatIsNotItsOwn) {
  a_primary();
  m().run(step::ShutOut{{MemberId("test-1")}, {}});
  works({"CREATE DATABASE d", "CREATE TABLE d.t (i INT PRIMARY KEY)", "CREATE TABLE d.copy (i INT)"});
  if (!mysql()) works({"CALL mysos.create_user('app', 'app-pw')"});
  const std::string before = admin(mysql() ? "SELECT COUNT(*) FROM mysql.user" : "SELECT COUNT(*) FROM mysql.global_priv");

  refused(kOnBoth);
  refused(mysql() ? kOnMysql : kOnMariadb);

  EXPECT_EQ(admin(mysql() ? "SELECT COUNT(*) FROM mysql.user" : "SELECT COUNT(*) FROM mysql.global_priv"), before);
  EXPECT_TRUE(shop({"SELECT 1"}));
}

// MySQL refuses the statement; MariaDB leaves the folder out, as of a dump that is restored elsewhere.
TEST_P(Rights, ATableCannotLieOutsideTheVolume) {
  a_primary();
  works({"CREATE DATABASE d"});
  const std::string folder = test_root() + "/elsewhere";
  ASSERT_TRUE(make_owned_dir(folder, m().spec.user, 0777));

  for (const char* engine : {"InnoDB", "MyISAM"}) {
    (void)shop({fmt::format("CREATE TABLE d.{} (i INT) ENGINE={} DATA DIRECTORY='{}'", engine, engine, folder)});
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder));
}

TEST_P(Rights, WhatTheUserMakesReachesNoFurtherThanTheUser) {
  a_primary();
  works({"CREATE DATABASE d", "CREATE DATABASE my_sql", "CREATE TABLE d.t (i INT PRIMARY KEY)"});
  if (mysql()) {
    works({"CREATE USER eve@'%' IDENTIFIED BY 'eve-pw'",
           "GRANT ALL ON `%`.* TO eve@'%' WITH GRANT OPTION",
           "GRANT ALL ON `mysq_`.* TO eve@'%' WITH GRANT OPTION",
           "GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, CREATE USER ON *.* TO eve@'%' WITH GRANT OPTION",
           "CREATE ROLE r", "GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, DROP ON *.* TO r", "GRANT ALL ON `%`.* TO r",
           "GRANT r TO eve@'%', shop@'%'",
           "SET DEFAULT ROLE ALL TO eve@'%'"});
    EXPECT_TRUE(as("eve", "eve-pw", {"SELECT * FROM d.t"}));
    EXPECT_FALSE(shop({"SET ROLE r", "SELECT * FROM mysql.user"}));
    EXPECT_FALSE(shop({"CREATE PROCEDURE d.p() SELECT * FROM mysql.user", "CALL d.p()"}));
    EXPECT_FALSE(shop({"CREATE SQL SECURITY DEFINER VIEW d.v AS SELECT * FROM mysql.user"}));
  } else {
    works({"CALL mysos.create_user('eve', 'eve-pw')", "CALL mysos.grant_database('eve', 'd', 'all')",
           "CALL mysos.grant_database('eve', 'my_sql', 'all')"});
    EXPECT_FALSE(as("eve", "eve-pw", {"CALL mysos.create_user('adam', 'x')"}));
    EXPECT_FALSE(as("eve", "eve-pw", {"CREATE DATABASE mine"}));
    EXPECT_FALSE(shop({"CREATE PROCEDURE d.p() SELECT * FROM mysql.global_priv", "CALL d.p()"}));
  }
  refused(kBySecondUser, "eve", "eve-pw");
}

// A pattern in a database's name must not widen a grant: `my_sql` is not `myXsql`.
TEST_P(Rights, FurtherAccountsCanBeMadeGivenRightsAndDropped) {
  a_primary();
  works({"CREATE DATABASE my_db", "CREATE DATABASE myxdb", "CREATE TABLE my_db.t (i INT PRIMARY KEY)",
         "CREATE TABLE myxdb.t (i INT PRIMARY KEY)"});
  if (mysql()) {
    works({"CREATE USER app@'%' IDENTIFIED BY 'app-pw'", "GRANT SELECT ON my_db.* TO app@'%'"});
  } else {
    works({"CALL mysos.create_user('app', 'app-pw')", "CALL mysos.grant_database('app', 'my_db', 'all')",
           "CALL mysos.grant_database('app', 'my_db', 'read')"});
  }
  EXPECT_TRUE(as("app", "app-pw", {"SELECT * FROM my_db.t"}));
  EXPECT_FALSE(as("app", "app-pw", {"SELECT * FROM myxdb.t"}));
  EXPECT_FALSE(as("app", "app-pw", {"INSERT INTO my_db.t VALUES (1)"}));

  if (mysql()) {
    works({"ALTER USER app@'%' IDENTIFIED BY 'other'", "REVOKE ALL ON my_db.* FROM app@'%'"});
  } else {
    works({"CALL mysos.set_password('app', 'other')", "CALL mysos.revoke_database('app', 'my_db')"});
  }
  EXPECT_FALSE(as("app", "app-pw", {"SELECT 1"}));
  EXPECT_TRUE(as("app", "other", {"SELECT 1"}));
  EXPECT_FALSE(as("app", "other", {"SELECT * FROM my_db.t"}));
  works({mysql() ? "DROP USER app@'%'" : "CALL mysos.drop_user('app')"});
  EXPECT_FALSE(as("app", "other", {"SELECT 1"}));
}

TEST_P(Rights, WhatApplicationsDoWorks) {
  a_primary();
  works({"CREATE DATABASE app", "USE app", "CREATE TABLE t (i INT PRIMARY KEY, j INT)", "CREATE INDEX j ON t (j)",
         "ALTER TABLE t ADD k INT", "CREATE PROCEDURE p() INSERT INTO t VALUES (1, 1, 1)",
         "CREATE FUNCTION f() RETURNS INT RETURN 7", "CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW SET NEW.j=NEW.j+1",
         "CREATE VIEW v AS SELECT * FROM t", "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO INSERT INTO t VALUES (9, 9, 9)",
         "CREATE DEFINER=shop@'%' PROCEDURE q() SELECT 1", "CALL p()", "CALL q()", "SELECT f()", "SELECT * FROM v",
         "CREATE TEMPORARY TABLE x (i INT)", "INSERT INTO x SELECT i FROM t", "DROP TEMPORARY TABLE x", "LOCK TABLES t WRITE",
         "UNLOCK TABLES", "ANALYZE TABLE t", "OPTIMIZE TABLE t", "CHECK TABLE t", "TRUNCATE t", "SHOW PROCESSLIST",
         "SHOW GRANTS",
         "SHOW CREATE PROCEDURE p", "SHOW DATABASES", "SHOW BINARY LOGS",
         "SELECT * FROM information_schema.processlist",
         "SELECT * FROM sys.version", "XA START 'x'", "INSERT INTO t VALUES (2, 2, 2)", "XA END 'x'", "XA COMMIT 'x' ONE PHASE",
         "DROP EVENT e", "DROP TRIGGER tr", "DROP DATABASE app"});
  EXPECT_EQ(admin("SELECT @@GLOBAL.log_bin_trust_function_creators"), "1");

  Session other = m().user_session();
  ASSERT_TRUE(m().await(other.connect(seconds(5))));
  EXPECT_TRUE(shop({fmt::format("KILL {}", other.connection_id())})) << "its own sessions";
  EXPECT_FALSE(m().await(other.query("SELECT 1", seconds(5))));
  works({mysql() ? "SET PASSWORD = 'another'" : "SET PASSWORD = PASSWORD('another')"});
  EXPECT_TRUE(as("shop", "another", {"SELECT 1"}));
}

std::string file_that_holds(const std::string& dir, const std::vector<std::string>& secrets) {
  for (const auto& entry : std::filesystem::recursive_directory_iterator(dir)) {
    if (!entry.is_regular_file()) continue;
    const auto text = read_file(entry.path().string());
    if (!text) continue;
    for (const std::string& s : secrets) {
      if (text->find(s) != std::string::npos) return entry.path().string() + ": " + s;
    }
  }
  return {};
}

TEST_P(Rights, NoPasswordStandsInAnyFileOfTheServer) {
  a_primary({{"general_log", "ON"}, {"slow_query_log", "ON"}, {"long_query_time", "0"}});
  m().run(step::ShutOut{{MemberId("test-1")}, {MemberId("test-2")}});
  ASSERT_TRUE(shop({"SELECT 1"}));
  m().admin("FLUSH LOCAL LOGS");

  std::vector<std::string> secrets = {"op\\pw", "min\\1", "in\\\\1", "op\\\\pw", backup_password(kTestSecrets)};
  for (const char* id : {"test-0", "test-1", "test-2"}) secrets.push_back(replication_password(kTestSecrets, MemberId(id)));
  EXPECT_EQ(file_that_holds(m().spec.layout.dir, secrets), "");
  EXPECT_NE(file_that_holds(m().spec.layout.dir, {user_sql(flavour(GetParam()), kTestSecrets).front().substr(0, 12)}), "")
      << "the general log is looked at";
}

// As an earlier version made it.
TEST_P(Rights, AnAccountWithOlderRightsGetsTodays) {
  a_primary();
  m().admin("GRANT ALL PRIVILEGES ON `%`.* TO shop@'%' WITH GRANT OPTION");
  m().admin("GRANT EXECUTE ON mysql.* TO shop@'%' WITH GRANT OPTION");
  m().admin("GRANT PROCESS, CREATE USER, RELOAD ON *.* TO shop@'%' WITH GRANT OPTION");
  const auto before = m().await(m().ops->user_is_there(seconds(5)));
  ASSERT_TRUE(before && !*before);

  const Status made = m().await(m().ops->ensure_user(seconds(10)));
  ASSERT_TRUE(made) << made.error().message;

  const auto now = m().await(m().ops->user_is_there(seconds(5)));
  EXPECT_TRUE(now && *now);
  refused({"FLUSH PRIVILEGES", "SELECT * FROM mysql.db", "RENAME USER mysos_admin@localhost TO adm@'%'"});
  works({"CREATE DATABASE d", "CREATE TABLE d.t (i INT)"});
}

}  // namespace
}  // namespace mysos::mysql
