// SPDX-License-Identifier: Apache-2.0
// One election: who is complete, who is chosen. The rules are R8 and R10 of docs/model; its fences are in epochs/fences.cc.
#include <algorithm>
#include <tuple>

#include "core/epochs/planning.h"
#include "core/epochs/soundness.h"
#include "model/stalled_applier.h"

namespace mysos {
namespace {

// How many of the fenced see its executor: one that is cut off from the rest would be cut off as a primary.
std::size_t reached_by(const EpochPlanning& p, const MemberView& candidate) {
  return static_cast<std::size_t>(std::ranges::count_if(p.members, [&](const MemberView& v) {
    return v.id != candidate.id && p.fenced(v) && v.report->reaches.contains(candidate.id);
  }));
}

// Of two that are complete. Larger is better.
auto rank(const EpochPlanning& p, const MemberView& v) {
  const bool wanted = p.cluster.switchover_to == v.id || (p.cluster.failover && p.cluster.failover->to == v.id);
  // Where the target cannot, the old primary goes on: the others follow it still, so nobody has to be pointed elsewhere.
  const bool goes_on = p.cluster.switchover_to && p.is_primary(v);
  const Member* member = p.cluster.find(v.id);
  const int preference = member == nullptr ? 0 : promotion_rank(member->promotion);
  return std::tuple(wanted, v.can_write(), goes_on, p.memory.flaps.avoid != v.id, p.written_on(v).empty(),
                    reached_by(p, v), preference, v.report->executed.count());
}

// Whether somebody is worth a short wait: the one that was asked for, or a member that is about to be fenced.
bool stragglers(EpochPlanning& p, const MemberView& best) {
  std::optional<MemberId> target = p.cluster.switchover_to;
  if (!target && p.cluster.failover) target = p.cluster.failover->to;
  if (target && *target != best.id && p.electing_for() < p.times.target_wait) {
    const MemberView* v = p.view(*target);
    if (v != nullptr && EpochPlanning::server_up(*v) && !target_is_stuck(p, *v)) {
      p.revisit(*p.memory.election_since + p.times.target_wait);
      p.wait("the target " + target->value + " to have executed everything");
      return true;
    }
  }
  // The one that was found to have failed is always complete and mostly fenced first; chosen again, it would fail again. So
  // the others are given time to stop receiving from it and to apply what they have.
  const bool failed = p.memory.flaps.avoid == best.id && p.record.primary == best.id;
  const Duration patience = failed ? p.times.target_wait : p.times.stragglers_wait;
  const bool some = std::ranges::any_of(p.members, [&](const MemberView& v) {
    if (v.id == best.id || !EpochPlanning::server_up(v)) return false;
    return !p.fenced(v) || (failed && !v.report->executed.contains(v.report->received));
  });
  if (some && p.electing_for() < patience) {
    p.revisit(*p.memory.election_since + patience);
    return true;
  }
  return false;
}

const MemberView* best_of(const EpochPlanning& p, const std::vector<const MemberView*>& candidates) {
  const auto it = std::ranges::max_element(candidates, [&](auto* a, auto* b) { return rank(p, *a) < rank(p, *b); });
  return it == candidates.end() ? nullptr : *it;
}

// It will execute what it received. The election does not wait for an applier that stopped with an error or is stalled.
bool will_execute_all(const EpochPlanning& p, const MemberView& v) {
  const MemberReport& r = *v.report;
  const bool may_start = !r.applier_running && !r.applier_error.any() && p.electing_for() < p.times.loss_wait;
  return drains(r) || may_start;
}

// A receiver that waits for room on the disk does not stop.
std::string who_cannot_stop(const EpochPlanning& p) {
  for (const MemberView& v : p.members) {
    if (!EpochPlanning::server_up(v) || p.fenced(v) || EpochPlanning::can_write(v)) continue;
    return "; the volume of " + v.id.value + " takes no writes (" + v.report->write_trouble +
           "), so its server does not stop receiving: make room there";
  }
  return "";
}

// An operator has accepted that writes are lost: of those that can be reached, the one that will have executed most.
const MemberView* least_loss(EpochPlanning& p) {
  const MemberView* best = nullptr;
  const auto has = [&](const MemberView& v) {
    const GtidSet& set = will_execute_all(p, v) ? v.report->received : v.report->executed;
    return std::tuple(proven_reign(p, v), &v == complete_without_names(p), !p.outdated(v), set.count());
  };
  if (p.electing_for() < p.times.loss_wait) p.revisit(*p.memory.election_since + p.times.loss_wait);
  for (const MemberView& v : p.members) {
    const bool about_to_say = EpochPlanning::server_up(v) && v.report->promised == p.record.pair && !p.fenced(v);
    if (about_to_say && p.electing_for() < p.times.loss_fences) {
      p.revisit(*p.memory.election_since + p.times.loss_fences);
      p.wait(v.id.value + " to say what it holds" + who_cannot_stop(p));
      return nullptr;
    }
    if (!p.fenced(v) || !v.connected) continue;
    const bool asked_for = p.cluster.failover->to == v.id;
    if (best == nullptr || asked_for || (p.cluster.failover->to != best->id && has(v) > has(*best))) best = &v;
  }
  const bool waits = best != nullptr && will_execute_all(p, *best) && !best->report->executed.contains(best->report->received);
  if (best == nullptr || waits) {
    p.wait(waits ? best->id.value + " to execute what it received, or to have executed nothing for 10 s"
                 : "a member to be reached that has executed what it received" + who_cannot_stop(p));
    return nullptr;
  }
  return stragglers(p, *best) ? nullptr : best;
}

// Nobody is complete. A loss that an operator accepted is taken after a while; otherwise `what` is waited for.
const MemberView* least_loss_or_wait(EpochPlanning& p, std::string what) {
  const bool loss_accepted = p.cluster.failover && p.cluster.failover->accept_loss;
  if (loss_accepted && p.electing_for() >= p.times.loss_wait) return least_loss(p);
  if (loss_accepted) p.revisit(*p.memory.election_since + p.times.loss_wait);
  p.wait(std::move(what));
  return nullptr;
}

// What the fenced prove.
struct Proof {
  GtidSet by_ackers;   // union of what the ackers hold, and of what those with amnesia are known to have held
  GtidSet written_on;  // of that, what somebody wrote on a replica: never acknowledged
  GtidSet by_primary;  // the old primary's own log
  std::size_t counting = 0;
  bool primary_reported = false;
  bool quorum = false;
};

Proof proof_of(const EpochPlanning& p) {
  Proof proof;
  for (const MemberView& v : p.members) {
    if (!p.fenced(v)) continue;
    const MemberReport& r = *v.report;
    if (p.record.ackers.contains(v.id)) {
      proof.by_ackers = proof.by_ackers.united(r.received);
      if (r.known) proof.by_ackers = proof.by_ackers.united(*r.known);
      proof.written_on = proof.written_on.united(p.written_on(v));
      if (r.remembers()) ++proof.counting;
    }
    // A server whose binary logs were reset does not know any more what it wrote.
    if (p.is_primary(v) && !r.logs_reset && !forgot_its_writes(p, v)) {
      proof.by_primary = r.received;
      proof.primary_reported = true;
    }
  }
  proof.quorum = p.record.mode == EpochMode::kNormal && !p.record.ackers.empty() && proof.counting >= p.needed();
  return proof;
}

// Names a stopped or stalled applier for which the election waits.
std::string who_is_stopped(const EpochPlanning& p) {
  for (const MemberView& v : p.members) {
    const bool stopped = p.fenced(v) && !v.report->applier_running && v.report->applier_error.any();
    if (!p.fenced(v) || drains(*v.report) || (!stopped && !is_stalled(*v.report))) continue;
    return "; " + (stopped ? "the applier of " + v.id.value + " has stopped: " + why_stopped(*v.report)
                           : v.id.value + ": " + stall_text(*v.report)) +
           ". If it cannot be repaired, failover --accept-loss gives up what no member can execute";
  }
  return "";
}

std::vector<const MemberView*> complete_by(const EpochPlanning& p, const Proof& proof, const GtidSet& all) {
  std::vector<const MemberView*> complete;
  for (const MemberView& v : p.members) {
    if (!p.fenced(v) || !v.connected || !v.report->executed.contains(p.record.floor)) continue;
    if (v.report->logs_reset || p.outdated(v)) continue;
    if ((proof.quorum && v.report->executed.contains(all)) ||
        (proof.primary_reported && v.report->executed.contains(proof.by_primary))) {
      complete.push_back(&v);
    }
  }
  return complete;
}

// The record proves nothing where it may be old: its members do.
const MemberView* choose_in_doubt(EpochPlanning& p) {
  const MemberView* best = best_of(p, complete_in_doubt(p));
  if (best != nullptr) return stragglers(p, *best) ? nullptr : best;
  return least_loss_or_wait(p, "");
}

std::string undone_text(const EpochPlanning& p, const std::vector<const MemberView*>& complete) {
  std::string who;
  for (const MemberView* v : complete) who += (who.empty() ? "" : ", ") + v->id.value + ": " + p.written_on(*v).to_string();
  return "the old primary, or an operator: somebody wrote on each member that has everything (" + who +
         "), and may have ended an XA transaction there that was acknowledged as prepared. If nobody did, failover " +
         p.cluster.spec.name + " --accept-loss loses nothing";
}

// Those of the complete ones on which nobody wrote. What users wrote on a replica was never acknowledged, so it is no part of
// what must be executed. On MySQL it may be XA ROLLBACK of a replicated transaction, which undoes what was acknowledged: there
// nobody on whom somebody wrote is chosen. MariaDB refuses that statement; so there such a member is better than none.
std::vector<const MemberView*> untouched(EpochPlanning& p, const Proof& proof) {
  std::vector<const MemberView*> complete = complete_by(p, proof, proof.by_ackers.minus(proof.written_on));
  std::vector<const MemberView*> clean;
  std::ranges::copy_if(complete, std::back_inserter(clean), [&](const MemberView* v) { return p.written_on(*v).empty(); });
  if (!clean.empty() || complete.empty()) return clean;
  if (p.cluster.spec.flavour == Flavour::kMysql) {
    p.wait(undone_text(p, complete));
    return {};
  }
  if (p.electing_for() >= p.times.target_wait) return complete;
  p.revisit(*p.memory.election_since + p.times.target_wait);
  return complete_by(p, proof, proof.by_ackers);
}

const MemberView* choose(EpochPlanning& p) {
  if (p.cluster.doubt) return choose_in_doubt(p);
  const Proof proof = proof_of(p);
  if (!proof.quorum && !proof.primary_reported) {
    if (const MemberView* whole = complete_without_names(p)) return stragglers(p, *whole) ? nullptr : whole;
    if (p.cluster.failover && p.cluster.failover->accept_loss) return least_loss(p);
    p.wait(p.record.mode == EpochMode::kSolo
               ? "the old primary: it was solo, so only its own log is complete"
               : std::to_string(p.needed() - proof.counting) + " more acker(s), or the old primary, to report what they hold");
    return nullptr;
  }
  if (const MemberView* best = best_of(p, untouched(p, proof))) return stragglers(p, *best) ? nullptr : best;
  return least_loss_or_wait(p, "a fenced member to have executed everything that was acknowledged" + who_is_stopped(p));
}

// In an operator's own words of loss: what is known to have been somewhere, and is not on the chosen one.
std::string loss_text(const EpochPlanning& p, const MemberView& chosen) {
  GtidSet seen = p.record.floor;
  for (const MemberView& v : p.members) {
    if (v.report) seen = seen.united(v.report->received);
  }
  if (chosen.report->logs_reset) return "; its binary logs were reset, so nobody can say what it lacks";
  const GtidSet lost = seen.minus(chosen.report->executed);
  return lost.count() == 0 ? std::string("; an operator accepted a loss, none is known of")
                           : "; lost, as an operator accepted: " + std::to_string(lost.count()) + " transaction(s) of " +
                                 lost.to_string() + ", and what nobody reported";
}

void install(EpochPlanning& p, const MemberView& chosen) {
  const bool forced = p.cluster.failover && p.cluster.failover->accept_loss;
  EpochRecord next;
  next.pair = Pair{p.record.pair.epoch, 1};
  next.primary = chosen.id;
  if (p.record.rebuilding != chosen.id) next.rebuilding = p.record.rebuilding;
  next.floor = chosen.report->executed;
  next.names_from = names_under(p, chosen, next.pair);
  std::vector<const MemberView*> able;
  for (const MemberView& v : p.members) {
    if (v.id == chosen.id) continue;
    if (!p.fenced(v)) {
      next.shut_out.insert(v.id);
    } else if (v.connected && next.floor.contains(v.report->received) && !v.report->logs_reset &&
               v.report->made_at >= next.names_from) {
      able.push_back(&v);
    }
  }
  std::ranges::sort(able, [](const MemberView* a, const MemberView* b) {
    const auto rank_of = [](const MemberView* v) {
      return std::tuple(v->report->remembers(), v->report->received.count());
    };
    return rank_of(a) != rank_of(b) ? rank_of(a) > rank_of(b) : a->id < b->id;
  });
  // One that does not remember would be asked by the next election and could not answer it: only where nobody else is there.
  for (const MemberView* v : able) {
    const bool of_use = v->report->remembers() || next.ackers.empty();
    if (of_use && next.ackers.size() < p.most_ackers()) next.ackers.insert(v->id);
  }
  next.mode = next.ackers.empty() ? EpochMode::kSolo : EpochMode::kNormal;
  next.d = wanted_d(p.cluster.spec.flavour, next.ackers.size());
  EventKind kind = p.cluster.doubt ? EventKind::kRecordRenewed : EventKind::kPrimaryChosen;
  if (forced) kind = EventKind::kFailoverForced;
  if (p.cluster.switchover_to) {
    kind = p.cluster.switchover_to == chosen.id ? EventKind::kSwitchoverDone : EventKind::kSwitchoverFailed;
  }
  std::string why = chosen.id.value + (forced ? " becomes the primary" : " has executed everything that was acknowledged");
  if (kind == EventKind::kSwitchoverFailed) {
    why = chosen.id.value + (p.is_primary(chosen) ? " stays the primary: " : " becomes the primary: ") +
          why_not_chosen(p, *p.cluster.switchover_to);
  }
  if (forced) why += loss_text(p, chosen) + (p.cluster.doubt ? not_asked(p) : "");
  if (next.names_from == next.pair) why += "; its transactions have new GTIDs now, so all other members are rebuilt from it";
  if (able.empty() && p.members.size() > 1) why += "; it is solo until a replica follows";
  p.memory.flaps.chosen_at = p.now;
  p.persist(std::move(next), kind, std::move(why));
}

// Nothing was ever acknowledged, so any member may begin. Waits for all members, so that the first primary has ackers.
void elect_first(EpochPlanning& p) {
  std::size_t ready = 0;
  const MemberView* first = nullptr;
  for (const MemberView& v : p.members) {
    if (!p.fenced(v) || !v.connected) continue;
    ++ready;
    if (first == nullptr || v.report->executed.count() > first->report->executed.count()) first = &v;
  }
  auto& since = p.memory.first_ready;
  if (first != nullptr && !since) since = p.now;
  const bool waited = since && p.now - *since >= p.times.bootstrap_wait;
  if (first != nullptr && (ready == p.members.size() || waited)) return install(p, *first);
  if (since && !waited) p.revisit(*since + p.times.bootstrap_wait);
  p.wait("its members to start: " + std::to_string(ready) + " of " + std::to_string(p.members.size()) + " are ready");
}

}  // namespace

void start_election(EpochPlanning& p, EventKind kind, std::string why) {
  EpochRecord next = p.record;
  next.pair = Pair{p.record.pair.epoch + 1, 0};
  next.electing = true;
  next.leaving.clear();
  next.joining.clear();
  next.raising_to = 0;
  p.persist(std::move(next), kind, std::move(why));
}

void elect(EpochPlanning& p) {
  if (!p.memory.election_since) p.memory.election_since = p.now;
  order_fences(p);
  if (p.record.mode == EpochMode::kVirgin && !p.cluster.doubt) {
    elect_first(p);
  } else if (const MemberView* chosen = choose(p)) {
    install(p, *chosen);
  }
}

}  // namespace mysos
