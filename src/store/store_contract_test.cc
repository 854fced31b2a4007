// SPDX-License-Identifier: Apache-2.0
// What every record store and every event log does, asked of each.
#include <gtest/gtest.h>

#include <functional>
#include <memory>

#include "base/test_dir.h"
#include "store/memory_store.h"
#include "store/sqlite_event_log.h"
#include "store/sqlite_record_store.h"

namespace mysos {
namespace {
constexpr std::size_t kFewEvents = 5;

struct Kind {
  const char* name;
  std::function<std::unique_ptr<RecordStore>(const TestDir&)> records;
  std::function<std::unique_ptr<EventLog>(const TestDir&)> events;
};

const Kind kKinds[] = {
    {"Memory", [](const TestDir&) { return std::make_unique<MemoryRecordStore>(); },
     [](const TestDir&) { return std::make_unique<MemoryEventLog>(kFewEvents); }},
    {"Sqlite",
     [](const TestDir& dir) -> std::unique_ptr<RecordStore> { return SqliteRecordStore::open(dir / "records").value(); },
     [](const TestDir& dir) -> std::unique_ptr<EventLog> {
       return SqliteEventLog::open(dir / "events", kFewEvents).value();
     }},
};

class RecordStoreContract : public ::testing::TestWithParam<Kind> {
 protected:
  TestDir dir;
  std::unique_ptr<RecordStore> store = GetParam().records(dir);
  Term term = store->begin_term().value();
};

TEST_P(RecordStoreContract, StartsEmpty) {
  EXPECT_TRUE(store->load().value().empty());
  EXPECT_TRUE(store->commit(term, {}));
}

TEST_P(RecordStoreContract, KeepsWhatWasPutLast) {
  ASSERT_TRUE(store->commit(term, {PutRecord{"cluster", "a", "{}"}, PutRecord{"cluster", "b", "1"},
                                   PutRecord{"member", "a", "2"}}));
  ASSERT_TRUE(store->commit(term, {PutRecord{"cluster", "a", "{\"x\":\"\u00e9'\\u0000\"}"}}));
  const Snapshot expected = {{"cluster", {{"a", "{\"x\":\"\u00e9'\\u0000\"}"}, {"b", "1"}}},
                             {"member", {{"a", "2"}}}};
  EXPECT_EQ(store->load().value(), expected);
}

TEST_P(RecordStoreContract, AppliesChangesInTheirOrder) {
  ASSERT_TRUE(store->commit(term, {PutRecord{"k", "a", "1"}, EraseRecord{"k", "a"}, PutRecord{"k", "b", "2"},
                                   PutRecord{"k", "b", "3"}, EraseRecord{"k", "none"}, EraseRecord{"none", "none"}}));
  EXPECT_EQ(store->load().value(), (Snapshot{{"k", {{"b", "3"}}}}));
  ASSERT_TRUE(store->commit(term, {EraseRecord{"k", "b"}}));
  EXPECT_TRUE(store->load().value().empty());
}

TEST_P(RecordStoreContract, ACommitThatIsRefusedChangesNothing) {
  const std::string huge(kMaxRecordBytes + 1, 'x');
  EXPECT_EQ(store->commit(term, {PutRecord{"k", "a", "1"}, PutRecord{"k", "b", huge}}).error().code, Errc::kTooLarge);
  EXPECT_EQ(store->commit(term, {PutRecord{"k", "a", "1"}, PutRecord{"", "b", "1"}}).error().code, Errc::kInvalid);
  EXPECT_EQ(store->commit(term, {PutRecord{"k", "a", "1"}, EraseRecord{"k", ""}}).error().code, Errc::kInvalid);
  EXPECT_TRUE(store->load().value().empty());
  ASSERT_TRUE(store->commit(term, {PutRecord{"k", "a", huge.substr(1)}}));
  EXPECT_EQ(store->load().value().at("k").at("a").size(), kMaxRecordBytes);
}

TEST_P(RecordStoreContract, WhoWasDeposedChangesNothingAnyMore) {
  ASSERT_TRUE(store->commit(term, {PutRecord{"k", "a", "mine"}}));
  const Term later = store->begin_term().value();
  EXPECT_GT(later, term);

  const Status refused = store->commit(term, {PutRecord{"k", "a", "mine again"}, PutRecord{"k", "b", "1"}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::kFenced);
  EXPECT_EQ(store->commit(later + 1, {PutRecord{"k", "a", "of a term that nobody began"}}).error().code, Errc::kFenced);
  EXPECT_EQ(store->load().value(), (Snapshot{{"k", {{"a", "mine"}}}}));
  EXPECT_TRUE(store->commit(later, {PutRecord{"k", "a", "theirs"}}));
}

INSTANTIATE_TEST_SUITE_P(Stores, RecordStoreContract, ::testing::ValuesIn(kKinds),
                         [](const auto& kind) { return std::string(kind.param.name); });

class EventLogContract : public ::testing::TestWithParam<Kind> {
 protected:
  TestDir dir;
  std::unique_ptr<EventLog> log = GetParam().events(dir);

  std::vector<std::uint64_t> seqs(const EventQuery& query) {
    std::vector<std::uint64_t> found;
    for (const auto& event : log->read(query).value()) found.push_back(event.seq);
    return found;
  }
};
using Seqs = std::vector<std::uint64_t>;

TEST_P(EventLogContract, StartsEmpty) {
  EXPECT_TRUE(log->read({}).value().empty());
  EXPECT_EQ(log->last_seq().value(), 0U);
  EXPECT_EQ(log->append({}).value(), 0U);
  EXPECT_EQ(log->newest_named("shop").value(), "");
}

TEST_P(EventLogContract, EventsAreReadInTheirOrderAndByCluster) {
  EXPECT_EQ(log->append({NewEvent{"a", "shop", 10, "e1"}, NewEvent{"b", "blog", 20, "e2"}}).value(), 2U);
  EXPECT_EQ(log->append({NewEvent{"", "", 30, "e3"}, NewEvent{"a", "shop", 40, "e4"}}).value(), 4U);

  EXPECT_EQ(seqs({}), (Seqs{1, 2, 3, 4}));
  EXPECT_EQ(seqs({.after_seq = 2}), (Seqs{3, 4}));
  EXPECT_EQ(seqs({.after_seq = 4}), Seqs{});
  EXPECT_EQ(seqs({.limit = 2}), (Seqs{1, 2}));
  EXPECT_EQ(seqs({.cluster = "a"}), (Seqs{1, 4}));
  EXPECT_EQ(seqs({.after_seq = 1, .cluster = "a"}), (Seqs{4}));
  EXPECT_EQ(seqs({.limit = 1, .cluster = "a"}), (Seqs{1}));
  EXPECT_EQ(seqs({.cluster = ""}), (Seqs{3}));
  EXPECT_EQ(seqs({.limit = 0}), Seqs{});
  const StoredEvent last = log->read({.after_seq = 3}).value().at(0);
  EXPECT_EQ(last.cluster, "a");
  EXPECT_EQ(last.time_ms, 40);
  EXPECT_EQ(last.json, "e4");
}

TEST_P(EventLogContract, ANameMeansTheClusterThatHadItLast) {
  ASSERT_TRUE(log->append({NewEvent{"a", "shop", 1, "e"}, NewEvent{"b", "shop", 2, "e"}, NewEvent{"", "shop", 3, "e"},
                           NewEvent{"c", "blog", 4, "e"}}));
  EXPECT_EQ(log->newest_named("shop").value(), "b");
  EXPECT_EQ(log->newest_named("blog").value(), "c");
  EXPECT_EQ(log->newest_named("a").value(), "");
}

TEST_P(EventLogContract, KeepsTheNewestEventsAndNeverReusesANumber) {
  for (int i = 0; i < 12; ++i) ASSERT_TRUE(log->append({NewEvent{"a", "shop", i, "e"}}));
  EXPECT_EQ(seqs({}), (Seqs{8, 9, 10, 11, 12}));
  EXPECT_EQ(log->last_seq().value(), 12U);
  ASSERT_TRUE(log->append(std::vector<NewEvent>(20, NewEvent{"a", "shop", 0, "e"})));
  EXPECT_EQ(seqs({}), (Seqs{28, 29, 30, 31, 32}));
}

TEST_P(EventLogContract, AnEventThatIsTooLargeKeepsAllOut) {
  const std::string huge(kMaxEventBytes + 1, 'x');
  EXPECT_EQ(log->append({NewEvent{"", "", 0, "1"}, NewEvent{"", "", 0, huge}}).error().code, Errc::kTooLarge);
  EXPECT_EQ(log->last_seq().value(), 0U);
}

INSTANTIATE_TEST_SUITE_P(Logs, EventLogContract, ::testing::ValuesIn(kKinds),
                         [](const auto& kind) { return std::string(kind.param.name); });

}  // namespace
}  // namespace mysos
