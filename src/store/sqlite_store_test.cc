// SPDX-License-Identifier: Apache-2.0
// What a store on disk survives.
#include "store/sqlite_record_store.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "base/fs.h"
#include "base/prng.h"
#include "base/test_dir.h"
#include "store/sqlite_event_log.h"

namespace mysos {
namespace {
constexpr int kKills = 15;
constexpr int kRecordsPerCommit = 20;

// A store and the term that it was opened with.
struct Opened {
  std::unique_ptr<SqliteRecordStore> store;
  Term term = 0;
  Status commit(const std::vector<RecordChange>& changes) const { return store->commit(term, changes); }
};

Opened open(const std::string& path, SqliteOptions options = {}) {
  auto store = SqliteRecordStore::open(path, options);
  EXPECT_TRUE(store) << store.error().message;
  const Term term = (*store)->begin_term().value_or(0);
  return {*std::move(store), term};
}

mode_t mode_of(const std::string& path) {
  struct stat info{};
  EXPECT_EQ(::stat(path.c_str(), &info), 0) << path;
  return info.st_mode & 0777;
}

TEST(SqliteStore, ReopensWithEverythingAndGoesOnCounting) {
  const TestDir dir;
  Term first = 0;
  {
    const Opened records = open(dir / "db");
    first = records.term;
    ASSERT_TRUE(records.commit({PutRecord{"k", "a", "1"}}));
    ASSERT_TRUE(SqliteEventLog::open(dir / "log").value()->append({NewEvent{"c", "shop", 5, "e"}}));
  }
  const Opened records = open(dir / "db");
  EXPECT_EQ(records.store->load().value(), (Snapshot{{"k", {{"a", "1"}}}}));
  EXPECT_GT(records.term, first);
  const auto log = SqliteEventLog::open(dir / "log").value();
  EXPECT_EQ(log->last_seq().value(), 1U);
  EXPECT_EQ(log->append({NewEvent{"c", "shop", 6, "e"}}).value(), 2U);
}

TEST(SqliteStore, ItsFilesAreItsOwnersOnly) {
  const TestDir dir;
  ASSERT_TRUE(append_file(dir / "db", "", 0644));
  const Opened records = open(dir / "db");
  ASSERT_TRUE(records.commit({PutRecord{"k", "a", "1"}}));
  const auto log = SqliteEventLog::open(dir / "log").value();
  ASSERT_TRUE(log->append({NewEvent{"c", "shop", 5, "e"}}));
  for (const char* file : {"db", "db-wal", "log", "log-wal"}) EXPECT_EQ(mode_of(dir / file), 0600U) << file;
}

TEST(SqliteStore, ASchemaOfANewerVersionIsRefusedAndLeftAlone) {
  const TestDir dir;
  {
    ASSERT_TRUE(open(dir / "db").commit({PutRecord{"k", "a", "1"}}));
  }
  {
    ASSERT_TRUE(SqliteDatabase::open(dir / "db").value().execute("PRAGMA user_version=99"));
  }

  const auto refused = SqliteRecordStore::open(dir / "db");

  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::kConflict);
  EXPECT_NE(refused.error().message.find("written by a newer Mysos"), std::string::npos);
  auto database = SqliteDatabase::open(dir / "db").value();
  EXPECT_EQ(database.number("PRAGMA user_version").value(), 99);
}

TEST(SqliteStore, WhatIsNoStoreIsAnErrorThatNamesIt) {
  const TestDir dir;
  ASSERT_TRUE(append_file(dir / "db", std::string(5000, 'x')));
  const auto garbage = SqliteRecordStore::open(dir / "db");
  ASSERT_FALSE(garbage);
  EXPECT_EQ(garbage.error().code, Errc::kIo);
  EXPECT_NE(garbage.error().message.find(dir / "db"), std::string::npos) << garbage.error().message;
  EXPECT_EQ(SqliteRecordStore::open(dir / "no/db").error().code, Errc::kNotFound);
}

TEST(SqliteStore, AFullDiskIsToldAndNothingIsHalfWritten) {
  const TestDir dir;
  const Opened records = open(dir / "db", {.max_pages = 20});
  ASSERT_TRUE(records.commit({PutRecord{"k", "small", "1"}}));

  const Status full =
      records.commit({PutRecord{"k", "small", "2"}, PutRecord{"k", "big", std::string(kMaxRecordBytes, 'x')}});

  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().code, Errc::kIo);
  EXPECT_NE(full.error().message.find("disk is full"), std::string::npos) << full.error().message;
  EXPECT_EQ(records.store->load().value(), (Snapshot{{"k", {{"small", "1"}}}}));
  EXPECT_TRUE(records.commit({PutRecord{"k", "small", "3"}}));
}

TEST(SqliteStore, AnotherWriterIsWaitedForButNotForever) {
  const TestDir dir;
  const Opened records = open(dir / "db", {.busy_timeout_ms = 10});
  auto other = SqliteDatabase::open(dir / "db").value();
  {
    const auto held = SqliteTransaction::begin(other);
    ASSERT_TRUE(held);
    EXPECT_EQ(records.commit({PutRecord{"k", "a", "1"}}).error().code, Errc::kUnavailable);
  }
  EXPECT_TRUE(records.commit({PutRecord{"k", "a", "1"}}));
}

// The file as 0.1 made it.
void make_file_of_0_1(const std::string& path) {
  auto database = SqliteDatabase::open(path).value();
  ASSERT_TRUE(database.execute(R"(
    CREATE TABLE record (kind TEXT NOT NULL, key TEXT NOT NULL, json TEXT NOT NULL, PRIMARY KEY (kind, key))
      STRICT, WITHOUT ROWID;
    CREATE TABLE event (seq INTEGER PRIMARY KEY AUTOINCREMENT, cluster TEXT NOT NULL, time_ms INTEGER NOT NULL,
      json TEXT NOT NULL) STRICT;
    CREATE INDEX event_by_cluster ON event (cluster, seq);
    PRAGMA user_version=1;
    INSERT INTO record VALUES ('cluster', 'aaaaaaaa', '{"spec":{"name":"shop"},"created":100}');
    INSERT INTO event VALUES (7, 'shop', 90, 'of a shop before'), (8, 'shop', 100, 'created'), (9, '', 110, 'of none'),
      (10, 'blog', 120, 'of one that was deleted'), (12, 'shop', 130, 'newest');
  )"));
}

TEST(SqliteStore, TheEventsOf01MoveToTheLogWithTheIdsOfTheirClusters) {
  const TestDir dir;
  make_file_of_0_1(dir / "db");
  {
    const Opened records = open(dir / "db");
    EXPECT_EQ(records.store->load().value().at("cluster").size(), 1U);
  }
  const auto log = SqliteEventLog::open(dir / "log").value();
  for (int times = 0; times < 2; ++times) ASSERT_TRUE(log->take_events_of_0_1(dir / "db"));

  std::map<std::uint64_t, std::string> by_seq;
  for (const StoredEvent& event : log->read({}).value()) by_seq[event.seq] = event.cluster + ": " + event.json;
  EXPECT_EQ(by_seq, (std::map<std::uint64_t, std::string>{{7, ": of a shop before"},
                                                          {8, "aaaaaaaa: created"},
                                                          {9, ": of none"},
                                                          {10, ": of one that was deleted"},
                                                          {12, "aaaaaaaa: newest"}}));
  EXPECT_EQ(log->append({NewEvent{"aaaaaaaa", "shop", 140, "next"}}).value(), 13U);
  EXPECT_EQ(SqliteDatabase::open(dir / "db").value().number("SELECT count(*) FROM sqlite_schema WHERE name = 'event'"), 0);
}

// Commits number n puts n into every record; the pipe hears of it after it returned.
[[noreturn]] void commit_until_killed(const std::string& path, int report) {
  auto store = SqliteRecordStore::open(path);
  if (!store) ::_exit(1);
  const Term term = (*store)->begin_term().value_or(0);
  const auto loaded = (*store)->load().value_or(Snapshot{});
  int n = loaded.empty() ? 0 : std::stoi(loaded.at("k").at("0"));
  while (true) {
    ++n;
    std::vector<RecordChange> changes;
    for (int i = 0; i < kRecordsPerCommit; ++i)
      changes.emplace_back(PutRecord{"k", std::to_string(i), std::to_string(n)});
    if (!(*store)->commit(term, changes)) ::_exit(2);
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

    const Snapshot snapshot = open(dir / "db").store->load().value();
    const std::string n = snapshot.at("k").at("0");
    EXPECT_GE(std::stoi(n), acknowledged);
    EXPECT_LE(std::stoi(n), acknowledged + 1);
    for (const auto& [key, value] : snapshot.at("k")) EXPECT_EQ(value, n) << key;
  }
}

}  // namespace
}  // namespace mysos
