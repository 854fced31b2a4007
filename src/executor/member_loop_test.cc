// SPDX-License-Identifier: Apache-2.0
// The loop with the real MemberCore and a real volume, beside a server that only notes what it is
// told.
#include "executor/member_loop.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "base/clock.h"
#include "base/fs.h"
#include "base/test_loop.h"
#include "member/member_codec.h"

namespace mysos {
namespace {

namespace fs = std::filesystem;
const json::object kSecrets{{"admin", "s3cret"}};

class NotedServer final : public ServerSide {
 public:
  explicit NotedServer(std::string promise_file) : promise_file_(std::move(promise_file)) {}
  void act(const ServerAction& action) override {
    actions.push_back(action);
    promise_seen = path_exists(promise_file_) ? read_file(promise_file_).value_or("") : "";
  }
  void run(StepPlan plan) override { plans.push_back(std::move(plan)); }
  void poll_fast(bool fast) override { fast_ = fast; }
  Result<TakenSecrets> use_secrets(const json::object& secrets, const std::optional<json::object>& stored) override {
    if (!secrets.contains("admin"))
      return fail(Errc::kInvalid, "admin is missing", "secrets.admin");
    if (stored && stored->at("admin") != secrets.at("admin"))
      return fail(Errc::kConflict, "this member was set up with other secrets");
    return TakenSecrets{secrets, 0, older};
  }
  [[nodiscard]] bool alive() const override { return true; }

  std::vector<ServerAction> actions;
  std::vector<StepPlan> plans;
  std::string promise_seen;
  bool older = false;  // what it is told is older than what is stored

 private:
  std::string promise_file_;
  bool fast_ = false;
};

class MemberLoopTest : public ::testing::Test {
 protected:
  MemberLoopTest()
      : dir_(fs::temp_directory_path() / ("mysos-loop-" + std::to_string(::getpid()))) {
    fs::remove_all(dir_);
    fs::create_directories(dir_);
    volume_.emplace(MemberVolume::open(dir_).value());
    server_.emplace(volume_->promise_file());
    MemberConfig config;
    config.member = MemberId("m-0");
    MemberCore core(volume_->load_promise().value(), config, false);
    member_.emplace(tasks_, *volume_, std::move(core), *server_, Labels{{"cluster", "shop"}},
                    StoredSecrets{});
  }
  ~MemberLoopTest() override { fs::remove_all(dir_); }

  void run(asio::awaitable<void> body) {
    auto whole = [](MemberLoopTest& t, asio::awaitable<void> inner) -> asio::awaitable<void> {
      co_await std::move(inner);
      co_await t.tasks_.cancel_and_join();
    };
    loop_.run(whole(*this, std::move(body)));
  }
  void server_comes_up() {
    member_->feed(member_input::DatadirReady{});
    member_->feed(member_input::ServerUp{"i1", "10.11", "257"});
    member_->feed(member_input::Snapshot{ServerSnapshot{}});
  }

  fs::path dir_;
  TestLoop loop_;
  TaskGroup tasks_{loop_.io.get_executor()};
  std::optional<MemberVolume> volume_;
  std::optional<NotedServer> server_;
  std::optional<MemberLoop> member_;
};

TEST_F(MemberLoopTest, SetupKeepsTheSecretsToItselfAndStartsTheServer) {
  auto body = [&]() -> asio::awaitable<void> {
    member_->start(std::nullopt);
    Order setup = order::Setup{};
    json::object wrong{{"nothing", 1}};
    const auto refused = co_await member_->obey(setup, wrong);
    EXPECT_FALSE(refused);
    EXPECT_FALSE(path_exists(volume_->own_dir() + "/secrets.json"));

    const auto done = co_await member_->obey(setup, kSecrets);
    EXPECT_TRUE(done);
    if (done) EXPECT_TRUE(done->has_secrets);
    struct stat st{};
    EXPECT_EQ(::stat((volume_->own_dir() + "/secrets.json").c_str(), &st), 0);
    EXPECT_EQ(st.st_mode & 0777, 0600U);
    EXPECT_EQ(server_->actions.size(), 1U);

    const auto again = co_await member_->obey(setup, kSecrets);
    EXPECT_TRUE(again);
    json::object other{{"admin", "other"}};
    const auto conflict = co_await member_->obey(setup, other);
    EXPECT_FALSE(conflict);
    if (!conflict) EXPECT_EQ(conflict.error().code, Errc::kConflict);
  };
  run(body());
}

TEST_F(MemberLoopTest, TheSealedSecretsAreKeptAsTheyCameAndTheNewestStay) {
  auto body = [&]() -> asio::awaitable<void> {
    member_->start(std::nullopt);
    Order setup = order::Setup{};
    json::object first = kSecrets;
    first["sealed"] = "first";
    const auto done = co_await member_->obey(setup, first);
    EXPECT_TRUE(done && done->keeps_sealed);
    EXPECT_EQ(member_->sealed_secrets(), "first");
    EXPECT_EQ(volume_->load_sealed().value(), "first");
    EXPECT_FALSE(volume_->load_secrets().value()->contains("sealed"));
    struct stat st{};
    EXPECT_EQ(::stat((volume_->own_dir() + "/sealed").c_str(), &st), 0);
    EXPECT_EQ(st.st_mode & 0777, 0600U);

    json::object second = kSecrets;
    second["sealed"] = "second";
    server_->older = true;
    EXPECT_TRUE(co_await member_->obey(setup, second));
    EXPECT_EQ(volume_->load_sealed().value(), "first") << "an older state does not take the newest ones away";
    server_->older = false;
    EXPECT_TRUE(co_await member_->obey(setup, second));
    EXPECT_EQ(volume_->load_sealed().value(), "second");
  };
  run(body());
}

TEST_F(MemberLoopTest, AServerActionFollowsTheDurablePromise) {
  auto body = [&]() -> asio::awaitable<void> {
    member_->start(std::nullopt);
    Order setup = order::Setup{};
    EXPECT_TRUE(co_await member_->obey(setup, kSecrets));
    server_comes_up();
    EXPECT_EQ(server_->actions.size(), 2U);  // MakeDatadir, Start
    EXPECT_NE(server_->promise_seen.find("\"seeded\":true"), std::string::npos);
    EXPECT_EQ(volume_->load_promise().value().incarnation, "i1");
  };
  run(body());
}

TEST_F(MemberLoopTest, AFullVolumeHoldsTheOrderAndEverythingAfterItUntilItTakesThePromise) {
  auto body = [&]() -> asio::awaitable<void> {
    member_->start(std::nullopt);
    Order setup = order::Setup{};
    EXPECT_TRUE(co_await member_->obey(setup, kSecrets));
    server_comes_up();
    fs::rename(volume_->own_dir(), dir_ / "away");

    bool answered = false;
    auto fence = [&]() -> asio::awaitable<void> {
      Order order = order::Fence{{3, 0}};
      const auto report = co_await member_->obey(order, {});
      EXPECT_TRUE(report);
      answered = true;
    };
    tasks_.spawn("fence", fence());
    EXPECT_TRUE(co_await eventually([&] { return !member_->report().problem.empty(); }));
    EXPECT_EQ(member_->report().promised, Pair{});
    EXPECT_TRUE(member_->report().busy);
    EXPECT_TRUE(server_->plans.empty());
    EXPECT_FALSE(answered);

    fs::rename(dir_ / "away", volume_->own_dir());
    EXPECT_TRUE(co_await eventually([&] { return !server_->plans.empty(); }));
    EXPECT_EQ(volume_->load_promise().value().pair, (Pair{3, 0}));
    EXPECT_FALSE(answered);
    member_->feed(
        member_input::PlanEnded{server_->plans.front().id, std::nullopt, ServerSnapshot{}});
    EXPECT_TRUE(co_await eventually([&] { return answered; }));
    EXPECT_EQ(member_->report().role, MemberRole::kFenced);
    EXPECT_EQ(member_->report().problem, "");
  };
  run(body());
}

TEST_F(MemberLoopTest, AStalePairIsRefusedAndTheMetricsTellIt) {
  auto body = [&]() -> asio::awaitable<void> {
    member_->start(std::nullopt);
    Order high = order::Fence{{3, 0}};
    EXPECT_TRUE(co_await member_->obey(high, {}));
    Order low = order::Fence{{2, 0}};
    const auto refused = co_await member_->obey(low, {});
    EXPECT_FALSE(refused);
    if (!refused) EXPECT_EQ(refused.error().code, Errc::kFenced);
    const std::string text = member_->metrics();
    EXPECT_NE(text.find("mysos_member_promised_epoch{cluster=\"shop\"} 3"), std::string::npos)
        << text;
    EXPECT_NE(text.find("outcome=\"refused\""), std::string::npos) << text;
  };
  run(body());
}

TEST(MemberVolume, AnUnreadablePromiseIsAnErrorAndNeverAFreshOne) {
  const fs::path dir = fs::temp_directory_path() / ("mysos-volume-" + std::to_string(::getpid()));
  fs::create_directories(dir / "mysos");
  const MemberVolume volume = MemberVolume::open(dir).value();
  EXPECT_EQ(volume.load_promise().value(), MemberPromise{});

  MemberPromise promise;
  promise.pair = {4, 2};
  promise.generation = 3;
  ASSERT_TRUE(volume.save_promise(promise));
  EXPECT_EQ(volume.load_promise().value(), promise);
  ASSERT_TRUE(write_file_atomic(volume.promise_file(), "{\"pair\":"));
  EXPECT_FALSE(volume.load_promise());
  const auto held = volume.lock();
  ASSERT_TRUE(held);
  EXPECT_EQ(volume.lock().error().code, Errc::kConflict);
  fs::remove_all(dir);
}

}  // namespace
}  // namespace mysos
