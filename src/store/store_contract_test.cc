// SPDX-License-Identifier: Apache-2.0
// What every store does, asked of each.
#include <gtest/gtest.h>

#include <functional>
#include <memory>

#include "base/test_dir.h"
#include "store/memory_store.h"
#include "store/sqlite_store.h"

namespace mysos {
namespace {
constexpr std::size_t kFewEvents = 5;

struct Kind {
  const char* name;
  std::function<std::unique_ptr<Store>(const TestDir&)> make;
};

const Kind kKinds[] = {
    {"Memory", [](const TestDir&) { return std::make_unique<MemoryStore>(kFewEvents); }},
    {"Sqlite",
     [](const TestDir& dir) -> std::unique_ptr<Store> {
       return SqliteStore::open(dir / "store.db", {.max_events = kFewEvents}).value();
     }},
};

class StoreContract : public ::testing::TestWithParam<Kind> {
 protected:
  TestDir dir;
  std::unique_ptr<Store> store = GetParam().make(dir);

  std::vector<std::uint64_t> seqs(const EventQuery& query) {
    std::vector<std::uint64_t> found;
    for (const auto& event : store->events(query).value()) found.push_back(event.seq);
    return found;
  }
};
using Seqs = std::vector<std::uint64_t>;

TEST_P(StoreContract, StartsEmpty) {
  EXPECT_TRUE(store->load().value().empty());
  EXPECT_TRUE(store->events({}).value().empty());
  EXPECT_EQ(store->last_event_seq().value(), 0U);
  EXPECT_TRUE(store->commit({}));
}

TEST_P(StoreContract, KeepsWhatWasPutLast) {
  ASSERT_TRUE(store->commit({PutRecord{"cluster", "a", "{}"}, PutRecord{"cluster", "b", "1"},
                             PutRecord{"member", "a", "2"}}));
  ASSERT_TRUE(store->commit({PutRecord{"cluster", "a", "{\"x\":\"\u00e9'\\u0000\"}"}}));
  const Snapshot expected = {{"cluster", {{"a", "{\"x\":\"\u00e9'\\u0000\"}"}, {"b", "1"}}},
                             {"member", {{"a", "2"}}}};
  EXPECT_EQ(store->load().value(), expected);
}

TEST_P(StoreContract, AppliesChangesInTheirOrder) {
  ASSERT_TRUE(store->commit({PutRecord{"k", "a", "1"}, EraseRecord{"k", "a"},
                             PutRecord{"k", "b", "2"}, PutRecord{"k", "b", "3"},
                             EraseRecord{"k", "none"}, EraseRecord{"none", "none"}}));
  EXPECT_EQ(store->load().value(), (Snapshot{{"k", {{"b", "3"}}}}));
  ASSERT_TRUE(store->commit({EraseRecord{"k", "b"}}));
  EXPECT_TRUE(store->load().value().empty());
}

TEST_P(StoreContract, ACommitThatIsRefusedChangesNothing) {
  const std::string huge(kMaxStoreValueBytes + 1, 'x');
  EXPECT_EQ(store->commit({PutRecord{"k", "a", "1"}, PutRecord{"k", "b", huge}}).error().code,
            Errc::kTooLarge);
  EXPECT_EQ(store->commit({AppendEvent{"", 0, "1"}, AppendEvent{"", 0, huge}}).error().code,
            Errc::kTooLarge);
  EXPECT_EQ(store->commit({PutRecord{"k", "a", "1"}, PutRecord{"", "b", "1"}}).error().code,
            Errc::kInvalid);
  EXPECT_EQ(store->commit({PutRecord{"k", "a", "1"}, EraseRecord{"k", ""}}).error().code,
            Errc::kInvalid);
  EXPECT_TRUE(store->load().value().empty());
  EXPECT_EQ(store->last_event_seq().value(), 0U);
  ASSERT_TRUE(store->commit({PutRecord{"k", "a", huge.substr(1)}}));
  EXPECT_EQ(store->load().value().at("k").at("a").size(), kMaxStoreValueBytes);
}

TEST_P(StoreContract, EventsAreReadInTheirOrderAndByCluster) {
  ASSERT_TRUE(store->commit({AppendEvent{"a", 10, "e1"}, AppendEvent{"b", 20, "e2"}}));
  ASSERT_TRUE(store->commit({AppendEvent{"", 30, "e3"}, AppendEvent{"a", 40, "e4"}}));

  EXPECT_EQ(seqs({}), (Seqs{1, 2, 3, 4}));
  EXPECT_EQ(seqs({.after_seq = 2}), (Seqs{3, 4}));
  EXPECT_EQ(seqs({.after_seq = 4}), Seqs{});
  EXPECT_EQ(seqs({.limit = 2}), (Seqs{1, 2}));
  EXPECT_EQ(seqs({.cluster = "a"}), (Seqs{1, 4}));
  EXPECT_EQ(seqs({.after_seq = 1, .cluster = "a"}), (Seqs{4}));
  EXPECT_EQ(seqs({.limit = 1, .cluster = "a"}), (Seqs{1}));
  EXPECT_EQ(seqs({.cluster = ""}), (Seqs{3}));
  EXPECT_EQ(seqs({.limit = 0}), Seqs{});
  const StoredEvent last = store->events({.after_seq = 3}).value().at(0);
  EXPECT_EQ(last.cluster, "a");
  EXPECT_EQ(last.time_ms, 40);
  EXPECT_EQ(last.json, "e4");
}

TEST_P(StoreContract, KeepsTheNewestEventsAndNeverReusesANumber) {
  for (int i = 0; i < 12; ++i) ASSERT_TRUE(store->commit({AppendEvent{"a", i, "e"}}));
  EXPECT_EQ(seqs({}), (Seqs{8, 9, 10, 11, 12}));
  EXPECT_EQ(store->last_event_seq().value(), 12U);
  ASSERT_TRUE(store->commit(std::vector<StoreChange>(20, AppendEvent{"a", 0, "e"})));
  EXPECT_EQ(seqs({}), (Seqs{28, 29, 30, 31, 32}));
}

INSTANTIATE_TEST_SUITE_P(Stores, StoreContract, ::testing::ValuesIn(kKinds),
                         [](const auto& kind) { return std::string(kind.param.name); });

TEST(MemoryStore, FailsAsOftenAsItIsTold) {
  MemoryStore store;
  store.fail_next_commits(1);
  EXPECT_EQ(store.commit({PutRecord{"k", "a", "1"}}).error().code, Errc::kIo);
  EXPECT_TRUE(store.load().value().empty());
  EXPECT_TRUE(store.commit({PutRecord{"k", "a", "1"}}));
}

}  // namespace
}  // namespace mysos
