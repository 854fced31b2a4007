// SPDX-License-Identifier: Apache-2.0
#include "cli/client_options.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "base/fs.h"
#include "base/test_dir.h"
#include "cli/api_client.h"

namespace mysos::cli {
namespace {

ClientOptions options_of(const ClientSource& flags, const ClientSource& environment) {
  const auto options = client_options(flags, environment, "/default");
  EXPECT_TRUE(options) << options.error().message;
  return options.value_or(ClientOptions{});
}

// Every combination of what may be given. The expected values are read from lists, most important first.
TEST(ClientOptions, AFlagBeatsTheEnvironmentAlways) {
  for (unsigned given = 0; given < 256; ++given) {
    const auto has = [&](unsigned bit) { return (given >> bit & 1U) != 0; };
    const auto put = [&](unsigned bit, const char* text) { return has(bit) ? std::optional<std::string>(text) : std::nullopt; };
    const ClientSource flags{put(0, "flag-url"), put(1, "flag-token"), put(2, "flag-file"), put(3, "/flag-dir")};
    const ClientSource environment{put(4, "env-url"), put(5, "env-token"), put(6, "env-file"), put(7, "/env-dir")};
    if (has(1) && has(2)) {
      EXPECT_EQ(client_options(flags, environment, "/default").error().code, Errc::kInvalid);
      continue;
    }
    const std::string url = has(0) ? "flag-url" : has(3) ? "" : has(4) ? "env-url" : "";  // "": that of the directory
    const std::string token = has(1) ? "flag-token" : has(2) || has(3) ? "" : has(5) ? "env-token" : "";
    const std::string file = has(1) ? "" : has(2) ? "flag-file" : has(3) || has(5) ? "" : has(6) ? "env-file" : "";
    const std::string dir = has(3) ? "/flag-dir" : has(7) ? "/env-dir" : "/default";

    const ClientOptions got = options_of(flags, environment);

    EXPECT_EQ(got.url, url) << given;
    EXPECT_EQ(got.token, token) << given;
    EXPECT_EQ(got.token_file, file) << given;
    EXPECT_EQ(got.dir, dir) << given;
  }
}

TEST(ClientOptions, AnEmptyFlagIsRefusedByName) {
  const std::optional<std::string> empty("");
  for (const auto& [flags, name] : {std::pair(ClientSource{.url = empty}, "--url"),
                                    std::pair(ClientSource{.token = empty}, "--token"),
                                    std::pair(ClientSource{.token_file = empty}, "--token-file"),
                                    std::pair(ClientSource{.dir = empty}, "--dir")}) {
    const auto refused = client_options(flags, {}, "/default");
    ASSERT_FALSE(refused) << name;
    EXPECT_NE(refused.error().message.find(name), std::string::npos);
  }
}

// Sets the variables for one test.
struct Environment : ::testing::Test {
  static constexpr const char* kNames[] = {"MYSOS_URL", "MYSOS_TOKEN", "MYSOS_TOKEN_FILE", "MYSOS_DIR"};
  void SetUp() override { TearDown(); }
  void TearDown() override {
    for (const char* name : kNames) ::unsetenv(name);
  }
  static ClientOptions of_delete(std::vector<std::string> flags) {
    flags.insert(flags.begin(), {"delete", "shop"});
    const auto command = parse_command_line(std::move(flags));
    EXPECT_TRUE(command) << command.error().message;
    return command ? std::get<Delete>(*command).client : ClientOptions{};
  }
};
using ClientEnvironment = Environment;

TEST_F(ClientEnvironment, ReachesTheCommands) {
  ::setenv("MYSOS_URL", "http://env:1", 1);
  ::setenv("MYSOS_TOKEN", "env", 1);
  ::setenv("MYSOS_TOKEN_FILE", "/env/file", 1);
  ::setenv("MYSOS_DIR", "/env", 1);
  EXPECT_EQ(of_delete({}).url, "http://env:1");
  EXPECT_EQ(of_delete({}).token, "env");
  EXPECT_EQ(of_delete({}).dir, "/env");
  EXPECT_EQ(of_delete({"--url=http://flag:1"}).url, "http://flag:1");
  EXPECT_EQ(of_delete({"--token=flag"}).token, "flag");
  EXPECT_EQ(of_delete({"--token-file=/flag"}).token, "");
  EXPECT_EQ(of_delete({"--token-file=/flag"}).token_file, "/flag");
  EXPECT_EQ(of_delete({"--dir=/flag"}).url, "");
  EXPECT_EQ(of_delete({"--dir=/flag"}).token, "");
  EXPECT_EQ(of_delete({"--dir=/flag"}).token_file, "");
  EXPECT_EQ(of_delete({"--dir=/flag"}).dir, "/flag");
  ::setenv("MYSOS_TOKEN", "", 1);
  EXPECT_EQ(of_delete({}).token_file, "/env/file");
  for (const char* command : {"create", "show", "members", "connect", "credentials", "switchover", "failover"}) {
    const auto refused = parse_command_line({command, "shop", "--token=a", "--token-file=b"});
    ASSERT_FALSE(refused) << command;
    EXPECT_NE(refused.error().message.find("contradict"), std::string::npos) << refused.error().message;
  }
  EXPECT_FALSE(parse_command_line({"list", "--url=http://a:1", "--url=http://b:1"}));
}

TEST_F(ClientEnvironment, ARouterOfItsOwnFolderTakesTheEnvironment) {
  const TestDir dir;
  ::setenv("MYSOS_URL", "http://env:1", 1);
  ::setenv("MYSOS_TOKEN", "env", 1);
  const auto router = [&] { return std::get<Router>(parse_command_line({"router", "--dir", dir.path()}).value()); };
  EXPECT_EQ(router().dir, dir.path());
  EXPECT_EQ(router().client.url, "http://env:1");
  EXPECT_EQ(router().client.token, "env");

  ASSERT_TRUE(write_file_atomic(dir / "admin.token", "t"));  // the folder of an installation

  EXPECT_EQ(router().dir, dir.path());
  EXPECT_EQ(router().client.url, "");
  EXPECT_EQ(router().client.token, "");
}

TEST_F(ClientEnvironment, AStateDirectoryTellsAddressAndToken) {
  const TestDir dir;
  const ClientOptions options{.dir = dir.path()};
  EXPECT_EQ(find_url(options).value().endpoint, (Endpoint{"127.0.0.1", 8080}));  // nothing is written down
  EXPECT_FALSE(find_token(options));
  ASSERT_TRUE(write_file_atomic(dir / "api.url", "http://127.0.0.1:9000\n"));
  ASSERT_TRUE(write_file_atomic(dir / "admin.token", "secret\n"));
  EXPECT_EQ(find_url(options).value().endpoint, (Endpoint{"127.0.0.1", 9000}));
  EXPECT_EQ(find_token(options).value(), "secret");
  ASSERT_TRUE(write_file_atomic(dir / "api.url", "nonsense"));
  EXPECT_FALSE(find_token(options));
  EXPECT_NE(find_url(options).error().message.find("api.url"), std::string::npos);
}

TEST_F(ClientEnvironment, TheTokenOfADirectoryGoesToItsOwnServerOnly) {
  const TestDir dir;
  ASSERT_TRUE(write_file_atomic(dir / "admin.token", "secret\n"));
  ClientOptions options{.dir = dir.path()};
  // Whoever listens at the default address is not known to be the server of this directory.
  EXPECT_EQ(find_token(options).error().code, Errc::kUnauthorized);

  ASSERT_TRUE(write_file_atomic(dir / "api.url", "http://127.0.0.1:9000\n"));
  for (const char* elsewhere : {"http://db.example:9000", "http://127.0.0.1:9001", "http://10.0.0.1"}) {
    options.url = elsewhere;
    const auto refused = find_token(options);
    ASSERT_FALSE(refused) << elsewhere;
    EXPECT_EQ(refused.error().code, Errc::kUnauthorized);
    for (const char* word : {elsewhere, "http://127.0.0.1:9000", "--token-file", "MYSOS_TOKEN", "--dir"}) {
      EXPECT_NE(refused.error().message.find(word), std::string::npos) << refused.error().message;
    }
    EXPECT_FALSE(ApiClient::open(options)) << "nothing is sent";
  }
  options.url = "http://127.0.0.1:9000/";
  EXPECT_EQ(find_token(options).value_or(""), "secret");
  options.url = "http://db.example:9000";
  options.token = "given";
  EXPECT_EQ(find_token(options).value_or(""), "given");
  options.token.clear();
  options.token_file = dir / "admin.token";  // the user says so
  EXPECT_EQ(find_token(options).value_or(""), "secret");
  // By the environment as by a flag.
  ::setenv("MYSOS_URL", "http://db.example:9000", 1);
  ::setenv("MYSOS_DIR", dir.path().c_str(), 1);
  EXPECT_FALSE(find_token(of_delete({})));
}

}  // namespace
}  // namespace mysos::cli
