// SPDX-License-Identifier: Apache-2.0
// A cluster whose record may be old (docs/adr/0009-old-record.md, `Census` of docs/model). Until all of its members are
// reachable, the scheduler orders nothing, and the true primary continues to serve. Then an election with an epoch above
// everything that was promised asks all members. It uses only the floor of the old record, which every later primary has
// executed.
#include <algorithm>

#include "core/epochs/planning.h"
#include "core/epochs/soundness.h"

namespace mysos {
namespace {

// Above what members may have promised that were not asked: no pair is to be used twice.
constexpr std::uint64_t kEpochsUnseen = 1000;

Pair highest_promised(const EpochPlanning& p) {
  Pair highest;
  for (const MemberView& v : p.members) {
    if (v.report) highest = std::max(highest, v.report->promised);
  }
  return highest;
}

// A member without data holds nothing. While the cluster is in doubt, it gets no order to copy, so its server does not run. Its
// executor promises for it.
bool has_answered(const EpochPlanning& p, const MemberView& v) {
  return p.fenced(v) || (bare(v) && v.report->promised == p.record.pair);
}

// Why this member cannot be asked now; "" = it can.
std::string why_not_asked(const EpochPlanning& p, const MemberView& v) {
  if (v.volume_lost) return v.id.value + ", which has lost its volume";
  const Member* member = p.cluster.find(v.id);
  if (member != nullptr && member->stage == MemberStage::kWanted) {
    return v.id.value + ", of which neither a volume nor a task was found yet";
  }
  if (!EpochPlanning::in_sight(v)) return v.id.value + ", which is unreachable";
  if (!EpochPlanning::server_up(v) && !bare(v)) {
    const std::string& problem = v.report->problem;
    return v.id.value + ", whose mysqld does not run" + (problem.empty() ? "" : " (" + problem + ")");
  }
  // A record that is old enough does not know the volume's name.
  if (v.report->promised.epoch == 0 && highest_promised(p).config > 0) {
    return v.id.value + ", which has promised nothing, although there was a primary: its volume may be a new one";
  }
  return "";
}

std::string missing_members(const EpochPlanning& p) {
  std::string all;
  for (const MemberView& v : p.members) {
    if (const std::string why = why_not_asked(p, v); !why.empty()) all += (all.empty() ? "" : "; ") + why;
  }
  return all;
}

void ask_all(EpochPlanning& p, std::uint64_t jump) {
  EpochRecord next = p.record;
  next.pair = Pair{std::max(p.record.pair, highest_promised(p)).epoch + jump, 0};
  next.electing = true;
  next.leaving.clear();
  next.joining.clear();
  next.raising_to = 0;
  const std::string who = jump == 1 ? "every member" : "each reachable member";
  p.persist(std::move(next), EventKind::kRecordAsked,
            who + " says what it holds, and one of them becomes the primary: " + p.cluster.doubt->why);
}

std::string order_of_loss(const EpochPlanning& p) { return "mysos failover " + p.cluster.spec.name + " --accept-loss"; }

// The member that was last ordered to be the primary, if that is certain and it still has the data of that time.
const MemberView* last_leader(const EpochPlanning& p) {
  const auto led = [](const MemberView& v) { return v.report->led; };
  if (!std::ranges::all_of(p.members, [](const MemberView& v) { return v.report->led.has_value(); })) return nullptr;
  const auto last = std::ranges::max_element(p.members, {}, led);
  const bool alone = std::ranges::count(p.members, led(*last), led) == 1;  // an accepted loss can give two one epoch
  return alone && last->report->led_kept ? &*last : nullptr;
}

// What this member wrote beside what the last leader holds: it was no primary then, or nobody acknowledged it. On MySQL that
// may have undone what was acknowledged (epochs/election.cc).
bool wrote_alone(const EpochPlanning& p, const MemberView& v, const MemberView& leader) {
  return p.cluster.spec.flavour == Flavour::kMysql && &v != &leader && !own_writes(*v.report, leader.report->received).empty();
}

bool nobody_led(const EpochPlanning& p) {
  return std::ranges::all_of(p.members, [](const MemberView& v) { return v.report->led == 0; });
}

// What each member lacks of all that the members hold together.
std::string differences(const EpochPlanning& p, const GtidSet& all) {
  std::string text;
  for (const MemberView& v : p.members) {
    const std::uint64_t lacks = all.minus(v.report->received).count();
    text += (text.empty() ? "" : ", ") + v.id.value + " lacks " + std::to_string(lacks);
  }
  return text;
}

// The last leader, whose binary logs somebody reset. It holds all that was acknowledged, although no set says so, and that
// cannot be said of anybody else: only its data are complete for sure.
std::vector<const MemberView*> complete_by_data(EpochPlanning& p, const MemberView& leader) {
  if (leader.connected && p.fenced(leader)) return {&leader};
  p.wait(leader.id.value + " to come back: it was the last primary, and somebody reset its binary logs, so only its data " +
         "are complete");
  return {};
}

}  // namespace

void leave_alone(EpochPlanning& p) {
  const bool forced = p.cluster.failover && p.cluster.failover->accept_loss;
  const std::string missing = missing_members(p);
  if (missing.empty()) return ask_all(p, 1);
  const bool somebody = std::ranges::any_of(p.members, [](const MemberView& v) { return EpochPlanning::server_up(v); });
  if (forced && somebody) return ask_all(p, kEpochsUnseen);
  std::string advice = forced ? "" : ". If they are gone for good: " + order_of_loss(p);
  // A cluster that was deleted after the copy was made looks like this.
  if (!somebody) {
    advice = ". Members that are being started, or asked for the first time, need some seconds. Only if the cluster was "
             "deleted, or all of them are gone for good: mysos delete " + p.cluster.spec.name;
  }
  p.wait("all members to say what they hold, because the record may be old (" + p.cluster.doubt->why +
         "); not yet: " + missing + advice);
}

bool asks_all(const EpochPlanning& p) {
  return p.record.electing && p.cluster.doubt->asking == p.record.pair.epoch;
}

void ask_all_again(EpochPlanning& p) { ask_all(p, 1); }

bool promised_above(const EpochPlanning& p) { return highest_promised(p) > p.record.pair; }

std::vector<const MemberView*> complete_in_doubt(EpochPlanning& p) {
  GtidSet all;
  for (const MemberView& v : p.members) {
    if (!has_answered(p, v)) {
      p.wait(v.id.value + " to say what it holds: the record may be old, so every member is asked. If it is gone for good: " +
             order_of_loss(p));
      return {};
    }
    all = all.united(v.report->received);
  }
  const MemberView* leader = last_leader(p);
  if (leader != nullptr && leader->report->logs_reset) return complete_by_data(p, *leader);
  const bool anybody = nobody_led(p);
  bool forgotten = renamed_since(p) || std::ranges::any_of(p.members, [](const MemberView& v) { return v.report->logs_reset; });
  if (leader != nullptr && forgot_its_writes(p, *leader)) {
    leader = nullptr;
    forgotten = true;
  }
  std::vector<const MemberView*> complete;
  bool coming = false;  // somebody received all that is needed, and is still executing it
  for (const MemberView& v : p.members) {
    if (v.report->logs_reset || (leader != nullptr && wrote_alone(p, v, *leader))) continue;
    if (made_before_names(p, v)) continue;
    const auto proven = [&](const GtidSet& has) {
      return has.contains(p.record.floor) && (anybody || (!forgotten && has.contains(all)) ||
                                              (leader != nullptr && has.contains(leader->report->received)));
    };
    if (v.connected && p.fenced(v) && proven(v.report->executed)) complete.push_back(&v);
    coming = coming || proven(v.report->received);
  }
  if (!complete.empty()) return complete;
  if (coming) {
    p.wait("a member to have executed all that the members hold");
  } else {
    p.wait("an operator: no member holds all that the members hold together (" + differences(p, all) +
           " transactions), and none is proven to have all that was acknowledged. " + order_of_loss(p) +
           " [--to MEMBER] chooses one, and gives up what it lacks");
  }
  return {};
}

std::uint64_t proven_reign(const EpochPlanning& p, const MemberView& v) {
  return p.cluster.doubt && v.report->led_kept ? v.report->led.value_or(0) : 0;
}

std::string not_asked(const EpochPlanning& p) {
  std::string names;
  for (const MemberView& v : p.members) {
    if (!has_answered(p, v)) names += (names.empty() ? "" : ", ") + v.id.value;
  }
  return names.empty() ? "" : "; not asked: " + names;
}

}  // namespace mysos
