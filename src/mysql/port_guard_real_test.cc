// SPDX-License-Identifier: Apache-2.0
// The admin port of real servers, while clients try to take its places.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/fd.h"
#include "mysql/port_guard.h"
#include "mysql/real_servers.h"

namespace mysos::mysql {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class AdminPort : public testing::TestWithParam<FlavourKind> {
 protected:
  AdminPort() : a(io, GetParam(), 0), b(io, GetParam(), 1) {}
  void SetUp() override {
    a.make_and_start();
    b.make_and_start();
    ASSERT_TRUE(a.ops && b.ops);
    a.promote(1, {&b});
    follow();
    ASSERT_TRUE(attached());
    ASSERT_TRUE(a.await(a.ops->ensure_user(seconds(10))));
    guard.emplace(io.get_executor(), ServerOpsConfig{.flavour = GetParam(),
                                                     .admin = admin_target(a.spec.layout, kTestSecrets),
                                                     .member = a.id,
                                                     .secrets = kTestSecrets});
  }
  [[nodiscard]] static bool mysql() { return GetParam() == FlavourKind::kMysql; }
  void follow() {
    b.run(step::StopReceiver{});
    b.run(step::SemiSyncReplica{true});
    b.run(step::SetSource{"127.0.0.1", port()});
    b.run(step::StartReplication{});
  }
  bool attached() {
    return a.wait_for([](const ServerSnapshot& s) { return s.semi_sync_clients == 1; });
  }
  [[nodiscard]] std::uint16_t port() const { return a.spec.layout.admin_port; }
  // A client's session there; none where it is refused.
  std::optional<Session> enter() {
    Session session(io.get_executor(), {.host = "127.0.0.1",
                                        .port = port(),
                                        .user = kTestSecrets.user,
                                        .password = kTestSecrets.user_password});
    if (!a.await(session.connect(seconds(5)))) return std::nullopt;
    return session;
  }
  // A connection over which nothing is said.
  Fd knock() {
    Fd out(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    at.sin_port = htons(port());
    EXPECT_EQ(::connect(out.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at), 0);
    return out;
  }
  Strangers look() {
    const auto peers = tcp_peers(port());
    EXPECT_TRUE(peers);
    auto found = a.await(guard->look(*peers, seconds(5)));
    EXPECT_TRUE(found) << (found ? "" : found.error().message);
    return found.value_or(Strangers{});
  }
  // Looks until that many are to be ended.
  bool finds(std::size_t logged_in, std::size_t not_logged_in, Duration at_most = seconds(20)) {
    const Instant until = steady_now() + at_most;
    Strangers found;
    do {
      found = look();
      if (found.logged_in.size() == logged_in && found.not_logged_in.size() == not_logged_in) return true;
      a.await([]() -> asio::awaitable<Status> {
        co_await sleep_for(milliseconds(100));
        co_return Status{};
      }());
    } while (steady_now() < until);
    ADD_FAILURE() << found.logged_in.size() << " and " << found.not_logged_in.size() << " are to be ended";
    return false;
  }
  Status end() { return a.await(guard->end(look(), seconds(5))); }
  bool alive(Session& session) { return a.await(session.query("SELECT 1", seconds(5))).has_value(); }

  asio::io_context io;
  TestMember a, b;
  std::optional<PortGuard> guard;
};
INSTANTIATE_TEST_SUITE_P(Flavours, AdminPort, testing::Values(FlavourKind::kMysql, FlavourKind::kMariadb),
                         [](const auto& i) { return std::string(enum_text(i.param)); });

TEST_P(AdminPort, LetsAReplicaInThatComesBackWhenClientsHoldAllThatTheyCanGet) {
  if (mysql()) return;  // no client logs in there
  std::vector<Session> clients;
  for (auto session = enter(); session; session = enter()) clients.push_back(std::move(*session));
  ASSERT_GE(clients.size(), 60U);

  b.kill9();
  b.start();
  follow();
  while (auto session = enter()) clients.push_back(std::move(*session));

  EXPECT_TRUE(attached()) << b.read().last_error;
}

TEST_P(AdminPort, IsKeptFreeOfClientsAndReplicationGoesOn) {
  EXPECT_TRUE(finds(0, 0)) << "the replica is no stranger";
  std::optional<Session> busy = enter(), idle = enter();
  ASSERT_EQ(busy.has_value(), !mysql());
  Session elsewhere = a.user_session();
  ASSERT_TRUE(a.await(elsewhere.connect(seconds(5))));
  if (busy) {
    EXPECT_EQ(look().users, std::vector<std::string>{"shop"});
    std::optional<bool> ended;
    asio::co_spawn(io, busy->query("SELECT SLEEP(600)", seconds(60)),
                   [&](const std::exception_ptr&, const Result<Rows>& r) { ended = r.has_value(); });
    const Status done = end();
    EXPECT_TRUE(done) << done.error().message;
    EXPECT_TRUE(finds(0, 0));
    EXPECT_FALSE(alive(*idle));
    while (!ended) io.run_one_for(seconds(1));
  }
  EXPECT_TRUE(alive(elsewhere));
  EXPECT_TRUE(attached());
  EXPECT_TRUE(a.user("CREATE DATABASE d", seconds(10))) << "commits are not held any more, and acknowledged";
}

TEST_P(AdminPort, EndsConnectionsThatDoNotLogIn) {
  const Fd first = knock(), second = knock();
  EXPECT_TRUE(look().not_logged_in.empty()) << "it has only just come";
  ASSERT_TRUE(finds(0, 2));

  const Status done = end();

  EXPECT_TRUE(done) << done.error().message;
  EXPECT_TRUE(finds(0, 0));
  EXPECT_TRUE(attached());
}

// A commit that waits for an acker would be acknowledged with the session of another one of its group.
TEST_P(AdminPort, LeavesClientsWhoAreInWhileACommitWaitsForAnAckerThatIsNotThere) {
  if (mysql()) return;
  std::optional<Session> stranger = enter();
  ASSERT_TRUE(stranger);
  b.kill9();
  ASSERT_TRUE(a.wait_for([](const ServerSnapshot& s) { return s.semi_sync_clients == 0; }));
  EXPECT_FALSE(a.user("CREATE DATABASE d", seconds(1)));

  EXPECT_FALSE(end());
  EXPECT_TRUE(alive(*stranger));

  b.start();
  follow();
  ASSERT_TRUE(attached());
  ASSERT_TRUE(a.await(a.ops->push_commits(seconds(10))));
  EXPECT_TRUE(end());
  EXPECT_FALSE(alive(*stranger));
}

}  // namespace
}  // namespace mysos::mysql
