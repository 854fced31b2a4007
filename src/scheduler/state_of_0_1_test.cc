// SPDX-License-Identifier: Apache-2.0
// A state directory that version 0.1 left behind (testdata/state_of_0_1.sql, written by its binary), and what an upgrade does.
#include <filesystem>

#include "base/test_dir.h"
#include "base/test_loop.h"
#include "core/state/records.h"
#include "scheduler/marked_store.h"
#include "scheduler/scheduler_loop.h"
#include "scheduler/state_backup.h"
#include "store/memory_store.h"
#include "store/sqlite_event_log.h"
#include "store/sqlite_record_store.h"

namespace mysos {
namespace {

constexpr auto kTestdata = MYSOS_SOURCE_DIR "/src/scheduler/testdata";
constexpr auto kPasswordOfShop = "R1wNA5XBoCw00dOMYHCDWhNQsCFUdh66";

struct StateOf01 : ::testing::Test {
  TestDir root;
  std::string dir = root / "state";
  TestLoop loop;
  std::optional<StateDir> state;
  std::unique_ptr<SchedulerLoop> scheduler;

  void SetUp() override {
    std::filesystem::create_directory(dir);
    const std::string sql = read_file(std::string(kTestdata) + "/state_of_0_1.sql").value();
    ASSERT_TRUE(SqliteDatabase::open(dir + "/state.db").value().execute(sql));
    const std::string key = read_file(std::string(kTestdata) + "/secret_key_of_0_1").value();
    ASSERT_TRUE(write_file_atomic(dir + "/secret.key", key, 0600));
  }
  void TearDown() override { stop(); }

  [[nodiscard]] Snapshot records() const { return SqliteRecordStore::open(dir + "/state.db").value()->load().value(); }
  [[nodiscard]] std::size_t times_told(const std::string& kind) const {
    std::size_t times = 0;
    for (const StoredEvent& e : SqliteEventLog::open(dir + "/events.db").value()->read({}).value()) {
      times += e.json.contains("\"kind\":\"" + kind + "\"") ? 1 : 0;
    }
    return times;
  }

  // As `mysos scheduler` does.
  Status start() {
    state.emplace(StateDir::open(dir).value());
    auto marked = MarkedStore::open(SqliteRecordStore::open(state->store_file()).value(), *state);
    if (!marked) return std::unexpected(marked.error());
    auto log = SqliteEventLog::open(state->event_file()).value();
    MYSOS_TRY_VOID(log->take_events_of_0_1(state->store_file()));
    SchedulerOptions options;
    options.mesos.masters = {Endpoint{"127.0.0.1", 1}};  // nobody listens there
    options.state_put_back = (*marked)->put_back();
    scheduler = std::make_unique<SchedulerLoop>(loop.io.get_executor(), *state, *std::move(marked), std::move(log), options);
    return scheduler->start();
  }
  void stop() {
    if (scheduler) loop.run(scheduler->stop());
    scheduler.reset();
    state.reset();
  }
};

TEST_F(StateOf01, IsMigratedAtTheFirstStartAndNothingIsLost) {
  const Status started = start();
  ASSERT_TRUE(started) << started.error().message;
  const auto shop = scheduler->cluster("shop");
  ASSERT_TRUE(shop);
  EXPECT_EQ(shop->cluster->epoch.pair, (Pair{2, 1}));
  EXPECT_EQ(shop->cluster->epoch.primary, MemberId("huwfo3h2-1"));
  EXPECT_EQ(shop->cluster->epoch.floor, *GtidSet::parse("0-1-17"));
  ASSERT_EQ(shop->cluster->members.size(), 3U);
  EXPECT_EQ(shop->cluster->members[1].promotion, Promotion::kPrefer);
  EXPECT_EQ(shop->cluster->members[2].volume_name, "sNfqJeSzwbsyk-GxSvNY8lA2rk1Goyg3FyneQXyfA3g");
  EXPECT_EQ(shop->cluster->next_server_id, kFirstServerId + 3) << "each member has one for its next data";
  EXPECT_TRUE(*scheduler->is_password_of("shop", kPasswordOfShop));
  ASSERT_TRUE(scheduler->cluster("blog"));
  EXPECT_EQ(scheduler->cluster("blog")->cluster->epoch.mode, EpochMode::kSolo);

  Snapshot then = records();
  EXPECT_FALSE(then.contains("cluster"));
  EXPECT_EQ(then.at("framework").size(), 1U);
  EXPECT_EQ(then.at("spec").size(), 2U);
  EXPECT_EQ(then.at("member").size(), 4U);
  then.erase(kMarkKind);
  EXPECT_EQ(SchedulerState::recover(then)->framework, FrameworkId("9f102cc6-fbb1-e2e1-6ec4-80a585c361fd-0000"));
  EXPECT_TRUE(loop.run_until([&] { return times_told("state_migrated") == 1; }));
  EXPECT_EQ(times_told("failover_ended"), 1U) << "the history is kept";

  stop();
  ASSERT_TRUE(start());
  EXPECT_TRUE(scheduler->cluster("shop"));
  EXPECT_EQ(times_told("state_migrated"), 1U) << "once";
}

// 0.1 looks at the number of the schema, and knows 1.
TEST_F(StateOf01, IsNotReadBy01AnyMore) {
  ASSERT_TRUE(start());
  stop();
  EXPECT_GT(SqliteDatabase::open(dir + "/state.db").value().number("PRAGMA user_version").value(), 1);
}

TEST_F(StateOf01, ThatIsDamagedIsRefusedAndLeftAsItIs) {
  ASSERT_TRUE(SqliteDatabase::open(dir + "/state.db")
                  .value()
                  .execute("UPDATE record SET json = replace(json, '\"floor\":', '\"flo\":') WHERE key = 'huwfo3h2'"));
  const Snapshot before = records();
  const Status started = start();
  ASSERT_FALSE(started);
  EXPECT_TRUE(started.error().message.contains("cluster/huwfo3h2 of version 0.1 is damaged: floor is missing"))
      << started.error().message;
  EXPECT_EQ(records(), before);
}

TEST_F(StateOf01, IsCopiedAndPutBackByThisVersion) {
  { ASSERT_TRUE(StateDir::open(dir)); }  // makes the token
  EXPECT_EQ(back_up_state(dir, root / "copy"), 2U);
  EXPECT_EQ(SqliteDatabase::open(root / "copy/state.db").value().number("PRAGMA user_version"), 1) << "0.1 can read the copy";
  EXPECT_FALSE(path_exists(root / "copy/state.db.look"));
  EXPECT_EQ(restore_state(root / "copy", dir), 2U);
  ASSERT_TRUE(start());
  EXPECT_TRUE(scheduler->cluster("shop"));
}

}  // namespace
}  // namespace mysos
