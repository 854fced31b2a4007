// SPDX-License-Identifier: Apache-2.0
// A client that takes every connection it can get, on real servers of both flavours: replication and the executor get in all
// the same, by the admin port.
#include <gtest/gtest.h>

#include "mysql/real_servers.h"

namespace mysos::mysql {
namespace {

using std::chrono::seconds;

class FullServer : public testing::TestWithParam<FlavourKind> {
 protected:
  TestMember& add() {
    members_.push_back(std::make_unique<TestMember>(io_, GetParam(), static_cast<int>(members_.size())));
    members_.back()->make_and_start();
    if (!members_.back()->ops) throw std::runtime_error("the server did not start");
    return *members_.back();
  }
  Status run(asio::awaitable<Status> task) {
    std::optional<Status> out;
    asio::co_spawn(io_, std::move(task), [&](const std::exception_ptr& e, Status s) {
      if (e) std::rethrow_exception(e);
      out = std::move(s);
    });
    io_.restart();
    while (!out) io_.run_one();
    return *out;
  }
  static void follow(TestMember& who, const TestMember& source) {
    who.run(step::StopReceiver{});
    who.run(step::SemiSyncReplica{true});
    who.run(step::SetSource{"127.0.0.1", source.spec.layout.admin_port});
    who.run(step::StartReplication{});
  }
  static bool attached(TestMember& primary) {
    return primary.wait_for([](const ServerSnapshot& s) { return s.semi_sync_clients == 1; });
  }
  // Until the server refuses one, for the reason it should.
  void take_all(TestMember& of) {
    for (int i = 0; i < 1000; ++i) {
      Session session = of.user_session();
      const Status connected = run(session.connect(seconds(5)));
      if (!connected) {
        EXPECT_EQ(session.last_errno(), 1040U) << connected.error().message;
        return;
      }
      clients_.push_back(std::move(session));
    }
    FAIL() << "no limit for clients";
  }
  ServerOps fresh_ops(TestMember& m) {
    return ServerOps(io_.get_executor(), ServerOpsConfig{.flavour = GetParam(),
                                                         .admin = admin_target(m.spec.layout, kTestSecrets),
                                                         .member = m.id,
                                                         .secrets = kTestSecrets});
  }

  asio::io_context io_;
  std::vector<std::unique_ptr<TestMember>> members_;
  std::vector<Session> clients_;
};
INSTANTIATE_TEST_SUITE_P(Flavours, FullServer, testing::Values(FlavourKind::kMysql, FlavourKind::kMariadb),
                         [](const auto& i) { return std::string(enum_text(i.param)); });

TEST_P(FullServer, LetsReplicasAndItsExecutorIn) {
  TestMember& a = add();
  TestMember& b = add();
  a.promote(1, {&b});
  follow(b, a);
  ASSERT_TRUE(attached(a));
  const Status user = run(a.ops->ensure_user(seconds(10)));
  ASSERT_TRUE(user) << user.error().message;
  ASSERT_TRUE(a.user("CREATE DATABASE d"));
  ASSERT_TRUE(a.user("CREATE TABLE d.t (i INT PRIMARY KEY)"));

  take_all(a);
  EXPECT_GE(clients_.size(), 40U);
  b.kill9();
  b.start();
  follow(b, a);

  ASSERT_TRUE(attached(a));
  const Status pushed = run(a.ops->push_commits(seconds(5)));
  EXPECT_TRUE(pushed) << pushed.error().message;
  const Status written = run([](Session& client) -> asio::awaitable<Status> {
    MYSOS_CO_TRY([[maybe_unused]] const Rows done, co_await client.query("INSERT INTO d.t VALUES (1)", seconds(5)));
    co_return Status{};
  }(clients_.front()));
  EXPECT_TRUE(written) << written.error().message;
  ServerOps executor_again = fresh_ops(a);
  const Status ended = run(executor_again.run(step::KillClients{}, seconds(5)));
  EXPECT_TRUE(ended) << ended.error().message;
  EXPECT_TRUE(a.user("SELECT 1")) << "its clients were ended";
  executor_again.close();
}

TEST_P(FullServer, LetsClientsInByTheAdminPortOnMariadbOnly) {
  TestMember& a = add();
  a.promote(0, {});
  ASSERT_TRUE(run(a.ops->ensure_user(seconds(10))));

  Session session(io_.get_executor(), {.host = "127.0.0.1",
                                       .port = a.spec.layout.admin_port,
                                       .user = kTestSecrets.user,
                                       .password = kTestSecrets.user_password});
  EXPECT_EQ(run(session.connect(seconds(5))).has_value(), GetParam() == FlavourKind::kMariadb);
}

}  // namespace
}  // namespace mysos::mysql
