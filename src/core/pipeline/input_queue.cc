// SPDX-License-Identifier: Apache-2.0
#include "core/pipeline/input_queue.h"

#include <algorithm>

namespace mysos {
namespace {

const RequestId* request_of(const LoopInput& input) {
  if (const auto* audit = std::get_if<AuditInput>(&input)) return &audit->request;
  return std::visit(
      [](const auto& in) -> const RequestId* {
        if constexpr (requires { in.request; }) {
          return &in.request;
        } else {
          return nullptr;
        }
      },
      std::get<SchedulerInput>(input));
}

const MemberReport* report_of(const LoopInput& input) {
  const auto* core = std::get_if<SchedulerInput>(&input);
  if (core == nullptr) return nullptr;
  const auto* reported = std::get_if<scheduler_input::Reported>(core);
  return reported != nullptr ? &*reported->report : nullptr;
}

template <class Kind>
const Kind* in(const LoopInput& input) {
  const auto* core = std::get_if<SchedulerInput>(&input);
  return core != nullptr ? std::get_if<Kind>(core) : nullptr;
}

// A report must not come before the end of the stream that the report before it came by, nor before the answer to an order.
bool concerns(const LoopInput& input, const MemberId& member) {
  if (const auto* lost = in<scheduler_input::WatchLost>(input)) return lost->member == member;
  if (const auto* done = in<scheduler_input::OrderDone>(input)) return done->member == member;
  return false;
}

// What a member's streams said before one of them ended: nothing of it is needed once the end is known.
bool is_of_stream(const LoopInput& input, const MemberId& member) {
  const MemberReport* report = report_of(input);
  if (report != nullptr) return report->member == member;
  const auto* lost = in<scheduler_input::WatchLost>(input);
  return lost != nullptr && lost->member == member;
}

}  // namespace

bool InputQueue::push(LoopInput input) {
  if (const MemberReport* report = report_of(input)) {
    for (auto at = inputs_.rbegin(); at != inputs_.rend(); ++at) {
      if (concerns(*at, report->member)) break;
      const MemberReport* waiting = report_of(*at);
      if (waiting != nullptr && waiting->member == report->member) {
        *at = std::move(input);
        return true;
      }
    }
  }
  if (inputs_.size() >= kMaxQueuedInputs && in<scheduler_input::OrderDone>(input) == nullptr) {
    const auto* lost = in<scheduler_input::WatchLost>(input);
    if (lost == nullptr) return false;
    std::erase_if(inputs_, [&](const LoopInput& waiting) { return is_of_stream(waiting, lost->member); });
  }
  inputs_.push_back(std::move(input));
  return true;
}

bool InputQueue::push_mesos(mesos::Event event) {
  if (push(SchedulerInput(scheduler_input::FromMesos{std::move(event)}))) return true;
  std::erase_if(inputs_, [](const LoopInput& waiting) { return in<scheduler_input::FromMesos>(waiting) != nullptr; });
  inputs_.emplace_back(SchedulerInput(scheduler_input::FromMesos{mesos::Disconnected{}}));
  return false;
}

std::optional<LoopInput> InputQueue::pop() {
  if (inputs_.empty()) return std::nullopt;
  LoopInput first = std::move(inputs_.front());
  inputs_.pop_front();
  return first;
}

bool InputQueue::withdraw(const RequestId& request) {
  return std::erase_if(inputs_, [&](const LoopInput& input) {
           const RequestId* of = request_of(input);
           return of != nullptr && *of == request;
         }) > 0;
}

}  // namespace mysos
