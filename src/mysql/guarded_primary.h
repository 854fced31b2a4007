// SPDX-License-Identifier: Apache-2.0
#pragma once
// For tests on real servers: a primary alone, with the cluster's user, and what its executor sees that somebody changed there.
#include <optional>
#include <string>
#include <vector>

#include "mysql/real_servers.h"

namespace mysos::mysql {

class GuardedPrimary : public testing::TestWithParam<FlavourKind> {
 protected:
  [[nodiscard]] static bool mysql() { return GetParam() == FlavourKind::kMysql; }
  void a_primary() {
    member_.emplace(io, GetParam(), 0);
    m().make_and_start();
    ASSERT_TRUE(m().ops);
    m().promote(0, {});
    m().run(step::ShutOut{{MemberId("test-1")}, {MemberId("test-2")}});
    ensure_user();
  }
  void ensure_user() {
    const Status made = m().await(m().ops->ensure_user(std::chrono::seconds(10)));
    ASSERT_TRUE(made) << made.error().message;
  }
  TestMember& m() { return *member_; }
  std::vector<Deviation> look() {
    auto found = m().await(m().ops->look_for_changes(true, std::chrono::seconds(5)));
    EXPECT_TRUE(found) << (found ? "" : found.error().message);
    return found.value_or(std::vector<Deviation>{});
  }
  // A line for each change.
  std::string seen() {
    std::string out;
    for (const Deviation& d : look()) out += d.what + "\n";
    return out;
  }
  bool logs_in(const std::string& name, const std::string& password) {
    Session session(io.get_executor(), {.host = "127.0.0.1", .port = m().port, .user = name, .password = password});
    return m().await(session.connect(std::chrono::seconds(5))).has_value();
  }

  asio::io_context io;

 private:
  std::optional<TestMember> member_;
};

}  // namespace mysos::mysql
