// SPDX-License-Identifier: Apache-2.0
// What somebody changes of a real server is seen, named and repaired; and a new password of the user's while the old one
// stays valid.
#include <gtest/gtest.h>

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <sstream>

#include "mysql/guarded_primary.h"

namespace mysos::mysql {
namespace {

using std::chrono::seconds;

class Guarded : public GuardedPrimary {
 protected:
  void mend() {
    const auto found = look();
    const Status here = m().await(m().ops->mend_here(found, seconds(5)));
    EXPECT_TRUE(here) << here.error().message;
    const Status all = m().await(m().ops->mend_replicated(found, seconds(5)));
    EXPECT_TRUE(all) << all.error().message;
  }
  bool password_is_set() {
    const auto set = m().await(m().ops->user_password_is_set(seconds(5)));
    EXPECT_TRUE(set) << (set ? "" : set.error().message);
    return set && *set;
  }
  bool user_logs_in(const std::string& password) { return logs_in(kTestSecrets.user, password); }
};
INSTANTIATE_TEST_SUITE_P(Flavours, Guarded, testing::Values(FlavourKind::kMysql, FlavourKind::kMariadb),
                         [](const auto& i) { return std::string(enum_text(i.param)); });

struct Change {
  std::string_view sql;
  std::string_view seen;
};
// On either flavour, by somebody who came in over the socket.
constexpr Change kChanges[] = {
    {"SET GLOBAL sync_binlog=0", "sync_binlog was '0'"},
    {"SET GLOBAL innodb_flush_log_at_trx_commit=2", "innodb_flush_log_at_trx_commit was '2'"},
    {"SET GLOBAL init_connect='SET @a=1'", "init_connect was 'SET @a=1'"},
    {"SET GLOBAL binlog_row_image=MINIMAL", "binlog_row_image was 'MINIMAL'"},
    {"ALTER USER mysos_owner@localhost ACCOUNT LOCK", "'mysos_owner'@'localhost' was locked"},
    {"DROP USER mysos_monitor@localhost", "'mysos_monitor'@'localhost' was gone"},
    {"RENAME USER mysos_monitor@localhost TO mysos_mon@localhost", "'mysos_mon'@'localhost' was made"},
    {"REVOKE CREATE USER ON *.* FROM mysos_owner@localhost", "'mysos_owner'@'localhost' had other rights"},
    {"ALTER USER mysos_admin@localhost ACCOUNT LOCK", "'mysos_admin'@'localhost' was locked"},
    {"ALTER USER mysos_r1@'%' ACCOUNT LOCK", "'mysos_r1'@'%' was changed"},
    {"ALTER USER mysos_r2@'%' ACCOUNT UNLOCK", "'mysos_r2'@'%' was changed"},
    {"GRANT RELOAD ON *.* TO mysos_r1@'%'", "'mysos_r1'@'%' was changed"},
    {"DROP USER mysos_r1@'%'", "'mysos_r1'@'%' was changed"},
    {"CREATE USER mysos_x@'%' IDENTIFIED BY 'x'", "'mysos_x'@'%' was made"},
    {"CREATE USER mysos_admin@'%' IDENTIFIED BY 'x'", "'mysos_admin'@'%' was made"},
    {"CREATE USER mysos_r9@'%' IDENTIFIED BY 'x'", "'mysos_r9'@'%' was made"},
    {"CREATE USER ''@'127.0.0.1'", "''@'127.0.0.1' was made"},
    {"GRANT RELOAD ON *.* TO eve@'%'", "'eve'@'%' had more rights"},
    {"GRANT SELECT ON mysql.* TO eve@'%'", "'eve'@'%' had more rights"},
    {"GRANT SELECT ON *.* TO eve@'%'", "'eve'@'%' had more rights"},
    {"GRANT ALL ON *.* TO eve@'%' WITH GRANT OPTION", "'eve'@'%' had more rights"},
    {"GRANT SHUTDOWN ON *.* TO shop@'%'", "'shop'@'%' has not the rights"},
    {"ALTER USER shop@'%' ACCOUNT LOCK", "'shop'@'%' has not the rights"},
    {"DROP USER shop@'%'", "'shop'@'%' has not the rights"},
    {"REVOKE ALL PRIVILEGES, GRANT OPTION FROM shop@'%'", "'shop'@'%' has not the rights"},
};

TEST_P(Guarded, WhatIsChangedIsSeenNamedAndPutRight) {
  a_primary();
  m().admin("CREATE USER eve@'%' IDENTIFIED BY 'x'");
  EXPECT_EQ(seen(), "");

  for (const Change& change : kChanges) {
    m().admin(std::string(change.sql));
    EXPECT_NE(seen().find(change.seen), std::string::npos) << change.sql << ":\n" << seen();
    mend();
    EXPECT_EQ(seen(), "") << "after " << change.sql;
  }
  EXPECT_TRUE(user_logs_in(kTestSecrets.user_password));
  m().admin("ALTER USER mysos_owner@localhost IDENTIFIED BY 'x'");
  EXPECT_NE(seen().find("'mysos_owner'@'localhost' had another password"), std::string::npos);
  mend();
  EXPECT_EQ(seen(), "");
}

constexpr std::string_view kProxyOfAny =
    "INSERT INTO mysql.proxies_priv (Host, User, Proxied_host, Proxied_user, With_grant, Grantor) "
    "VALUES ('%', 'eve', '', '', 0, '')";

TEST_P(Guarded, WhoMayActAsOneOfOursIsSeenAndStopped) {
  a_primary();
  m().admin("CREATE USER eve@'%' IDENTIFIED BY 'x'");
  const std::vector<Change> ties =
      mysql() ? std::vector<Change>{{"GRANT PROXY ON mysos_admin@localhost TO eve@'%'",
                                     "'eve'@'%' could act as the account 'mysos_admin'@'localhost' (proxies_priv)"},
                                    {kProxyOfAny, "'eve'@'%' could act as any account (proxies_priv)"},
                                    {"GRANT mysos_admin@localhost TO eve@'%'",
                                     "'eve'@'%' could act as the account 'mysos_admin'@'localhost' (role_edges)"},
                                    {"GRANT eve@'%' TO mysos_r1@'%'",
                                     "'mysos_r1'@'%' could act as the account 'eve'@'%' (role_edges)"}}
              : std::vector<Change>{{"GRANT PROXY ON mysos_admin@localhost TO eve@'%'",
                                     "'eve'@'%' could act as the account 'mysos_admin'@'localhost' (proxies_priv)"},
                                    {"CREATE ROLE helper", "'mysos_admin'@'localhost' could act as"},
                                    {kProxyOfAny, "'eve'@'%' could act as any account (proxies_priv)"},
                                    {"CREATE ROLE other WITH ADMIN mysos_r1@'%'", "'mysos_r1'@'%' could act as"}};
  for (const Change& tie : ties) {
    m().admin(std::string(tie.sql));
    EXPECT_NE(seen().find(tie.seen), std::string::npos) << tie.sql << ":\n" << seen();
    mend();
    EXPECT_EQ(seen(), "") << "after " << tie.sql;
  }
  if (mysql()) {
    m().admin("GRANT mysos_admin@localhost TO eve@'%'");
    m().admin("SET DEFAULT ROLE ALL TO eve@'%'");
    mend();
    EXPECT_EQ(seen(), "");
  }
}

// Processor time of the server, in clock ticks.
long ticks_of(pid_t pid) {
  std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
  std::string text((std::istreambuf_iterator<char>(stat)), {});
  std::istringstream fields(text.substr(text.rfind(')') + 1));
  std::string skipped;
  for (int i = 0; i < 11; ++i) fields >> skipped;
  long user = 0, system = 0;
  fields >> user >> system;
  return user + system;
}

// The executor looks once a second.
TEST_P(Guarded, ALookTakesLittleOfTheServersTime) {
  constexpr int kLooks = 200;
  a_primary();
  const long before = ticks_of(m().process->pid());
  for (int i = 0; i < kLooks; ++i) EXPECT_TRUE(look().empty());
  const auto ticks = static_cast<double>(ticks_of(m().process->pid()) - before);
  const double ms = 1000.0 * ticks / static_cast<double>(::sysconf(_SC_CLK_TCK)) / kLooks;
  RecordProperty("server_ms_per_look", std::to_string(ms));
  std::printf("%.2f ms of the server's processor time a look\n", ms);
  EXPECT_LT(ms, 20);
}

// On a replica, too, where nothing may be written to the binlog.
TEST_P(Guarded, OnAReplicaSuchATieIsCutWithoutBinlog) {
  a_primary();
  m().admin("CREATE USER eve@'%' IDENTIFIED BY 'x'");
  m().admin("GRANT PROXY ON mysos_admin@localhost TO eve@'%'");
  m().run(step::SetReadOnly{true});
  const GtidSet before = m().read().executed;
  mend();
  EXPECT_EQ(seen(), "");
  EXPECT_EQ(m().read().executed, before);
}

TEST_P(Guarded, AReplicaIsMendedWithoutBecomingWritable) {
  a_primary();
  m().run(step::SetReadOnly{true});
  const GtidSet before = m().read().executed;
  if (mysql()) {
    m().admin("SET GLOBAL super_read_only=OFF");
    EXPECT_EQ(seen(), "super_read_only was 0\n");
    mend();
  }
  m().admin("SET GLOBAL sync_binlog=0");
  mend();
  EXPECT_EQ(seen(), "");
  EXPECT_TRUE(m().read().read_only);
  EXPECT_EQ(m().read().executed, before);
  EXPECT_FALSE(m().user("CREATE DATABASE x"));
  if (mysql()) EXPECT_EQ(m().admin("SELECT @@GLOBAL.super_read_only").text(0, std::size_t{0}), "1");
}

// The one thing of all these that a user can do: on MySQL, make an account.
TEST_P(Guarded, SessionsOfAnAccountThatPosesAsOursAreEnded) {
  if (!mysql()) return;
  a_primary();
  ASSERT_TRUE(m().user("CREATE USER mysos_x@'%' IDENTIFIED BY 'x'"));
  Session poser(io.get_executor(), {.host = "127.0.0.1", .port = m().port, .user = "mysos_x", .password = "x"});
  ASSERT_TRUE(m().await(poser.connect(seconds(5))));

  mend();

  EXPECT_EQ(seen(), "");
  EXPECT_FALSE(m().await(poser.query("SELECT 1", seconds(5))));
  EXPECT_FALSE(m().await(poser.connect(seconds(5))));
}

TEST_P(Guarded, TheOldPasswordIsValidUntilItIsRetired) {
  a_primary();
  const Flavour& f = flavour(GetParam());
  const std::string old = kTestSecrets.user_password;
  Secrets told = for_member(f, kTestSecrets);
  const auto rotate = [&](const std::string& password, bool keep) {
    told.old_user_verifier = keep ? told.user_verifier : "";
    if (!password.empty()) told.user_verifier = verifier_of(f, told, told.user, password);
    told.user_version += 1;
    told.user_pending = true;
    m().ops->use_secrets(told);
    EXPECT_FALSE(password_is_set());
    ensure_user();
    EXPECT_TRUE(password_is_set());
    const GtidSet before = m().read().executed;
    ensure_user();
    EXPECT_EQ(m().read().executed, before) << "it is there: nothing is written";
  };

  rotate("second", true);
  EXPECT_TRUE(user_logs_in(old) && user_logs_in("second"));
  rotate("third", true);
  EXPECT_FALSE(user_logs_in(old)) << "two at a time";
  EXPECT_TRUE(user_logs_in("second") && user_logs_in("third"));
  rotate("", false);
  EXPECT_FALSE(user_logs_in("second"));
  EXPECT_TRUE(user_logs_in("third"));

  m().admin(mysql() ? "ALTER USER shop@'%' IDENTIFIED BY 'own'" : "SET PASSWORD FOR shop@'%' = PASSWORD('own')");
  rotate("fourth", true);
  EXPECT_TRUE(user_logs_in("fourth") && user_logs_in("third"));
  EXPECT_FALSE(user_logs_in("own"));
}

}  // namespace
}  // namespace mysos::mysql
