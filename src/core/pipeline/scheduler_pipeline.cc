// SPDX-License-Identifier: Apache-2.0
#include "core/pipeline/scheduler_pipeline.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "model/order.h"

namespace mysos {
namespace {

void append(SchedulerOutput& to, SchedulerOutput from) {
  const auto move_all = [](auto& into, auto& source) {
    if (into.empty()) {
      into = std::move(source);
    } else {
      into.insert(into.end(), std::make_move_iterator(source.begin()), std::make_move_iterator(source.end()));
    }
  };
  move_all(to.records, from.records);
  move_all(to.calls, from.calls);
  move_all(to.orders, from.orders);
  move_all(to.replies, from.replies);
  move_all(to.events, from.events);
  to.watches_changed = to.watches_changed || from.watches_changed;
  to.resubscribe = to.resubscribe || from.resubscribe;
}

bool has_anything(const SchedulerOutput& o) {
  return !o.records.empty() || !o.calls.empty() || !o.orders.empty() || !o.replies.empty() || !o.events.empty() ||
         o.watches_changed || o.resubscribe;
}

std::int64_t whole_seconds(Duration d) { return std::chrono::ceil<std::chrono::seconds>(d).count(); }

}  // namespace

Instant SchedulerPipeline::due() const {
  if (full()) return kNever;
  const Instant wanted = inputs_.empty() ? core_.next_deadline() : Instant::min();
  if (!commit_ || !commit_->problem.empty()) return wanted;
  return std::max(wanted, commit_->since + kCommitPatience);
}

bool SchedulerPipeline::full() const {
  const SchedulerOutput& o = gathered_;
  return o.records.size() + o.calls.size() + o.orders.size() + o.events.size() + o.replies.size() > kMaxUndone;
}

SchedulerOutput SchedulerPipeline::decide(Instant now) {
  SchedulerOutput output;
  if (inputs_.empty() && core_.next_deadline() <= now) inputs_.push(SchedulerInput(scheduler_input::Tick{}));
  for (std::size_t taken = 0; taken < kMaxInputsPerCommit; ++taken) {
    auto input = inputs_.pop();
    if (!input) break;
    if (auto* audit = std::get_if<AuditInput>(&*input)) {
      output.events.push_back(std::move(audit->event));
      output.replies.push_back(Reply{audit->request, ClusterId()});
      continue;
    }
    core_.step(std::get<SchedulerInput>(*input), now);
    append(output, core_.take_output());
  }
  return output;
}

void SchedulerPipeline::decided(SchedulerOutput output, Instant now) {
  if (!commit_) return begin(std::move(output), now);
  // Of the orders that wait a member gets the newest of each kind.
  for (const SentOrder& order : output.orders) {
    std::erase_if(gathered_.orders, [&](const SentOrder& old) {
      return old.member == order.member && order_name(old.order) == order_name(order.order);
    });
  }
  append(gathered_, std::move(output));
}

void SchedulerPipeline::begin(SchedulerOutput output, Instant now) {
  if (has_anything(output)) commit_.emplace(Commit{.output = std::move(output), .since = now});
}

Duration SchedulerPipeline::refused(std::string why) {
  commit_->problem = std::move(why);
  return commit_->pauses.next();
}

SchedulerOutput SchedulerPipeline::durable(Instant now) {
  if (const std::string trouble = store_trouble(now); !trouble.empty()) {
    gathered_.events.push_back({.kind = EventKind::kStoreRecovered,
                                .message = "for " + std::to_string(whole_seconds(commit_age(now))) +
                                           " s the state could not be stored, and decisions waited: " + trouble});
  }
  SchedulerOutput leaves = std::exchange(commit_, std::nullopt)->output;
  begin(std::exchange(gathered_, {}), now);
  return leaves;
}

Duration SchedulerPipeline::commit_age(Instant now) const { return commit_ ? now - commit_->since : Duration::zero(); }

std::string SchedulerPipeline::store_trouble(Instant now) const {
  if (!commit_) return "";
  if (!commit_->problem.empty()) return commit_->problem;
  if (commit_age(now) < kCommitPatience) return "";
  return "the disk of the state directory has not answered for " + std::to_string(whole_seconds(commit_age(now))) + " s";
}

}  // namespace mysos
