// SPDX-License-Identifier: Apache-2.0
#include "base/http/host_policy.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>

namespace mysos {
namespace {

const HttpHostPolicy kPolicy{.own = {"localhost", "db1.example", "db1"}, .allowed = {"mysos.example"}};

// 0: it may go on.
int refused(const HttpHeaders& headers) {
  const auto refusal = refuse_host(kPolicy, headers);
  return refusal ? refusal->status : 0;
}

TEST(HostPolicy, AnswersForAddressesThisMachineAndAllowedNames) {
  for (const char* host : {"127.0.0.1", "127.0.0.1:8080", "10.1.2.3:1", "0.0.0.0:8080", "[::1]:8080", "[fe80::1]", "localhost",
                           "LocalHost:8080", "localhost.", "db1.example:8080", "DB1", "mysos.example", "mysos.example:443"}) {
    EXPECT_EQ(refused({{"Host", host}}), 0) << host;
  }
  for (const char* host : {"evil.example", "evil.example:8080", "localhost.evil.example", "127.0.0.1.evil.example",
                           "x.mysos.example", "db2", "127.1", "2130706433", "a.localhost", "[::1].evil.example", ""}) {
    EXPECT_EQ(refused({{"Host", host}}), 421) << host;
  }
  EXPECT_EQ(refused({}), 421);
}

struct Page {
  const char* host;
  const char* origin;
  int status;
};
TEST(HostPolicy, LetsItsOwnPagesAskAndThoseOfAllowedHosts) {
  const Page pages[] = {
      {"127.0.0.1:8080", "http://127.0.0.1:8080", 0},
      {"localhost:8080", "http://LOCALHOST:8080", 0},
      {"[::1]:8080", "http://[::1]:8080", 0},
      {"mysos.example", "https://mysos.example", 0},          // a proxy that passes Host on
      {"127.0.0.1:8080", "https://mysos.example:8443", 0},    // and one that does not
      {"127.0.0.1:8080", "http://127.0.0.1:3000", 403},       // another server of this machine
      {"127.0.0.1:8080", "http://127.0.0.1", 403},
      {"127.0.0.1:8080", "http://localhost:8080", 403},
      {"localhost:8080", "http://localhost:3000", 403},
      {"db1:8080", "http://db1:9090", 403},
      {"127.0.0.1:8080", "http://evil.example", 403},
      {"127.0.0.1:8080", "http://mysos.example.evil.example", 403},
      {"127.0.0.1:8080", "http://127.0.0.1:8080.evil.example", 403},
      {"127.0.0.1:8080", "http://127.0.0.1:8080@evil.example", 403},
      {"127.0.0.1:8080", "null", 403},
      {"127.0.0.1:8080", "", 403},
      {"127.0.0.1:8080", "file://", 403},
      {"127.0.0.1:8080", "chrome-extension://127.0.0.1:8080", 403},
      {"evil.example", "http://evil.example", 421},
  };
  for (const auto& [host, origin, status] : pages) {
    EXPECT_EQ(refused({{"Host", host}, {"Origin", origin}}), status) << host << " asked by " << origin;
  }
}

TEST(HostPolicy, SaysWhatToDo) {
  const auto refusal = refuse_host(kPolicy, {{"Host", "evil.example:80"}});
  EXPECT_NE(refusal->why.find("'evil.example'"), std::string::npos);
  EXPECT_NE(refusal->why.find("--allowed-host"), std::string::npos);
}

TEST(HostPolicy, KnowsThisMachine) {
  std::array<char, 256> name{};
  ASSERT_EQ(::gethostname(name.data(), name.size() - 1), 0);
  EXPECT_FALSE(refuse_host(host_policy({}), {{"Host", std::string(name.data()) + ":8080"}}));
  EXPECT_TRUE(refuse_host(host_policy({}), {{"Host", "mysos.example"}}));
  EXPECT_FALSE(refuse_host(host_policy({"mysos.example"}), {{"Host", "mysos.example"}}));
}

}  // namespace
}  // namespace mysos
