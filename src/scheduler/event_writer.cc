// SPDX-License-Identifier: Apache-2.0
#include "scheduler/event_writer.h"

#include <algorithm>
#include <utility>

#include "base/clock.h"
#include "base/insist.h"
#include "base/log.h"
#include "core/pipeline/scheduler_pipeline.h"

namespace mysos {
namespace {

constexpr Logger kLog{"scheduler"};
constexpr std::size_t kLongestMessage = kMaxEventBytes / 8;  // JSON may write a byte as six

NewEvent stamped(Event event) {
  if (event.message.size() > kLongestMessage) event.message = event.message.substr(0, kLongestMessage) + " [cut]";
  return {event.cluster_id.value, event.cluster, wall_now().ms, to_json_text(event)};
}

}  // namespace

EventWriter::EventWriter(asio::any_io_executor executor, std::unique_ptr<EventLog> log, Answer answer,
                         std::function<void()> changed)
    : log_(std::move(log)), answer_(std::move(answer)), changed_(std::move(changed)), added_(executor) {}

Status EventWriter::start() {
  MYSOS_TRY(last_seq_, log_.last_seq());
  return {};
}

void EventWriter::add(const std::vector<Event>& events, std::vector<Reply> replies) {
  for (const Event& event : events) waiting_.events.push_back(stamped(event));
  if (waiting_.events.size() > kMaxUnloggedEvents) {
    const auto over = waiting_.events.size() - kMaxUnloggedEvents;
    waiting_.events.erase(waiting_.events.begin(), waiting_.events.begin() + static_cast<std::ptrdiff_t>(over));
    lost_ += over;
  }
  std::ranges::move(replies, std::back_inserter(waiting_.replies));
  added_.notify_all();
}

asio::awaitable<void> EventWriter::run() {
  while (true) {
    while (waiting_.events.empty() && waiting_.replies.empty()) co_await added_.wait();
    Batch batch = std::exchange(waiting_, {});
    if (lost_ > lost_told_) {
      Event gap{.kind = EventKind::kEventsLost,
                .message = std::to_string(lost_ - lost_told_) +
                           " event(s) were lost, because the event log could not be written"};
      batch.events.insert(batch.events.begin(), stamped(gap));
      lost_told_ = lost_;
    }
    if (!batch.events.empty()) co_await write(std::move(batch.events));
    for (Reply& reply : batch.replies) answer_(std::move(reply));
  }
}

asio::awaitable<void> EventWriter::write(std::vector<NewEvent> events) {
  co_await insist(kDiskPauses, [&]() -> asio::awaitable<bool> {
    const auto written = co_await log_.append(events);
    if (written) last_seq_ = *written;
    if (!written) kLog.error("{} event(s) cannot be logged: {}", events.size(), written.error().message);
    problem_ = written ? "" : written.error().message;
    changed_();
    co_return written.has_value();
  });
}

}  // namespace mysos
