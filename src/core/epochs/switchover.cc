// SPDX-License-Identifier: Apache-2.0
// When a switchover begins. Clients wait from the fence of the primary until the target has executed everything that was
// written. So a switchover begins only when the target is near. That is measured: the time that the target needs to execute
// what the primary had executed at some moment. The number of transactions says little, as one may take a minute.
#include <algorithm>

#include "core/epochs/planning.h"
#include "core/epochs/soundness.h"
#include "model/stalled_applier.h"

namespace mysos {
namespace {

std::string in_seconds(Duration d) {
  const std::int64_t tenths = to_ms(d) / 100;
  return std::to_string(tenths / 10) + (tenths < 100 ? "." + std::to_string(tenths % 10) : "") + " s";
}

std::string stalled_text(const MemberView& v) {
  const Duration stalled = std::chrono::milliseconds(v.report->applier_stalled_ms);
  return stalled == Duration::zero() ? "" : " and has been executing one for " + in_seconds(stalled);
}

std::string lacks_text(std::uint64_t lacks) { return " lacks " + std::to_string(lacks) + " transaction(s)"; }

Approach& approach_to(EpochPlanning& p, const MemberId& target, const MemberView& primary) {
  std::optional<Approach>& known = p.memory.approach;
  if (!known || known->target != target) {
    known = Approach{target, p.now, primary.report ? primary.report->executed : GtidSet{}, p.now};
  }
  return *known;
}

// Why the target is not near, "" = it is.
std::string distance(EpochPlanning& p, const MemberView& primary, const MemberView& target, Approach& approach) {
  const Duration passed = p.now - approach.asked_at;
  if (target.report->executed.contains(approach.asked)) {
    approach.asked = primary.report->executed;
    approach.asked_at = p.now;
    if (passed <= p.times.near_within && target.report->applier_stalled_ms == 0) return {};
  }
  const std::uint64_t lacks = behind(target, primary);
  if (target.report->applier_stalled_ms > 0) return target.id.value + lacks_text(lacks) + stalled_text(target);
  if (passed >= p.times.near_within) {
    return target.id.value + lacks_text(lacks) + ": it executes what was written " + in_seconds(passed) + " ago";
  }
  p.revisit(approach.asked_at + p.times.near_within);
  return "how far " + target.id.value + " is behind is being measured";
}

// Beside the target and the old primary, which acknowledges as soon as it follows.
bool enough_others(const EpochPlanning& p, const MemberView& target) {
  if (p.record.mode != EpochMode::kNormal) return true;
  const auto others = static_cast<std::size_t>(std::ranges::count_if(p.members, [&](const MemberView& v) {
    return v.id != target.id && !p.is_primary(v) && p.record.ackers.contains(v.id) && p.acknowledges(v);
  }));
  return others + 1 >= wanted_d(p.cluster.spec.flavour, p.record.ackers.size());
}

std::string not_ready(EpochPlanning& p, const MemberView& primary, const MemberView* target, Approach& approach) {
  if (target == nullptr) return "it is no member any more";
  if (!p.primary_in_place(primary)) return "the primary " + primary.id.value + " does not serve as it should";
  if (!p.follows(*target) || !target->report->receiver_connected) {
    const std::string problem = target->report ? target->report->problem : "";
    return target->id.value + " does not follow the primary" + (problem.empty() ? "" : " (" + problem + ")");
  }
  // One that works on a long transaction is far away, which distance() says in numbers.
  const auto flaw = flaw_of(p.record, *primary.report, *target->report);
  if (flaw && (flaw->lasts || !is_stalled(*target->report))) return target->id.value + ": " + flaw->text;
  if (!enough_others(p, *target)) return "too few other replicas acknowledge, so commits would wait";
  return distance(p, primary, *target, approach);
}

}  // namespace

bool begin_switchover(EpochPlanning& p, const MemberView& primary) {
  const auto& to = p.cluster.switchover_to;
  if (!to) {
    p.memory.approach.reset();
    return false;
  }
  if (to == p.record.primary) {
    p.out.switchover_ends = to->value + " is the primary already";
    return false;
  }
  Approach& approach = approach_to(p, *to, primary);
  const std::string why = not_ready(p, primary, p.view(*to), approach);
  if (why.empty()) {
    p.memory.flaps.avoid.reset();  // an operator's word counts for more than what was before
    p.out.cause = FailoverCause::kSwitchover;
    start_election(p, EventKind::kSwitchoverStarted, "an operator asked for " + to->value);
    return true;
  }
  const Instant until = approach.since + p.times.approach_wait;
  if (p.now >= until) {
    p.out.switchover_ends =
        why + "; the scheduler waited " + in_seconds(p.times.approach_wait) + " for that, and writes continued";
    p.memory.approach.reset();
    return false;
  }
  p.revisit(until);
  p.wait("the switchover to " + to->value + " to begin: " + why);
  return false;
}

bool target_is_stuck(const EpochPlanning& p, const MemberView& target) {
  return p.cluster.switchover_to == target.id &&
         std::chrono::milliseconds(target.report->applier_stalled_ms) >= p.times.drain_stall;
}

std::string why_not_chosen(const EpochPlanning& p, const MemberId& target) {
  const MemberView* v = p.view(target);
  if (v == nullptr || !EpochPlanning::in_sight(*v)) return target.value + " is unreachable";
  if (!EpochPlanning::server_up(*v)) return "the server of " + target.value + " does not run";
  const MemberView* old = p.record.primary ? p.view(*p.record.primary) : nullptr;
  GtidSet held = v->report->received;
  if (old != nullptr && old->report) held = held.united(old->report->received);
  const std::uint64_t lacks = held.minus(v->report->executed).count();
  if (lacks > 0 && !v->report->applier_running) return "the applier of " + target.value + " has stopped";
  if (lacks > 0) return target.value + lacks_text(lacks) + stalled_text(*v);
  return target.value + " did not stop receiving in time";
}

}  // namespace mysos
