// SPDX-License-Identifier: Apache-2.0
// What a store on disk survives.
#include "store/sqlite_store.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "base/fs.h"
#include "base/prng.h"
#include "base/test_dir.h"
#include "store/sqlite.h"

namespace mysos {
namespace {
constexpr int kKills = 15;
constexpr int kRecordsPerCommit = 20;

std::unique_ptr<SqliteStore> open(const std::string& path, SqliteOptions options = {}) {
  auto store = SqliteStore::open(path, options);
  EXPECT_TRUE(store) << store.error().message;
  return *std::move(store);
}

mode_t mode_of(const std::string& path) {
  struct stat info{};
  EXPECT_EQ(::stat(path.c_str(), &info), 0) << path;
  return info.st_mode & 0777;
}

TEST(SqliteStore, ReopensWithEverythingAndGoesOnCounting) {
  const TestDir dir;
  {
    auto store = open(dir / "db");
    ASSERT_TRUE(store->commit({PutRecord{"k", "a", "1"}, AppendEvent{"c", 5, "e"}}));
  }
  auto store = open(dir / "db");
  EXPECT_EQ(store->load().value(), (Snapshot{{"k", {{"a", "1"}}}}));
  EXPECT_EQ(store->last_event_seq().value(), 1U);
  ASSERT_TRUE(store->commit({AppendEvent{"c", 6, "e"}}));
  EXPECT_EQ(store->events({.after_seq = 1}).value().at(0).seq, 2U);
}

TEST(SqliteStore, ItsFilesAreItsOwnersOnly) {
  const TestDir dir;
  ASSERT_TRUE(append_file(dir / "db", "", 0644));
  const auto store = open(dir / "db");
  ASSERT_TRUE(store->commit({PutRecord{"k", "a", "1"}}));
  EXPECT_EQ(mode_of(dir / "db"), 0600U);
  EXPECT_EQ(mode_of(dir / "db-wal"), 0600U);
}

TEST(SqliteStore, ASchemaOfANewerVersionIsRefusedAndLeftAlone) {
  const TestDir dir;
  {
    ASSERT_TRUE(open(dir / "db")->commit({PutRecord{"k", "a", "1"}}));
  }
  {
    ASSERT_TRUE(SqliteDatabase::open(dir / "db").value().execute("PRAGMA user_version=99"));
  }

  const auto refused = SqliteStore::open(dir / "db");

  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::kConflict);
  EXPECT_NE(refused.error().message.find("written by a newer Mysos"), std::string::npos);
  auto database = SqliteDatabase::open(dir / "db").value();
  EXPECT_EQ(database.number("PRAGMA user_version").value(), 99);
}

TEST(SqliteStore, WhatIsNoStoreIsAnErrorThatNamesIt) {
  const TestDir dir;
  ASSERT_TRUE(append_file(dir / "db", std::string(5000, 'x')));
  const auto garbage = SqliteStore::open(dir / "db");
  ASSERT_FALSE(garbage);
  EXPECT_EQ(garbage.error().code, Errc::kIo);
  EXPECT_NE(garbage.error().message.find(dir / "db"), std::string::npos) << garbage.error().message;
  EXPECT_EQ(SqliteStore::open(dir / "no/db").error().code, Errc::kNotFound);
}

TEST(SqliteStore, AFullDiskIsToldAndNothingIsHalfWritten) {
  const TestDir dir;
  auto store = open(dir / "db", {.max_pages = 20});
  ASSERT_TRUE(store->commit({PutRecord{"k", "small", "1"}}));

  const Status full = store->commit(
      {PutRecord{"k", "small", "2"}, PutRecord{"k", "big", std::string(1'000'000, 'x')}});

  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().code, Errc::kIo);
  EXPECT_NE(full.error().message.find("disk is full"), std::string::npos) << full.error().message;
  EXPECT_EQ(store->load().value(), (Snapshot{{"k", {{"small", "1"}}}}));
  EXPECT_TRUE(store->commit({PutRecord{"k", "small", "3"}}));
}

TEST(SqliteStore, AnotherWriterIsWaitedForButNotForever) {
  const TestDir dir;
  auto store = open(dir / "db", {.busy_timeout_ms = 10});
  auto other = SqliteDatabase::open(dir / "db").value();
  {
    const auto held = SqliteTransaction::begin(other);
    ASSERT_TRUE(held);
    EXPECT_EQ(store->commit({PutRecord{"k", "a", "1"}}).error().code, Errc::kUnavailable);
  }
  EXPECT_TRUE(store->commit({PutRecord{"k", "a", "1"}}));
}

// Commits number n puts n into every record; the pipe hears of it after it returned.
[[noreturn]] void commit_until_killed(const std::string& path, int report) {
  auto store = SqliteStore::open(path);
  if (!store) ::_exit(1);
  const auto loaded = (*store)->load().value_or(Snapshot{});
  int n = loaded.empty() ? 0 : std::stoi(loaded.at("k").at("0"));
  while (true) {
    ++n;
    std::vector<StoreChange> changes;
    for (int i = 0; i < kRecordsPerCommit; ++i)
      changes.emplace_back(PutRecord{"k", std::to_string(i), std::to_string(n)});
    changes.emplace_back(AppendEvent{"c", n, std::to_string(n)});
    if (!(*store)->commit(changes)) ::_exit(2);
    if (::write(report, &n, sizeof n) != sizeof n) ::_exit(3);
  }
}

TEST(SqliteStore, KilledDuringCommitsItHasEveryAcknowledgedOneAndNoneByHalves) {
  const TestDir dir;
  Prng random(7);
  for (int kill = 0; kill < kKills; ++kill) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) commit_until_killed(dir / "db", ends[1]);
    ::close(ends[1]);
    int acknowledged = 0;
    const auto commits = 1 + random.below(20);
    for (std::uint64_t i = 0; i < commits; ++i) {
      ASSERT_EQ(::read(ends[0], &acknowledged, sizeof acknowledged),
                static_cast<ssize_t>(sizeof acknowledged));
    }
    ::kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << status;
    int last = 0;
    while (::read(ends[0], &last, sizeof last) == static_cast<ssize_t>(sizeof last))
      acknowledged = last;
    ::close(ends[0]);

    auto store = open(dir / "db");
    const Snapshot snapshot = store->load().value();
    const std::string n = snapshot.at("k").at("0");
    EXPECT_GE(std::stoi(n), acknowledged);
    EXPECT_LE(std::stoi(n), acknowledged + 1);
    for (const auto& [key, value] : snapshot.at("k")) EXPECT_EQ(value, n) << key;
    EXPECT_EQ(std::to_string(store->last_event_seq().value()), n);
  }
}

}  // namespace
}  // namespace mysos
