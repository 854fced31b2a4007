// SPDX-License-Identifier: Apache-2.0
#include "scheduler/input_queue.h"

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
  const auto* in = std::get_if<SchedulerInput>(&input);
  if (in == nullptr) return nullptr;
  const auto* reported = std::get_if<scheduler_input::Reported>(in);
  return reported != nullptr ? &*reported->report : nullptr;
}

// The stream's end must not be overtaken by a report from before it, nor an order's answer.
bool concerns(const LoopInput& input, const MemberId& member) {
  const auto* in = std::get_if<SchedulerInput>(&input);
  if (in == nullptr) return false;
  if (const auto* lost = std::get_if<scheduler_input::WatchLost>(in)) return lost->member == member;
  if (const auto* done = std::get_if<scheduler_input::OrderDone>(in)) return done->member == member;
  return false;
}

bool is_order_done(const LoopInput& input) {
  const auto* in = std::get_if<SchedulerInput>(&input);
  return in != nullptr && std::holds_alternative<scheduler_input::OrderDone>(*in);
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
  if (inputs_.size() >= kMaxQueuedInputs && !is_order_done(input)) return false;
  inputs_.push_back(std::move(input));
  return true;
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

void InputQueue::drop_mesos() {
  std::erase_if(inputs_, [](const LoopInput& input) {
    const auto* in = std::get_if<SchedulerInput>(&input);
    return in != nullptr && std::holds_alternative<scheduler_input::FromMesos>(*in);
  });
}

}  // namespace mysos
