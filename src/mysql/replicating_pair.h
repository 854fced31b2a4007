// SPDX-License-Identifier: Apache-2.0
#pragma once
// For tests on real servers: a primary and a replica that follows it, with the cluster's user and an empty database d.
#include <string>
#include <utility>

#include "mysql/real_servers.h"

namespace mysos::mysql {

class ReplicatingPair : public testing::TestWithParam<FlavourKind> {
 protected:
  // `d`: how many acknowledgements the primary waits for.
  explicit ReplicatingPair(std::uint32_t d = 1) : a(io, GetParam(), 0), b(io, GetParam(), 1), d_(d) {}
  [[nodiscard]] static bool mysql() { return GetParam() == FlavourKind::kMysql; }
  void SetUp() override {
    a.make_and_start();
    b.make_and_start();
    ASSERT_TRUE(a.ops && b.ops);
    a.promote(d_, {&b});
    b.follow(a);
    if (d_ > 0) ASSERT_TRUE(a.wait_for([](const ServerSnapshot& s) { return s.semi_sync_clients == 1; }));
    ASSERT_TRUE(await(a.ops->ensure_user(std::chrono::seconds(10))));
    at_primary("CREATE DATABASE d");
  }
  template <class T>
  T await(asio::awaitable<T> task) {
    return b.await(std::move(task));
  }
  void at_primary(const std::string& statement) {
    const auto done = a.user(statement);
    ASSERT_TRUE(done) << statement << ": " << done.error().message;
  }
  // The replica has executed all that the primary has.
  void caught_up() {
    const GtidSet all = a.read().executed;
    EXPECT_TRUE(b.wait_for([&](const ServerSnapshot& s) { return s.executed.contains(all); })) << b.read().last_error;
  }

  asio::io_context io;
  TestMember a, b;

 private:
  std::uint32_t d_;
};

}  // namespace mysos::mysql
