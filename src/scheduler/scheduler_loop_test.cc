// SPDX-License-Identifier: Apache-2.0
// The loop with a store that can be made to fail, and no Mesos master in reach: what is promised to
// a caller is durable.
#include "scheduler/scheduler_loop.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <mutex>

#include "base/test_loop.h"
#include "store/memory_store.h"

namespace mysos {
namespace {
using namespace std::chrono_literals;

const Caller kOperator{"admin", "10.0.0.7"};

// A disk that can be full. It outlives the stores on it, which write in threads of their own while the test reads.
struct Disk {
  std::atomic<bool> full = false;
  std::mutex mutex;
  MemoryRecordStore records;
  MemoryEventLog events;

  std::size_t clusters() {
    const std::scoped_lock lock(mutex);
    const Snapshot all = *records.load();
    const auto found = all.find("spec");
    return found == all.end() ? 0 : found->second.size();
  }
  bool has_event(std::string_view text) {
    const std::scoped_lock lock(mutex);
    return std::ranges::any_of(*events.read({}), [&](const StoredEvent& e) { return e.json.contains(text); });
  }
};

class RecordsOnDisk final : public RecordStore {
 public:
  explicit RecordsOnDisk(Disk& disk) : disk_(disk) {}
  Result<Snapshot> load() override {
    const std::scoped_lock lock(disk_.mutex);
    return disk_.records.load();
  }
  Result<Term> begin_term() override {
    const std::scoped_lock lock(disk_.mutex);
    return disk_.records.begin_term();
  }
  Status commit(Term term, const std::vector<RecordChange>& changes) override {
    if (disk_.full) return fail(Errc::kIo, "no space left on device");
    const std::scoped_lock lock(disk_.mutex);
    return disk_.records.commit(term, changes);
  }

 private:
  Disk& disk_;
};

class LogOnDisk final : public EventLog {
 public:
  explicit LogOnDisk(Disk& disk) : disk_(disk) {}
  Result<std::uint64_t> append(const std::vector<NewEvent>& events) override {
    if (disk_.full) return fail(Errc::kIo, "no space left on device");
    const std::scoped_lock lock(disk_.mutex);
    return disk_.events.append(events);
  }
  Result<std::vector<StoredEvent>> read(const EventQuery& query) override {
    const std::scoped_lock lock(disk_.mutex);
    return disk_.events.read(query);
  }
  Result<std::uint64_t> last_seq() override {
    const std::scoped_lock lock(disk_.mutex);
    return disk_.events.last_seq();
  }
  Result<std::string> newest_named(const std::string& name) override {
    const std::scoped_lock lock(disk_.mutex);
    return disk_.events.newest_named(name);
  }

 private:
  Disk& disk_;
};

struct Loop : ::testing::Test {
  std::string dir =
      (std::filesystem::temp_directory_path() / ("mysos-loop-" + std::to_string(::getpid())))
          .string();
  TestLoop loop;
  Disk disk;
  std::optional<StateDir> state;
  std::unique_ptr<SchedulerLoop> scheduler;

  void SetUp() override {
    std::filesystem::remove_all(dir);
    auto opened = StateDir::open(dir);
    ASSERT_TRUE(opened) << opened.error().message;
    state.emplace(*std::move(opened));
    start();
  }
  void TearDown() override {
    stop();
    std::filesystem::remove_all(dir);
  }
  void start() {
    SchedulerOptions options;
    options.core.versions = {{"mariadb-10.11", Flavour::kMariadb, mib(128)}};
    options.mesos.masters = {Endpoint{"127.0.0.1", 1}};  // nobody listens there
    options.request_deadline = 300ms;
    scheduler = std::make_unique<SchedulerLoop>(
        loop.io.get_executor(), *state, std::make_unique<RecordsOnDisk>(disk), std::make_unique<LogOnDisk>(disk), options);
    ASSERT_TRUE(scheduler->start());
  }
  // Another start, on what is stored.
  Status start_with(SchedulerOptions options) {
    stop();
    options.mesos.masters = {Endpoint{"127.0.0.1", 1}};
    scheduler = std::make_unique<SchedulerLoop>(loop.io.get_executor(), *state, std::make_unique<RecordsOnDisk>(disk),
                                                std::make_unique<LogOnDisk>(disk), options);
    return scheduler->start();
  }
  void stop() {
    loop.run(scheduler->stop());
    scheduler.reset();
  }
  Result<CreatedCluster> create(std::string name,
                                std::optional<std::string> password = std::nullopt) {
    Result<CreatedCluster> made = fail(Errc::kInternal, "never asked");
    CreateRequest request{ClusterSpec{.name = std::move(name), .user = "anna"},
                          std::move(password)};
    loop.run([](SchedulerLoop& s, CreateRequest wanted,
                Result<CreatedCluster>& out) -> asio::awaitable<void> {
      out = co_await s.create(kOperator, std::move(wanted));
    }(*scheduler, std::move(request), made));
    return made;
  }
};

TEST_F(Loop, AStateThatWasPutBackAndKnowsNoFrameworkIsRefusedUnlessItIsNamed) {
  const auto refused = start_with({.state_put_back = "state.db was put back"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::kConflict);
  EXPECT_NE(refused.error().message.find("--framework-id"), std::string::npos);
  EXPECT_TRUE(start_with({.state_put_back = "secret.key is another file than before", .state_only_moved = true}));

  ASSERT_TRUE(start_with({.framework_id = "fw-1", .state_put_back = "state.db was put back"}));
  EXPECT_EQ(RecordsOnDisk(disk).load().value().at("framework").at("state"), R"({"v":1,"id":"fw-1","former":[]})");
  EXPECT_TRUE(start_with({.framework_id = "fw-1"})) << "once more is the same";
  EXPECT_EQ(start_with({.framework_id = "fw-2"}).error().code, Errc::kConflict);
}

TEST_F(Loop, AStateThatCannotBeReadRefusesTheStartAndIsLeftAsItIs) {
  ASSERT_TRUE(create("shop"));
  stop();
  const Snapshot whole = disk.records.load().value();
  const auto refused = [&](const std::string& kind, const std::string& key, const std::string& text) {
    const Term term = disk.records.begin_term().value();
    EXPECT_TRUE(disk.records.commit(term, {PutRecord{kind, key, text}}));
    const Snapshot broken = disk.records.load().value();
    scheduler = std::make_unique<SchedulerLoop>(loop.io.get_executor(), *state, std::make_unique<RecordsOnDisk>(disk),
                                                std::make_unique<LogOnDisk>(disk), SchedulerOptions{});
    const Status started = scheduler->start();
    EXPECT_FALSE(started);
    EXPECT_EQ(disk.records.load().value(), broken);
    scheduler.reset();
    const bool was = whole.contains(kind) && whole.at(kind).contains(key);
    const RecordChange back = was ? RecordChange(PutRecord{kind, key, whole.at(kind).at(key)}) : EraseRecord{kind, key};
    EXPECT_TRUE(disk.records.commit(disk.records.begin_term().value(), {back}));
    return started ? std::string() : started.error().message;
  };
  const std::string id = whole.at("spec").begin()->first;
  EXPECT_TRUE(refused("epoch", id, R"({"v":1})").contains("the record epoch/" + id + " is damaged: epoch is missing"));
  EXPECT_TRUE(refused("spec", id, R"({"v":1000})").contains("newer Mysos"));
  EXPECT_TRUE(refused("plan", "p", R"({"v":1})").contains("plan/p"));
  start();
  EXPECT_TRUE(scheduler->cluster("shop"));
}

TEST_F(Loop, AClusterIsDurableBeforeItsCallerIsAnswered) {
  const auto made = create("shop", "a good password");
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(made->password, "a good password");
  const auto records = disk.records.load();
  ASSERT_TRUE(records);
  EXPECT_EQ(records->at("spec").size(), 1u);
  for (const auto& [kind, of_kind] : *records) {
    for (const auto& [key, text] : of_kind) EXPECT_FALSE(text.contains("a good password")) << "a secret in clear in " << kind;
  }
  EXPECT_GT(scheduler->last_event_seq(), 0u);

  stop();
  start();
  ASSERT_TRUE(scheduler->cluster("shop"));
  EXPECT_TRUE(*scheduler->is_password_of("shop", "a good password"));
  EXPECT_FALSE(*scheduler->is_password_of("shop", "another"));
}

TEST_F(Loop, ARefusalOfTheCoreIsTheAnswer) {
  ASSERT_TRUE(create("shop"));
  const auto again = create("shop");
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Errc::kConflict);
  EXPECT_EQ(create("Not A Label").error().field, "name");
}

TEST_F(Loop, WhatIsShownDoesNotWaitForADiskThatIsFull) {
  ASSERT_TRUE(create("shop"));
  disk.full = true;
  ASSERT_FALSE(create("blog"));

  ASSERT_TRUE(scheduler->cluster("blog")) << "the core goes on";
  EXPECT_NE(scheduler->cluster("shop")->waiting_for.find("no space left"), std::string::npos);
  EXPECT_FALSE(scheduler->health().ready());
  const std::string metrics = scheduler->metrics();
  EXPECT_NE(metrics.find("mysos_store_write_failing 1"), std::string::npos);
  EXPECT_NE(metrics.find("mysos_clusters{state=\"creating\"} 2"), std::string::npos) << metrics;
  EXPECT_EQ(disk.clusters(), 1u);

  disk.full = false;
  EXPECT_TRUE(loop.run_until([&] { return disk.has_event("store_recovered"); }));
  EXPECT_EQ(disk.clusters(), 2u);
  EXPECT_NE(scheduler->metrics().find("mysos_store_write_failing 0"), std::string::npos);
}

TEST_F(Loop, AKeyThatIsNotTheRightOneRefusesTheStart) {
  ASSERT_TRUE(create("shop"));
  stop();
  state.reset();
  std::filesystem::remove(dir + "/secret.key");
  state.emplace(*StateDir::open(dir));  // a new key; the store of this test is not in the directory
  scheduler =
      std::make_unique<SchedulerLoop>(loop.io.get_executor(), *state, std::make_unique<RecordsOnDisk>(disk),
                                      std::make_unique<LogOnDisk>(disk), SchedulerOptions{});
  const Status started = scheduler->start();
  ASSERT_FALSE(started);
  EXPECT_NE(started.error().message.find("secret.key"), std::string::npos);
}

TEST_F(Loop, AFullDiskIsSaidAndNothingIsLost) {
  disk.full = true;
  const auto kept = create("shop");
  ASSERT_FALSE(kept);
  EXPECT_EQ(kept.error().code, Errc::kUnavailable);
  EXPECT_NE(kept.error().message.find("no space left"), std::string::npos) << kept.error().message;
  EXPECT_EQ(scheduler->health().store_problem, "no space left on device");
  EXPECT_EQ(create("blog").error().code, Errc::kUnavailable);
  EXPECT_EQ(disk.clusters(), 0u);

  disk.full = false;
  EXPECT_TRUE(loop.run_until([&] { return scheduler->health().store_problem.empty(); }));
  EXPECT_EQ(disk.clusters(), 1u) << "the request that was kept";
  EXPECT_FALSE(scheduler->cluster("blog")) << "the request that was refused";
  EXPECT_TRUE(create("blog"));
}

TEST_F(Loop, WhoWasDeposedCarriesNothingOut) {
  ASSERT_TRUE(create("shop"));
  {
    const std::scoped_lock lock(disk.mutex);
    ASSERT_TRUE(disk.records.begin_term());
  }
  EXPECT_FALSE(create("blog"));
  EXPECT_NE(scheduler->fatal().find("another scheduler"), std::string::npos) << scheduler->fatal();
  EXPECT_EQ(disk.clusters(), 1u);
  EXPECT_FALSE(disk.has_event("blog"));
}

TEST_F(Loop, ReadingAPasswordLeavesAnEvent) {
  ASSERT_TRUE(create("shop", "a good password"));
  Result<Credentials> known = fail(Errc::kInternal, "never asked");
  loop.run([](SchedulerLoop& s, Result<Credentials>& out) -> asio::awaitable<void> {
    out = co_await s.credentials(kOperator, "shop");
  }(*scheduler, known));
  ASSERT_TRUE(known) << known.error().message;
  EXPECT_EQ(known->user, "anna");
  EXPECT_EQ(known->password, "a good password");
  EXPECT_FALSE(known->primary);
  EXPECT_TRUE(disk.has_event("credentials_read"));
}

TEST_F(Loop, EventsInTheLogNameTheCaller) {
  ASSERT_TRUE(create("shop", "a good password"));
  const auto by = [&](std::string_view kind) {
    const std::scoped_lock lock(disk.mutex);
    for (const StoredEvent& event : *disk.events.read({})) {
      if (event.json.contains(kind)) return from_json_text<Event>(event.json)->by;
    }
    return std::optional<Caller>();
  };
  EXPECT_EQ(by("cluster_created"), kOperator);
  const auto act = [&](auto wanted) {
    bool done = false;
    loop.run([](auto asked, bool& out) -> asio::awaitable<void> {
      out = (co_await std::move(asked)).has_value();
    }(std::move(wanted), done));
    return done;
  };
  EXPECT_TRUE(act(scheduler->credentials(kOperator, "shop")));
  EXPECT_EQ(by("credentials_read"), kOperator);
  EXPECT_TRUE(act(scheduler->change_credentials(kOperator, "shop", CredentialsChange::kRotate)));
  EXPECT_EQ(by("credentials_rotated"), kOperator);
  EXPECT_TRUE(act(scheduler->command(kOperator, "shop", command::Delete{})));
  EXPECT_EQ(by("cluster_deleting"), kOperator);
  EXPECT_FALSE(act(scheduler->command(kOperator, "shop", command::Delete{})));
}

TEST_F(Loop, CountsWhatThereIs) {
  ASSERT_TRUE(create("shop"));
  const std::string text = scheduler->metrics();
  EXPECT_NE(text.find("mysos_clusters{state=\"creating\"} 1"), std::string::npos) << text;
  EXPECT_NE(text.find("mysos_mesos_connected 0"), std::string::npos);
  EXPECT_NE(text.find("mysos_store_commit_seconds_count"), std::string::npos);
}

}  // namespace
}  // namespace mysos
