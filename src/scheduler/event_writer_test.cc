// SPDX-License-Identifier: Apache-2.0
#include "scheduler/event_writer.h"

#include <atomic>
#include <mutex>

#include "base/test_loop.h"
#include "store/memory_store.h"

namespace mysos {
namespace {

// A log that can be made to fail. The writer's thread appends while the test reads.
struct Log {
  std::atomic<bool> fails = false;
  std::mutex mutex;
  MemoryEventLog kept;

  std::vector<std::string> all() {
    const std::scoped_lock lock(mutex);
    std::vector<std::string> out;
    for (const StoredEvent& event : *kept.read({.limit = kMaxLoggedEvents})) out.push_back(event.json);
    return out;
  }
};

class FailingLog final : public EventLog {
 public:
  explicit FailingLog(Log& log) : log_(log) {}
  Result<std::uint64_t> append(const std::vector<NewEvent>& events) override {
    if (log_.fails) return fail(Errc::kIo, "no space left on device");
    const std::scoped_lock lock(log_.mutex);
    return log_.kept.append(events);
  }
  Result<std::vector<StoredEvent>> read(const EventQuery& query) override { return log_.kept.read(query); }
  Result<std::uint64_t> last_seq() override { return log_.kept.last_seq(); }
  Result<std::string> newest_named(const std::string& name) override { return log_.kept.newest_named(name); }

 private:
  Log& log_;
};

struct EventWriterTest : ::testing::Test {
  TestLoop loop;
  Log log;
  std::vector<std::string> answered;
  TaskGroup tasks{loop.io.get_executor()};
  EventWriter writer{loop.io.get_executor(), std::make_unique<FailingLog>(log),
                     [this](Reply reply) { answered.push_back(reply.request.value); }, [] {}};

  void SetUp() override {
    ASSERT_TRUE(writer.start());
    tasks.spawn("events", writer.run());
  }
  void TearDown() override { loop.run(tasks.cancel_and_join()); }
  void add(std::string message, std::vector<Reply> replies = {}) {
    writer.add({Event{.kind = EventKind::kMemberRunning, .message = std::move(message)}}, std::move(replies));
  }
};

TEST_F(EventWriterTest, ACallerIsAnsweredOnceTheEventIsLogged) {
  log.fails = true;
  add("first", {Reply{RequestId("r1"), ClusterId("c")}});
  ASSERT_TRUE(loop.run_until([&] { return !writer.problem().empty(); }));
  EXPECT_TRUE(answered.empty());

  log.fails = false;
  ASSERT_TRUE(loop.run_until([&] { return !answered.empty(); }));
  ASSERT_EQ(log.all().size(), 1u);
  EXPECT_EQ(writer.last_seq(), 1u);
  EXPECT_EQ(writer.problem(), "");
}

TEST_F(EventWriterTest, ACallerWithoutAnEventIsAnsweredToo) {
  writer.add({}, {Reply{RequestId("r1"), ClusterId("c")}});
  EXPECT_TRUE(loop.run_until([&] { return !answered.empty(); }));
  EXPECT_TRUE(log.all().empty());
}

TEST_F(EventWriterTest, KeepsTheNewestAndTellsHowManyWereLost) {
  log.fails = true;
  add("in hand");
  ASSERT_TRUE(loop.run_until([&] { return !writer.problem().empty(); }));
  for (std::size_t i = 0; i < kMaxUnloggedEvents + 3; ++i) add(std::to_string(i));
  EXPECT_EQ(writer.lost(), 3u);

  log.fails = false;
  ASSERT_TRUE(loop.run_until([&] { return log.all().size() == kMaxUnloggedEvents + 2; }));
  const auto all = log.all();
  EXPECT_TRUE(all[1].contains("events_lost") && all[1].contains("3 event(s) were lost")) << all[1];
  EXPECT_TRUE(all[2].contains("\"message\":\"3\"")) << all[2];
}

TEST_F(EventWriterTest, AMessageWithoutEndIsCut) {
  add(std::string(2 * kMaxEventBytes, '\n'));
  ASSERT_TRUE(loop.run_until([&] { return !log.all().empty(); }));
  EXPECT_TRUE(log.all()[0].contains("[cut]"));
}

}  // namespace
}  // namespace mysos
