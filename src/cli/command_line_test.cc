// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "base/fs.h"
#include "cli/options.h"
#include "cli/text.h"

namespace mysos::cli {
namespace {

template <class T>
T parsed(std::vector<std::string> words) {
  auto command = parse_command_line(std::move(words));
  EXPECT_TRUE(command) << command.error().message;
  if (command && std::holds_alternative<T>(*command)) return std::get<T>(*command);
  ADD_FAILURE() << "another command";
  return T{};
}
std::string refused(std::vector<std::string> words) {
  const auto command = parse_command_line(std::move(words));
  EXPECT_FALSE(command);
  if (command) return "";
  EXPECT_EQ(command.error().code, Errc::kInvalid);
  return command.error().message;
}

TEST(CommandLine, UpHasItsDefaults) {
  const auto up = parsed<Up>({"up"});
  EXPECT_EQ(up.agents, 3u);
  EXPECT_EQ(up.on_exit, OnExit::kStop);
  EXPECT_EQ(up.server.port, 8080);
  EXPECT_EQ(up.server.listen, "127.0.0.1");
  EXPECT_EQ(up.server.reader_idle_limit_s, 300u);
  EXPECT_FALSE(refused({"up", "--reader-idle-limit=-1"}).empty());
  EXPECT_EQ(up.server.cotton, CottonApi::kToken);
  EXPECT_EQ(up.server.mysql_roots, std::vector<std::string>{"/"});
}

TEST(CommandLine, UpTakesItsFlags) {
  const auto up = parsed<Up>({"up", "--dir=/d", "--port", "9", "--agents=1", "--on-exit=keep",
                              "--mysql-root=/a", "--mysql-root=/b", "--cotton-api=open",
                              "--log-format=json", "--cgroups=off", "--reader-idle-limit=60"});
  EXPECT_EQ(up.server.dir, "/d");
  EXPECT_EQ(up.server.port, 9);
  EXPECT_EQ(up.agents, 1u);
  EXPECT_EQ(up.on_exit, OnExit::kKeep);
  EXPECT_EQ(up.server.mysql_roots, (std::vector<std::string>{"/a", "/b"}));
  EXPECT_EQ(up.server.cotton, CottonApi::kOpen);
  EXPECT_EQ(up.server.log_format, LogFormat::kJson);
  EXPECT_FALSE(up.cgroups);
  EXPECT_EQ(up.server.reader_idle_limit_s, 60u);
}

TEST(CommandLine, SuggestsTheNearestFlagAndCommand) {
  EXPECT_NE(refused({"up", "--agnets=3"}).find("--agents"), std::string::npos);
  EXPECT_NE(refused({"create", "shop", "--membres=3"}).find("--members"), std::string::npos);
  EXPECT_NE(refused({"crate", "shop"}).find("create"), std::string::npos);
  EXPECT_NE(refused({"show", "a", "b"}).find("'b'"), std::string::npos);
}

TEST(CommandLine, SaysWhatIsWrongWithAValue) {
  EXPECT_NE(refused({"up", "--agents=0"}).find("agents"), std::string::npos);
  EXPECT_NE(refused({"up", "--on-exit=maybe"}).find("keep"), std::string::npos);
  EXPECT_NE(refused({"up", "--port=x"}).find("port"), std::string::npos);
  for (const char* host : {"a:80", "http://a", "a b", "", "*"}) {
    EXPECT_NE(refused({"up", std::string("--allowed-host=") + host}).find("--allowed-host"), std::string::npos) << host;
  }
  EXPECT_NE(refused({"create"}).find("name"), std::string::npos);
  EXPECT_NE(refused({"scheduler"}).find("--master"), std::string::npos);
  EXPECT_NE(refused({"scheduler", "--master=nowhere"}).find("HOST:PORT"), std::string::npos);
}

TEST(CommandLine, TakesSeveralMasters) {
  const auto scheduler = parsed<Scheduler>({"scheduler", "--master=a:1,b:2"});
  ASSERT_EQ(scheduler.masters.size(), 2u);
  EXPECT_EQ(scheduler.masters[1], (Endpoint{"b", 2}));
}

TEST(CommandLine, TheSchedulerTakesACredential) {
  const auto none = parsed<Scheduler>({"scheduler", "--master=a:1"});
  EXPECT_EQ(none.principal, "mysos");
  EXPECT_TRUE(none.secret_file.empty());
  const auto given = parsed<Scheduler>({"scheduler", "--master=a:1", "--principal=p", "--secret-file=/etc/s"});
  EXPECT_EQ(given.principal, "p");
  EXPECT_EQ(given.secret_file, "/etc/s");
  EXPECT_NE(refused({"scheduler", "--master=a:1", "--principal=a:b"}).find("colon"), std::string::npos);
}

TEST(CommandLine, TheUserOfTheServersIsTakenByAllThatStartThem) {
  EXPECT_EQ(parsed<Up>({"up", "--mysql-user=db"}).server.mysql_user, "db");
  EXPECT_EQ(parsed<Scheduler>({"scheduler", "--master=a:1", "--mysql-user=db"}).server.mysql_user, "db");
  EXPECT_EQ(parsed<Executor>({"executor", "--mysql-user=db"}).mysql_user, "db");
  EXPECT_TRUE(parsed<Up>({"up"}).server.mysql_user.empty());
}

TEST(CommandLine, ACommandThatIsOneCallOfTheApiFollowsFromItsFields) {
  const auto anew = parsed<Call>({"register", "-o", "json"});
  EXPECT_EQ(anew.form->words.operation, "register");
  EXPECT_TRUE(anew.client.json);
  EXPECT_TRUE(anew.body.empty());

  const auto any = parsed<Call>({"switchover", "shop"});
  EXPECT_EQ(any.form->words.operation, "switchover");
  EXPECT_EQ(any.name, "shop");
  EXPECT_TRUE(any.body.empty());
  EXPECT_FALSE(any.wait);

  const auto forced = parsed<Call>({"failover", "shop", "--to=shop-1", "--accept-loss", "--wait", "--timeout=7"});
  EXPECT_EQ(forced.body, (json::object{{"to", "shop-1"}, {"accept_loss", true}}));
  EXPECT_TRUE(forced.wait);
  EXPECT_EQ(forced.timeout, std::chrono::seconds(7));

  const auto promotion = parsed<Call>({"promotion", "shop", "shop-1", "avoid"});
  EXPECT_EQ(promotion.name, "shop");
  EXPECT_EQ(promotion.body, (json::object{{"member", "shop-1"}, {"promotion", "avoid"}}));
}

TEST(CommandLine, ACallSaysWhatItLacksAndWhatItDoesNotKnow) {
  EXPECT_NE(refused({"switchover"}).find("name"), std::string::npos);
  EXPECT_NE(refused({"promotion", "shop", "shop-1"}).find("promotion"), std::string::npos);
  EXPECT_NE(refused({"promotion", "shop", "shop-1", "never"}).find("avoid"), std::string::npos);
  EXPECT_NE(refused({"failover", "shop", "--accept-los"}).find("--accept-loss"), std::string::npos);
  EXPECT_NE(refused({"promotion", "shop", "shop-1", "avoid", "--wait"}).find("--wait"), std::string::npos);
  EXPECT_NE(refused({"register", "shop"}).find("'shop'"), std::string::npos);
}

TEST(CommandLine, EachCallHasHelp) {
  for (const CommandForm& form : command_forms()) {
    if (form.words.verb.empty()) continue;
    const std::string help = parsed<Say>({std::string(form.words.verb), "--help"}).text;
    EXPECT_NE(help.find(form.words.help), std::string::npos) << help;
    for (const BodyField& field : form.body) EXPECT_NE(help.find(form.words_of(field).word), std::string::npos) << help;
  }
}

TEST(CommandLine, OrphansAreListedAdoptedAndDestroyed) {
  const auto adopt = parse_command_line({"orphans", "adopt", "shop", "--as", "store"});
  ASSERT_TRUE(adopt) << adopt.error().message;
  EXPECT_EQ(std::get<Orphans>(*adopt).id, "shop");
  EXPECT_EQ(std::get<Orphans>(*adopt).as, "store");
  EXPECT_EQ(std::get<Orphans>(*parse_command_line({"orphans"})).action, "list");
  EXPECT_FALSE(parse_command_line({"orphans", "adopt"}));
  EXPECT_FALSE(parse_command_line({"orphans", "list", "shop"}));
  EXPECT_FALSE(parse_command_line({"orphans", "destroy", "x", "--as", "store"}));
}

TEST(CommandLine, TheStateIsCopiedAndPutBackWithoutAScheduler) {
  const auto backup = parse_command_line({"backup-state", "/backup/1", "--dir", "/state"});
  ASSERT_TRUE(backup) << backup.error().message;
  EXPECT_EQ(std::get<BackupState>(*backup).to, "/backup/1");
  EXPECT_EQ(std::get<BackupState>(*backup).dir, "/state");
  EXPECT_FALSE(parse_command_line({"backup-state"}));
  EXPECT_EQ(std::get<RestoreState>(*parse_command_line({"restore-state", "/backup/1"})).from, "/backup/1");
}

TEST(CommandLine, AnEmptyStateDirectoryIsNotTheDefaultOne) {
  const std::vector<std::vector<std::string>> all = {{"up", "--dir", ""},
                                                     {"scheduler", "--master", "127.0.0.1:5050", "--dir", ""},
                                                     {"backup-state", "/backup/1", "--dir", ""},
                                                     {"restore-state", "/backup/1", "--dir", ""}};
  for (const std::vector<std::string>& words : all) {
    const auto refused = parse_command_line(words);
    ASSERT_FALSE(refused) << words.front();
    EXPECT_NE(refused.error().message.find("--dir"), std::string::npos) << refused.error().message;
  }
}

TEST(CommandLine, LeavesWhatFollowsTwoDashesToTheClient) {
  const auto connect =
      parsed<Connect>({"connect", "shop", "-e", "select 1", "--", "--table", "-N"});
  EXPECT_EQ(connect.name, "shop");
  EXPECT_EQ(connect.execute, "select 1");
  EXPECT_EQ(connect.more, (std::vector<std::string>{"--table", "-N"}));
  EXPECT_NE(refused({"show", "shop", "--", "-N"}).find("-N"), std::string::npos);
}

TEST(CommandLine, HelpAndVersionAreSaid) {
  EXPECT_NE(parsed<Say>({}).text.find("mysos up"), std::string::npos);
  EXPECT_NE(parsed<Say>({"--help"}).text.find("create"), std::string::npos);
  EXPECT_NE(parsed<Say>({"create", "--help"}).text.find("Examples"), std::string::npos);
  EXPECT_EQ(parsed<Say>({"--version"}).text.substr(0, 6), "mysos ");
  EXPECT_EQ(parsed<Create>({"create", "a", "--version", "mysql-9.7"}).version, "mysql-9.7");
}

struct ConfigFile : ::testing::Test {
  std::string file = (std::filesystem::temp_directory_path() /
                      ("mysos-cli-" + std::to_string(::getpid()) + ".toml"))
                         .string();
  void TearDown() override { std::filesystem::remove(file); }
  void write(std::string_view text) { ASSERT_TRUE(write_file_atomic(file, text)); }
};

TEST_F(ConfigFile, GivesFlagsThatTheCommandLineOverrides) {
  write("port = 9000\nagents = 2\nmysql-root = [\"/a\", \"/b\"]\non-exit = \"keep\"\n");
  const auto up = parsed<Up>({"up", "--config", file, "--agents=4"});
  EXPECT_EQ(up.server.port, 9000);
  EXPECT_EQ(up.agents, 4u);
  EXPECT_EQ(up.server.mysql_roots, (std::vector<std::string>{"/a", "/b"}));
  EXPECT_EQ(up.on_exit, OnExit::kKeep);
}

TEST_F(ConfigFile, StandsBelowTheEnvironmentAndAboveDefaults) {
  write("dir = \"/file\"\nallowed-host = [\"a.example\", \"B.example\"]\n");
  ::unsetenv("MYSOS_DIR");
  EXPECT_EQ(parsed<Up>({"up"}).server.dir, default_dir());
  EXPECT_EQ(parsed<Up>({"up", "--config", file}).server.dir, "/file");
  ::setenv("MYSOS_DIR", "/environment", 1);
  EXPECT_EQ(parsed<Up>({"up", "--config", file}).server.dir, "/environment");
  EXPECT_EQ(parsed<Up>({"up", "--config", file, "--dir=/flag"}).server.dir, "/flag");
  ::unsetenv("MYSOS_DIR");
  EXPECT_EQ(parsed<Up>({"up", "--config", file}).server.allowed_hosts, (std::vector<std::string>{"a.example", "b.example"}));
}

TEST_F(ConfigFile, NamesAKeyThatIsNotThereAndTheNearest) {
  write("agnets = 2\n");
  const std::string said = refused({"up", "--config", file});
  EXPECT_NE(said.find("agnets"), std::string::npos);
  EXPECT_NE(said.find("'agents'"), std::string::npos) << said;
}

TEST_F(ConfigFile, NamesTheLineThatIsNoToml) {
  write("port = 9000\nagents = = 2\n");
  EXPECT_NE(refused({"up", "--config", file}).find("line 2"), std::string::npos);
  EXPECT_FALSE(parse_command_line({"up", "--config", "/nonexistent/mysos.toml"}));
}

TEST(Text, LinesColumnsUp) {
  EXPECT_EQ(table({{"A", "LONG"}, {"wider", "x"}}), "A      LONG\nwider  x\n");
}

TEST(Text, LetsNothingSteerTheTerminal) {
  EXPECT_EQ(text_of({{"k", "a\x1b[31mb\n"}}, "k"), "a [31mb ");
  EXPECT_EQ(text_of({{"k", nullptr}}, "k"), "");
  EXPECT_EQ(text_of({{"k", 0.5}}, "k"), "0.5");
}

TEST(Text, AnEventSaysWhoAskedForIt) {
  json::object event{{"time", "now"}, {"cluster", "shop"}, {"member", ""}, {"kind", "failover_requested"}, {"message", "why"}};
  EXPECT_EQ(event_text(event), "now shop failover_requested: why\n");
  event["by"] = json::object{{"who", "admin"}, {"from", "10.0.0.7"}};
  EXPECT_EQ(event_text(event), "now shop failover_requested: why (by admin from 10.0.0.7)\n");
  event["by"] = json::object{{"who", "mysos"}};
  EXPECT_EQ(event_text(event), "now shop failover_requested: why (by mysos)\n");
}

TEST(Text, FillsInWhatASentenceNames) {
  const json::object body{{"member", "a-1"}};
  const json::object answer{{"member", "other"}, {"state", "healthy"}};
  EXPECT_EQ(filled_in("{member} is {state}.", body, answer), "a-1 is healthy.");
  EXPECT_EQ(filled_in("Nothing", body, answer), "Nothing");
  EXPECT_EQ(filled_in("{none}", body, answer), "");
}

TEST(Text, ATextThatAServerTellsBesidesIsShownByItsName) {
  const json::object cluster{{"name", "shop"},     {"password", "secret"}, {"doubt", "old"},
                             {"any_engine", true}, {"on_call", "anna"},    {"empty", ""}};
  const std::string text = cluster_text(cluster);
  EXPECT_NE(text.find("On call   anna"), std::string::npos) << text;
  for (const char* other : {"secret", "old", "true", "Empty"}) EXPECT_EQ(text.find(other), std::string::npos) << text;
}

TEST(Text, TellsProgress) {
  const json::object cluster{{"name", "shop"},
                             {"state", "creating"},
                             {"waiting_for", "offers"},
                             {"members", json::array{json::object{{"state", "running"}},
                                                     json::object{{"state", "wanted"}}}}};
  EXPECT_EQ(progress_text(cluster), "shop is creating: 1 of 2 servers running, waiting for offers");
}

}  // namespace
}  // namespace mysos::cli
