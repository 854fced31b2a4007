// SPDX-License-Identifier: Apache-2.0
#include "scheduler/marked_store.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/fs.h"
#include "base/slot_file.h"
#include "store/sqlite_record_store.h"

namespace mysos {
namespace {

namespace fs = std::filesystem;

struct MarkedStoreTest : ::testing::Test {
  MarkedStoreTest() {
    fs::create_directories(root);
    keep_open();
  }
  ~MarkedStoreTest() override { fs::remove_all(root); }

  // As a scheduler that starts does: `put_back` is what it is told.
  std::unique_ptr<MarkedStore> start() {
    state.reset();
    keep_open();
    auto opened = MarkedStore::open(SqliteRecordStore::open(state->store_file()).value(), *state);
    EXPECT_TRUE(opened) << opened.error().message;
    put_back = (*opened)->put_back();
    EXPECT_TRUE((*opened)->commit((*opened)->begin_term().value(), {}));
    return std::move(*opened);
  }
  void keep_open() { state = std::make_unique<StateDir>(StateDir::open(dir).value()); }
  static void change(RecordStore& store, const std::string& what) {
    EXPECT_TRUE(store.commit(store.begin_term().value(), {PutRecord{"cluster", "c", "\"" + what + "\""}}));
  }
  // Of what `mysos` has closed, which leaves no WAL behind.
  void copy(const std::string& name, const std::string& from, const std::string& to) {
    fs::copy_file(from + "/" + name, to + "/" + name, fs::copy_options::overwrite_existing);
  }

  std::string root = ::testing::TempDir() + "marked_store_" + std::to_string(::getpid());
  std::string dir = root + "/state";
  std::unique_ptr<StateDir> state;
  std::string put_back;
};

TEST_F(MarkedStoreTest, AStateThatGoesOnIsNotTakenForOneThatWasPutBack) {
  for (int i = 0; i < 3; ++i) {
    const auto store = start();
    EXPECT_EQ(put_back, "");
    change(*store, std::to_string(i));
  }
  EXPECT_EQ(fs::status(dir + "/state.mark").permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(MarkedStoreTest, AStateOfAVersionWithoutMarksIsTakenAsItIs) {
  {
    const auto old = SqliteRecordStore::open(state->store_file()).value();
    change(*old, "before");
  }
  start();
  EXPECT_EQ(put_back, "");
}

TEST_F(MarkedStoreTest, ACopyOfTheSameRunIsNoticed) {
  change(*start(), "one");
  copy("state.db", dir, root);
  change(*start(), "two");
  copy("state.db", root, dir);

  start();
  EXPECT_NE(put_back.find("state.db was put back"), std::string::npos) << put_back;
  start();
  EXPECT_EQ(put_back, "") << "the first commit was to hold what follows from it";
}

TEST_F(MarkedStoreTest, ACopyFromBeforeAnEarlierOneWasPutBackIsNoticedToo) {
  change(*start(), "one");
  copy("state.db", dir, root);
  change(*start(), "two");
  fs::create_directories(root + "/later");
  copy("state.db", dir, root + "/later");
  copy("state.db", root, dir);
  start();
  copy("state.db", root + "/later", dir);

  start();
  EXPECT_NE(put_back, "");
}

TEST_F(MarkedStoreTest, AStateOnAnotherMachineIsNoticed) {
  change(*start(), "one");
  state.reset();
  const std::string other = root + "/other";
  fs::create_directories(other);
  for (const char* name : {"state.db", "secret.key", "admin.token"}) copy(name, dir, other);
  dir = other;

  start();
  EXPECT_NE(put_back.find("without the file state.mark"), std::string::npos) << put_back;
}

TEST_F(MarkedStoreTest, ADirectoryThatWasPutBackAsAWholeIsNoticed) {
  change(*start(), "one");
  state.reset();
  fs::copy(dir, root + "/kept", fs::copy_options::recursive);
  change(*start(), "two");
  state.reset();
  fs::remove_all(dir);
  fs::copy(root + "/kept", dir, fs::copy_options::recursive);

  start();
  EXPECT_NE(put_back.find("secret.key is another file than before"), std::string::npos) << put_back;
}

TEST_F(MarkedStoreTest, ACrashBetweenStoreAndMarkIsNoRestore) {
  change(*start(), "one");
  const std::string mark = read_slot_file(dir + "/state.mark").value().value();
  change(*start(), "two");  // two commits: the first one of a start counts, too
  ASSERT_TRUE(write_slot_file(dir + "/state.mark", std::to_string(std::stoull(mark) + 1), 0600));

  start();
  EXPECT_EQ(put_back, "");
}

TEST_F(MarkedStoreTest, NothingIsNoChange) {
  const auto store = start();
  const auto mark = read_slot_file(dir + "/state.mark").value();
  ASSERT_TRUE(store->commit(store->begin_term().value(), {}));
  EXPECT_EQ(read_slot_file(dir + "/state.mark").value(), mark);
}

TEST_F(MarkedStoreTest, TheMarkIsNoRecordOfTheScheduler) {
  const auto store = start();
  change(*store, "one");
  EXPECT_EQ(store->load().value(), (Snapshot{{"cluster", {{"c", "\"one\""}}}}));
}

TEST_F(MarkedStoreTest, WhoWasDeposedRaisesNoMark) {
  const auto store = start();
  const Term mine = store->begin_term().value();
  ASSERT_TRUE(store->begin_term());
  const auto mark = read_slot_file(dir + "/state.mark").value();
  EXPECT_EQ(store->commit(mine, {PutRecord{"cluster", "c", "1"}}).error().code, Errc::kFenced);
  EXPECT_EQ(read_slot_file(dir + "/state.mark").value(), mark);
}

TEST_F(MarkedStoreTest, AMarkThatCannotBeReadIsAnError) {
  start();
  state.reset();
  ASSERT_TRUE(write_file_atomic(dir + "/state.mark", "nonsense", 0600));
  keep_open();
  EXPECT_FALSE(MarkedStore::open(SqliteRecordStore::open(state->store_file()).value(), *state));
}

}  // namespace
}  // namespace mysos
