// SPDX-License-Identifier: Apache-2.0
// What an executor sees of its peers, over real HTTP: a peer is a MemberApi, as every executor has one.
#include "executor/surroundings.h"

#include <gtest/gtest.h>

#include "base/test_dir.h"
#include "base/test_loop.h"
#include "executor/member_api.h"

namespace mysos {
namespace {

class QuietService final : public MemberService {
 public:
  explicit QuietService(const asio::any_io_executor& executor) : changed_(executor) {}
  MemberReport report() override {
    MemberReport r;
    r.member = member;
    return r;
  }
  MemberId member{"c-1"};

  asio::awaitable<Result<MemberReport>> obey(Order, json::object) override { co_return MemberReport{}; }
  Signal& changed() override { return changed_; }
  [[nodiscard]] std::uint64_t version() const override { return 0; }
  std::string metrics() override { return ""; }

 private:
  Signal changed_;
};

class SurroundingsTest : public ::testing::Test {
 protected:
  struct Neighbour {
    explicit Neighbour(const asio::any_io_executor& executor)
        : service(executor), api(service, "a hash of another token"),
          server(executor, [this](const HttpRequest& r, HttpExchange& x) { return api.handle(r, x); }),
          port(server.listen("127.0.0.1", 0).value()) {}
    QuietService service;
    MemberApi api;
    HttpServer server;
    std::uint16_t port;
  };
  void SetUp() override {
    around.emplace(tasks, dir.path(), Surroundings::Eyes{[this] { return peers; }, [] { return false; },
                                                         [this](const MemberInput& in) { note(in); }});
    around->start();
  }
  void TearDown() override {
    loop.run([](TaskGroup& all, Neighbour& n) -> asio::awaitable<void> {
      co_await n.server.stop();
      co_await all.cancel_and_join();
    }(tasks, neighbour));
  }
  void note(const MemberInput& in) {
    if (const auto* contact = std::get_if<member_input::Contact>(&in)) seen = *contact;
  }

  TestLoop loop;
  TestDir dir;
  TaskGroup tasks{loop.io.get_executor()};
  Neighbour neighbour{loop.io.get_executor()};
  std::vector<Peer> peers{{MemberId("c-1"), "127.0.0.1", neighbour.port}};
  member_input::Contact seen;
  std::optional<Surroundings> around;
};

TEST_F(SurroundingsTest, APeerWhoseExecutorAnswersIsReached) {
  EXPECT_TRUE(loop.run_until([&] { return seen.peers.contains(MemberId("c-1")); })) << "no token is needed for that";
}

TEST_F(SurroundingsTest, AStrangerAtAPeersAddressIsNotThePeer) {
  ASSERT_TRUE(loop.run_until([&] { return seen.peers.contains(MemberId("c-1")); }));
  neighbour.service.member = MemberId("another-1");

  EXPECT_TRUE(loop.run_until([&] { return seen.peers.empty(); }));
}

TEST_F(SurroundingsTest, APeerThatIsGoneOrForgottenIsReachedNoMore) {
  const MemberId other("c-2");
  Neighbour second(loop.io.get_executor());
  second.service.member = other;
  peers.push_back({other, "127.0.0.1", second.port});
  ASSERT_TRUE(loop.run_until([&] { return seen.peers.size() == 2; }));

  peers.pop_back();
  EXPECT_TRUE(loop.run_until([&] { return !seen.peers.contains(other); }));
  loop.run(second.server.stop());
  loop.run(neighbour.server.stop());
  EXPECT_TRUE(loop.run_until([&] { return seen.peers.empty(); }));
}

}  // namespace
}  // namespace mysos
