// SPDX-License-Identifier: Apache-2.0
// Changes of the record of a serving primary: who acknowledges, how many must, solo and back. Each step is one record. The next
// step follows only when the primary serves at the present record ("name first, then order; silence first, then remove").
#include <algorithm>
#include <ranges>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "core/epochs/planning.h"

namespace mysos {
namespace {

// Shut out, and promised to this epoch.
bool waits_outside(const EpochPlanning& p, const MemberView& v) {
  return p.record.shut_out.contains(v.id) && !p.record.leaving.contains(v.id) && p.follows(v);
}

// Who is named first where several could be: one that could become the primary, does not start again and again, and remembers.
std::tuple<bool, bool, bool> rank(const EpochPlanning& p, const MemberView& v) {
  return {p.unsound(v), p.held_back(v.id), !v.report->remembers()};
}

// While no replica acknowledges, commits wait. A replica that is let in silently receives them silently, and never acknowledges
// what it already holds. So the record names it before it is let in.
bool name_outside(EpochPlanning& p, const MemberView& primary) {
  if (p.record.mode != EpochMode::kNormal || p.record.ackers.size() >= p.most_ackers()) return false;
  if (!p.too_few_acknowledge(primary)) return false;
  const MemberView* found = nullptr;
  for (const MemberView& v : p.members) {
    if (!waits_outside(p, v) || p.record.ackers.contains(v.id) || !p.silent(v) || !v.report->remembers()) continue;
    if (!EpochPlanning::can_write(v) || p.nameless(v)) continue;
    if (found == nullptr || rank(p, v) < rank(p, *found)) found = &v;
  }
  if (found == nullptr) return false;
  EpochRecord next = p.next_config();
  next.ackers.insert(found->id);
  p.persist(std::move(next), EventKind::kAckerAdded,
                             found->id.value + " acknowledges from its first connection on, because no other replica does");
  return true;
}

// A member is shut out until it carries out its order of this epoch: acknowledge, or be silent. Then it is let in.
bool let_in(EpochPlanning& p) {
  for (const MemberView& v : p.members) {
    if (!waits_outside(p, v) || v.report->acking != p.should_acknowledge(v.id)) continue;
    EpochRecord next = p.next_config();
    next.shut_out.erase(v.id);
    p.persist(std::move(next), EventKind::kMemberLetIn, v.id.value + " has promised this epoch and may follow");
    return true;
  }
  return false;
}

bool add_acker(EpochPlanning& p, const MemberView& primary) {
  const EpochRecord& record = p.record;
  if (record.mode != EpochMode::kNormal || !record.leaving.empty() || record.ackers.size() >= p.most_ackers()) return false;
  for (const MemberView& v : p.members) {
    if (record.ackers.contains(v.id) || !p.nameable(v) || p.unsound(v)) continue;
    if (!v.report->remembers() || !p.caught_up(primary, v)) continue;
    if (p.held_back(v.id) && !p.too_few_acknowledge(primary)) continue;
    EpochRecord next = p.next_config();
    next.ackers.insert(v.id);
    p.persist(std::move(next), EventKind::kAckerAdded, v.id.value + " follows closely and acknowledges from now on");
    return true;
  }
  return false;
}

// An acker that has been out of touch for a while, cannot write what it receives, could not become the primary, or starts again
// and again, and without whom enough are left. One that is not sound still acknowledges: where it is the last that does, its
// relay log is the other copy of each write. So of several that are not sound the first to go is one whose acknowledgements
// count for nothing.
const MemberView* droppable(EpochPlanning& p) {
  enum class Fault { kUnheard, kUnsound, kHeldBack };
  struct Candidate {
    const MemberView* member;
    Fault fault;
    bool counts;  // its acknowledgements do
  };
  std::vector<Candidate> candidates;
  std::size_t well = 0;
  for (const MemberView& v : p.members) {
    if (!p.record.ackers.contains(v.id)) {
      p.memory.unheard_since.erase(v.id);
      p.memory.unsound_since.erase(v.id);
      continue;
    }
    const bool receives = p.follows(v) && p.receives(v, p.times.deaf_after) && EpochPlanning::can_write(v);
    const bool counts = receives && p.acknowledges(v) && !p.nameless(v);
    if (counts) ++well;
    const bool unheard = p.lasted(p.memory.unheard_since[v.id], !receives, p.times.drop_after);
    const bool unsound = p.lasted(p.memory.unsound_since[v.id], p.unsound(v), p.times.drop_after);
    if (!unheard && !unsound && !p.held_back(v.id)) continue;
    candidates.push_back({&v, unheard ? Fault::kUnheard : unsound ? Fault::kUnsound : Fault::kHeldBack, counts});
  }
  const std::size_t left = p.record.ackers.size() - 1;
  const std::uint32_t d = std::min(p.record.d, wanted_d(p.cluster.spec.flavour, left));
  std::erase_if(candidates, [&](const Candidate& c) { return left == 0 || well < d + (c.counts ? 1 : 0); });
  const auto first = std::ranges::min_element(candidates, {}, [](const Candidate& c) { return std::tuple(c.fault, c.counts); });
  return first == candidates.end() ? nullptr : first->member;
}

// Out of the ackers, in three records: fewer acknowledgements if there are to be fewer ackers; `leaving` and shut out, so
// that nothing it acknowledges counts any more; and without it, once the others have all that it may have acknowledged.
bool drop_acker(EpochPlanning& p, const MemberView& primary) {
  const EpochRecord& record = p.record;
  if (record.mode != EpochMode::kNormal) return false;
  if (!record.leaving.empty()) {
    if (p.containing(primary) < record.d) {
      p.wait("an acker to have everything, so that a failover need not ask " + record.leaving.begin()->value);
      return false;
    }
    EpochRecord next = p.next_config();
    for (const MemberId& m : record.leaving) next.ackers.erase(m);
    next.leaving.clear();
    p.persist(std::move(next), EventKind::kAckerDropped,
              "a failover need not ask " + record.leaving.begin()->value + " any more: other members have everything");
    return true;
  }
  const MemberView* lost = droppable(p);
  if (lost == nullptr) return false;
  EpochRecord next = p.next_config();
  next.raising_to = 0;
  const std::uint32_t d = wanted_d(p.cluster.spec.flavour, record.ackers.size() - 1);
  if (d < record.d) {
    next.d = d;
    p.persist(std::move(next), EventKind::kAcksLowered,
              "commits wait for " + std::to_string(d) + " acknowledgement(s): there are fewer ackers");
    return true;
  }
  next.leaving.insert(lost->id);
  next.shut_out.insert(lost->id);
  const bool receives = p.follows(*lost) && p.receives(*lost, p.times.deaf_after);
  const bool cannot_write = EpochPlanning::in_sight(*lost) && !EpochPlanning::can_write(*lost);
  const std::string why = p.unsound(*lost) ? " could not become the primary"
                          : cannot_write   ? " cannot write to its volume"
                          : receives       ? " starts again and again"
                                           : " does not receive";
  p.persist(std::move(next), EventKind::kAckerLeaving, lost->id.value + why + ": its acknowledgements will no longer count");
  return true;
}

// More acknowledgements: the primary waits for them first; what it had executed before is then seen to be held by as many.
bool raise_d(EpochPlanning& p, const MemberView& primary) {
  const EpochRecord& record = p.record;
  if (record.mode != EpochMode::kNormal || !record.leaving.empty()) return false;
  const std::uint32_t wanted = wanted_d(p.cluster.spec.flavour, record.ackers.size());
  const bool raising = record.raising_to > record.d;
  const auto well = static_cast<std::uint32_t>(
      std::ranges::count_if(p.members, [&](const MemberView& v) { return p.should_acknowledge(v.id) && p.acknowledges(v); }));
  if (!raising && (wanted <= record.d || well < wanted)) return false;
  EpochRecord next = p.next_config();
  if (!raising) {
    next.raising_to = wanted;
    p.persist(std::move(next), EventKind::kAcksRaising,
                               "commits are to wait for " + std::to_string(wanted) + " acknowledgements");
    return true;
  }
  if (well < record.raising_to) {
    next.raising_to = 0;
    p.persist(std::move(next), EventKind::kAcksNotRaised, "too few replicas acknowledge");
    return true;
  }
  if (p.containing(primary) < record.raising_to) {
    p.wait(std::to_string(record.raising_to) + " ackers to have everything");
    return false;
  }
  next.d = std::exchange(next.raising_to, 0);
  p.persist(std::move(next), EventKind::kAcksRaised, "commits wait for " + std::to_string(next.d) + " acknowledgements");
  return true;
}

// A replica of this epoch, even where it has yet to promise the newest config: its disk may be slower than the primary's.
bool replica_still(const EpochPlanning& p, const MemberView& v) {
  return EpochPlanning::server_up(v) && !v.report->busy && v.report->role == MemberRole::kReplica &&
         v.report->source == p.record.primary && v.report->promised.epoch == p.record.pair.epoch;
}

// An amnesiac needs a read of the primary that is later than its restart: the next config proves that. One that does not
// receive cannot come to hold what was read. Each record tells it to follow, and each time that would be a reason for another
// record: there would be no end of records, and its repair would never have its turn.
bool recertify(EpochPlanning& p) {
  bool needed_one = false;
  for (const MemberView& v : p.members) {
    if (!replica_still(p, v) || !v.report->amnesiac) {
      p.memory.amnesiacs.erase(v.id);
      continue;
    }
    if (!p.follows(v) || !v.report->receiver_connected) continue;
    auto& known = p.memory.amnesiacs[v.id];
    if (known.incarnation == v.report->incarnation) continue;
    known = {v.report->incarnation, p.record.pair, std::nullopt};
    needed_one = true;
  }
  if (!needed_one) return false;
  p.persist(p.next_config(), EventKind::kCertificationStarted,
                             "a restarted replica may have lost relay log, so what it holds is checked");
  return true;
}

// Why no replica acknowledges, for the event of a primary that goes solo.
std::string why_solo(const EpochPlanning& p) {
  for (const MemberView& v : p.members) {
    if (!p.should_acknowledge(v.id) || !p.nameless(v)) continue;
    return "somebody reset the binary logs of " + v.id.value +
           ", so it cannot show what it acknowledges, and no other replica does";
  }
  return "no replica acknowledges";
}

bool enter_solo(EpochPlanning& p, const MemberView& primary) {
  const bool joining = p.record.mode == EpochMode::kSolo && !p.record.joining.empty();
  if (p.record.mode != EpochMode::kNormal && !joining) {
    p.memory.no_acker_since.reset();
    return false;
  }
  const bool stuck = primary.report->commits_stuck;
  // Of what replicas hold already they acknowledge nothing, and MariaDB makes no room for more: nothing will change that.
  const bool for_good = stuck && p.containing(primary) >= p.d_in_force();
  // A large transaction takes an acker long to receive, and is acknowledged at its end. What a server that does not answer was
  // seen to receive last is no sign of life.
  const bool coming = std::ranges::any_of(p.members, [&](const MemberView& v) {
    return p.should_acknowledge(v.id) && EpochPlanning::can_write(v) && v.report->receiving && p.answers(v);
  });
  // What a primary said whose server does not answer any more is old: in solo it would not serve either.
  const bool nobody = p.answers(primary) && (p.too_few_acknowledge(primary) || (stuck && (for_good || !coming)));
  if (nobody) p.wait("a replica to acknowledge writes");
  if (!p.lasted(p.memory.no_acker_since, nobody, for_good ? Duration::zero() : p.times.solo_after)) return false;
  p.memory.no_acker_since.reset();
  p.memory.unheard_since.clear();
  EpochRecord next = p.next_config();
  go_solo(next);
  p.persist(std::move(next), EventKind::kSoloEntered,
            why_solo(p) + ": " + primary.id.value + " goes solo (commits wait for no replica)");
  return true;
}

// The primary has confirmed that it waits again and whom it shuts out; what it had executed then is held by d of those
// who acknowledge.
bool finish_leaving_solo(EpochPlanning& p, const MemberView& primary) {
  const auto complete = std::ranges::count_if(p.members, [&](const MemberView& v) {
    return p.record.joining.contains(v.id) && p.follows(v) && v.report->acking && v.report->receiver_connected &&
           EpochPlanning::has_all_of(v, primary);
  });
  if (static_cast<std::size_t>(complete) < p.record.d) {
    p.wait("a joining replica to have everything");
    return false;
  }
  EpochRecord next = p.next_config();
  next.mode = EpochMode::kNormal;
  next.ackers = p.record.joining;
  next.joining.clear();
  p.persist(std::move(next), EventKind::kSoloLeft, "writes are acknowledged by a replica again");
  return true;
}

bool leave_solo(EpochPlanning& p, const MemberView& primary) {
  if (p.record.mode != EpochMode::kSolo) return false;
  if (!p.record.joining.empty()) return finish_leaving_solo(p, primary);
  std::vector<const MemberView*> fit;
  for (const MemberView& v : p.members) {
    if (p.nameable(v) && p.caught_up(primary, v)) fit.push_back(&v);
  }
  if (fit.empty()) return false;
  const auto best = std::ranges::min(fit | std::views::transform([&](const MemberView* v) { return rank(p, *v); }));
  std::set<MemberId> joining;
  for (const MemberView* v : fit) {
    if (rank(p, *v) == best && joining.size() < p.most_ackers()) joining.insert(v->id);
  }
  const std::string count = std::to_string(joining.size());
  EpochRecord next = p.next_config();
  next.joining = std::move(joining);
  next.d = wanted_d(p.cluster.spec.flavour, next.joining.size());
  // The joining ones too: from when commits wait again, they are to receive none silently.
  for (const MemberView& v : p.members) {
    if (!p.is_primary(v)) next.shut_out.insert(v.id);
  }
  p.persist(std::move(next), EventKind::kSoloLeaving, count + " replica(s) are to acknowledge again");
  return true;
}

}  // namespace

void go_solo(EpochRecord& next) {
  next.mode = EpochMode::kSolo;
  next.ackers.clear();
  next.leaving.clear();
  next.joining.clear();
  next.shut_out.clear();
  next.raising_to = 0;
}

bool change_record(EpochPlanning& p, const MemberView& primary) {
  return renew_names(p, primary) || name_outside(p, primary) || let_in(p) || drop_acker(p, primary) ||
         add_acker(p, primary) || raise_d(p, primary) || recertify(p) || enter_solo(p, primary) || leave_solo(p, primary) ||
         change_rebuilding(p, primary);
}

std::size_t most_ackers(Flavour flavour, std::size_t members) {
  const std::size_t others = members - 1;
  return flavour == Flavour::kMariadb ? std::min<std::size_t>(others, 2) : others;
}

std::uint32_t wanted_d(Flavour flavour, std::size_t ackers) {
  if (flavour == Flavour::kMariadb || ackers <= 2) return 1;  // MariaDB acknowledges on one
  return static_cast<std::uint32_t>(ackers / 2);
}

}  // namespace mysos
