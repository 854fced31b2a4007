// SPDX-License-Identifier: Apache-2.0
#include "scheduler/state_backup.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "core/state/records.h"
#include "scheduler/marked_store.h"
#include "store/sqlite_record_store.h"

namespace mysos {
namespace {

namespace fs = std::filesystem;

struct StateBackupTest : ::testing::Test {
  std::string root = (fs::temp_directory_path() / ("mysos-backup-" + std::to_string(::getpid()))).string();
  std::string dir = root + "/dir";
  std::string to = root + "/copies/first";
  void SetUp() override {
    fs::remove_all(root);
    fs::create_directories(root);
  }
  void TearDown() override { fs::remove_all(root); }

  static void put(RecordStore& store, const std::vector<Record>& records) {
    std::vector<RecordChange> changes;
    for (const Record& r : records) changes.emplace_back(PutRecord{r.kind, r.key, *r.json});
    const auto term = store.begin_term();
    ASSERT_TRUE(term && store.commit(*term, changes));
  }
  static std::vector<Record> framework_record() {
    SchedulerState state;
    state.framework = FrameworkId("fw-1");
    return {mysos::framework_record(state)};
  }
  static std::vector<Record> cluster_records(const std::string& id) {
    Cluster cluster;
    cluster.id = ClusterId(id);
    cluster.spec.name = id;
    cluster.spec.members = 0;
    return mysos::cluster_records(nullptr, &cluster);
  }
  static mode_t mode_of(const std::string& path) {
    struct stat info{};
    EXPECT_EQ(::stat(path.c_str(), &info), 0) << path;
    return info.st_mode & 0777;
  }
};

TEST_F(StateBackupTest, ACopyIsMadeWhileTheStateIsInUseAndIsNoticedWhenItIsPutBack) {
  {
    const auto state = StateDir::open(dir);
    ASSERT_TRUE(state);
    auto store = MarkedStore::open(*SqliteRecordStore::open(state->store_file()), *state);
    ASSERT_TRUE(store);
    put(**store, framework_record());
    put(**store, cluster_records("a"));
    EXPECT_EQ(back_up_state(dir, to + "/"), 1U);
    put(**store, cluster_records("b"));
    EXPECT_EQ(back_up_state(dir, to).error().code, Errc::kConflict) << "a copy is never written over another";
    EXPECT_EQ(restore_state(to, dir).error().code, Errc::kConflict) << "a scheduler runs on it";
  }
  EXPECT_EQ(mode_of(to), 0700U);
  for (const char* name : {"/state.db", "/secret.key", "/admin.token"}) EXPECT_EQ(mode_of(to + name), 0600U) << name;
  EXPECT_FALSE(path_exists(to + ".part"));

  EXPECT_EQ(restore_state(to, dir), 1U);
  EXPECT_FALSE(path_exists(dir + "/state.db-wal")) << "it is of the other database";
  EXPECT_TRUE(path_exists(dir + "/state.replaced/state.db"));
  const auto state = StateDir::open(dir);
  ASSERT_TRUE(state);
  auto store = MarkedStore::open(*SqliteRecordStore::open(state->store_file()), *state);
  ASSERT_TRUE(store);
  EXPECT_EQ((*store)->load()->at("spec").size(), 1U);
  EXPECT_NE((*store)->put_back(), "");
}

TEST_F(StateBackupTest, ACopyIsPutBackWhereThereIsNothing) {
  std::string token;
  {
    const auto state = StateDir::open(dir);
    ASSERT_TRUE(state);
    token = state->admin_token();
    auto store = SqliteRecordStore::open(state->store_file());
    put(**store, framework_record());
  }
  ASSERT_TRUE(back_up_state(dir, to));
  ASSERT_TRUE(restore_state(to, root + "/new"));
  const auto state = StateDir::open(root + "/new");
  ASSERT_TRUE(state);
  EXPECT_EQ(state->admin_token(), token);
  EXPECT_EQ(read_file(root + "/new/secret.key").value(), read_file(dir + "/secret.key").value());
}

TEST_F(StateBackupTest, WhatIsNoStateIsRefusedAndNothingIsLeft) {
  EXPECT_EQ(back_up_state(root + "/none", to).error().code, Errc::kNotFound);
  EXPECT_EQ(restore_state(root, dir).error().code, Errc::kNotFound);
  {
    const auto state = StateDir::open(dir);
    ASSERT_TRUE(state && SqliteRecordStore::open(state->store_file()));
  }
  EXPECT_EQ(back_up_state(dir, to).error().code, Errc::kUnavailable) << "it is not registered with Mesos";
  EXPECT_FALSE(path_exists(to));
  EXPECT_FALSE(path_exists(to + ".part"));
}

TEST_F(StateBackupTest, WhatCannotBeReadIsNeitherCopiedNorPutBack) {
  const auto spoil = [&](const std::string& database) {
    auto store = SqliteRecordStore::open(database);
    put(**store, {Record{"epoch", "a", R"({"v":1})"}});
  };
  {
    const auto state = StateDir::open(dir);
    auto store = SqliteRecordStore::open(state->store_file());
    put(**store, framework_record());
    put(**store, cluster_records("a"));
  }
  ASSERT_TRUE(back_up_state(dir, to));
  spoil(dir + "/state.db");
  const auto copied = back_up_state(dir, root + "/copies/second");
  ASSERT_FALSE(copied);
  EXPECT_TRUE(copied.error().message.contains("epoch/a is damaged")) << copied.error().message;
  EXPECT_FALSE(path_exists(root + "/copies/second"));
  ASSERT_TRUE(restore_state(to, dir));
  spoil(to + "/state.db");
  EXPECT_FALSE(restore_state(to, dir));
  EXPECT_EQ(back_up_state(dir, root + "/copies/third"), 1U) << "what was there is left as it was";
}

TEST_F(StateBackupTest, AnotherKeyIsNotReplaced) {
  {
    const auto state = StateDir::open(dir);
    auto store = SqliteRecordStore::open(state->store_file());
    put(**store, framework_record());
  }
  ASSERT_TRUE(back_up_state(dir, to));
  ASSERT_TRUE(StateDir::open(root + "/other"));
  const auto refused = restore_state(to, root + "/other");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::kConflict);
  EXPECT_NE(refused.error().message.find("another key"), std::string::npos);
}

}  // namespace
}  // namespace mysos
