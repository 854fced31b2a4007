// SPDX-License-Identifier: Apache-2.0
#include "mysql/port_guard.h"

#include <gtest/gtest.h>

namespace mysos::mysql {
namespace {

using Ids = std::vector<std::uint64_t>;

Rows processlist(const std::vector<std::vector<const char*>>& sessions) {
  Rows out{.columns = {"Id", "User", "Host", "db", "Command", "Time", "State", "Info"}};
  for (const auto& s : sessions) out.rows.push_back({s[0], s[1], s[2], std::nullopt, s[3], "3", "", std::nullopt});
  return out;
}

TEST(Strangers, AreClientsOnThatPort) {
  const Rows list = processlist({{"6", "mysos_admin", "localhost", "Sleep"},
                                 {"7", "shop", "10.0.0.7:41200", "Sleep"},
                                 {"8", "shop", "10.0.0.7:41201", "Query"},
                                 {"9", "app", "10.0.0.7:41202", "Query"},
                                 {"10", "unauthenticated user", "10.0.0.8:41200", "Connect"},
                                 {"11", "unauthenticated user", "10.0.0.8:41201", "Connect"}});

  const Strangers found = strangers(list, {"10.0.0.7:41200", "10.0.0.7:41202", "10.0.0.8:41201"});

  EXPECT_EQ(found.logged_in, (Ids{7, 9}));
  EXPECT_EQ(found.users, (std::vector<std::string>{"app", "shop"}));
  EXPECT_EQ(found.not_logged_in, (Ids{11}));
}

TEST(Strangers, AreNotOurs) {
  const Rows list = processlist({{"7", "mysos_r1", "10.0.0.7:41200", "Binlog Dump"},
                                 {"8", "mysos_admin", "127.0.0.1:5000", "Query"},
                                 {"9", "mysos_backup", "10.0.0.8:41200", "clone"},
                                 {"10", "shop", "10.0.0.9:41200", "Killed"}});

  const Strangers found = strangers(list, {"10.0.0.7:41200", "127.0.0.1:5000", "10.0.0.8:41200", "10.0.0.9:41200"});

  EXPECT_TRUE(found.logged_in.empty() && found.not_logged_in.empty());
}

TEST(Strangers, MayPoseAsOurs) {
  const Rows list = processlist({{"7", "mysos_admin", "10.0.0.7:41200", "Sleep"}, {"8", "mysos_x", "10.0.0.7:41201", "Sleep"}});

  EXPECT_EQ(strangers(list, {"10.0.0.7:41200", "10.0.0.7:41201"}).logged_in, (Ids{7, 8}));
}

}  // namespace
}  // namespace mysos::mysql
