// SPDX-License-Identifier: Apache-2.0
// Rebuilds members: errant members, members whose applier does not continue, and members that cannot reasonably replay what
// they lack. One replica at a time has its data thrown away, after the record has named it. The last copy beside the primary's
// is kept, except in a cluster of two, which has no other way to a sound replica. Data that can never receive new writes do not
// count as a copy. The donor is a sound replica; the primary only if no replica can be copied. Ackers, leaving and joining
// members are never rebuilt, and nobody is rebuilt during an election (`no_rebuild_of_ackers`, `no_rebuild_while_electing` of
// docs/model). Nothing waits for a rebuild.
#include <algorithm>
#include <tuple>

#include "core/epochs/planning.h"
#include "core/epochs/soundness.h"
#include "model/stalled_applier.h"

namespace mysos {
namespace {

constexpr std::uint64_t kReplayable = 1000;      // transactions: an empty member replays so many rather than copy
constexpr std::uint32_t kSeedTries = 3;          // copies that failed in a row; then everything is replayed, where it can be

bool counts(const EpochPlanning& p, const MemberId& m) {
  return p.is_primary(m) || p.record.ackers.contains(m) || p.record.joining.contains(m) || p.record.leaving.contains(m);
}

bool gives_already(const EpochPlanning& p, const MemberView& donor) {
  const bool about_to = std::ranges::any_of(p.out.orders, [&](const auto& ordered) {
    const auto* rebuild = std::get_if<order::Rebuild>(&ordered.second);
    return rebuild != nullptr && rebuild->donor && rebuild->donor->member == donor.id;
  });
  return about_to || std::ranges::any_of(p.members, [&](const MemberView& v) {
    return EpochPlanning::in_sight(v) && v.report->seeding && v.report->seeding->state == SeedState::kCopying &&
           v.report->seeding->donor == donor.id;
  });
}

// It follows, and its source has what it needs next.
bool is_supplied(const EpochPlanning& p, const MemberView& v) {
  return p.follows(v) && v.report->receiver_connected && !v.report->binlog_gone;
}

// Healthy, of this epoch, and close to the primary.
bool can_give(const EpochPlanning& p, const MemberView& primary, const MemberView& v) {
  return is_supplied(p, v) && EpochPlanning::can_write(v) && !p.unsound(v) && v.report->applier_running &&
         !is_stalled(*v.report) && behind(v, primary) <= kFarBehind;
}

// The donor has executed the transaction at which the recipient does not continue. A copy of data that end there would not
// continue either: for example, a copy contains a prepared transaction with its lock.
bool went_further(const MemberView& v, const MemberView& recipient) {
  const MemberReport& r = *recipient.report;
  const bool held_up = tells_what_it_holds(r) && !r.executed.contains(r.received) && (!r.applier_running || is_stalled(r));
  return !held_up || !r.executed.contains(v.report->executed);
}

// A possible later donor, worth a wait: it need not be rebuilt itself.
bool may_give_yet(const EpochPlanning& p, const MemberView& v) {
  const bool flawed = v.report && (v.report->needs_copy || v.report->binlog_gone || v.report->role == MemberRole::kErrant);
  const bool rebuilt_itself = v.volume_lost || p.unsound(v) || p.outdated(v) || flawed;
  return v.launched && !rebuilt_itself;
}

struct DonorChoice {
  const MemberView* donor = nullptr;
  std::string waits_for;  // where there is none
};

DonorChoice choose_donor(EpochPlanning& p, const MemberView& primary, const MemberView& recipient) {
  const auto lag = [&](const MemberView* v) {
    return std::tuple(v->report->lag_ms < 0, v->report->lag_ms, primary.report->executed.minus(v->report->executed).count());
  };
  const MemberView* best = nullptr;
  bool some_give = false, some_may = false;
  for (const MemberView& v : p.members) {
    if (v.id == recipient.id || p.is_primary(v)) continue;
    if (!can_give(p, primary, v) || !went_further(v, recipient)) {
      some_may = some_may || may_give_yet(p, v);
    } else if (gives_already(p, v)) {
      some_give = true;
    } else if (best == nullptr || lag(&v) < lag(best)) {
      best = &v;
    }
  }
  if (best != nullptr) return {best, {}};
  if (some_give || gives_already(p, primary)) return {nullptr, "another copy to end"};
  auto [since, fresh] = p.memory.donor_wanted_since.try_emplace(recipient.id, p.now);
  const Instant at = since->second + p.times.donor_wait;
  if (some_may && p.now < at) {
    p.revisit(at);
    return {nullptr, "a replica that can be copied"};
  }
  return {&primary, {}};
}

void order_rebuild(EpochPlanning& p, const MemberView& primary, const MemberView& v, GtidSet errant) {
  const MemberReport& r = *v.report;
  order::Rebuild o{p.record.pair, r.generation, std::nullopt, std::move(errant)};
  const bool given_up = r.seeding && r.seeding->state == SeedState::kFailed && r.seeding->failures + 1 >= kSeedTries;
  if (!given_up || !primary.report->binlog_complete) {
    const DonorChoice choice = choose_donor(p, primary, v);
    if (choice.donor == nullptr) return p.wait(v.id.value + ", which is to be rebuilt, for " + choice.waits_for);
    o.donor = Donor{choice.donor->id, choice.donor->host, choice.donor->source_port, choice.donor->api_port};
    o.holds = choice.donor->report->executed;
  }
  p.memory.donor_wanted_since.erase(v.id);
  p.out.orders.emplace_back(v.id, std::move(o));
}

// So often in a row a replica's server may be killed for memory before it is given other data.
constexpr std::uint32_t kMemoryKills = 3;

// What it lacks is not to be had by replication, or only after a very long time.
bool cannot_replay(const EpochPlanning& p, const MemberView& primary, const MemberView& v) {
  const MemberReport& r = *v.report;
  if (p.follows(v)) return r.binlog_gone;
  if (!r.received.sources().empty()) return false;
  const std::uint64_t all = primary.report->executed.count();
  return all > kReplayable || (all > 0 && !primary.report->binlog_complete);
}

bool serves_well(const EpochPlanning& p, const MemberView& primary) {
  return p.primary_in_place(primary) && EpochPlanning::can_write(primary) && !primary.report->logs_reset;
}

// The cluster has no other replica, and its primary serves as it should. The replica could not take over if the primary died,
// so the primary's data are the only ones that are of use at once. The replica is given a copy of them, and the primary is solo
// until then.
bool only_replica(const EpochPlanning& p, const MemberView& primary) {
  return p.members.size() == 2 && serves_well(p, primary);
}

// Data that are a copy are worth a longer wait: somebody may mend what is wrong.
Duration patience(const EpochPlanning& p, const MemberView& primary, const Need& need) {
  return need.copy && only_replica(p, primary) ? p.times.rebuild_only_after : p.times.rebuild_after;
}

// What is wrong with a replica that follows. Its data are kept as a copy of what was written since, but where the primary has
// purged what the replica would need next: the replica can never acknowledge again, so the wait for another one to acknowledge
// would have no end where all replicas are in that state.
std::optional<Need> need_of_flawed(const EpochPlanning& p, const MemberView& primary, const MemberView& v) {
  std::optional<Flaw> flaw = flaw_of(p.record, *primary.report, *v.report);
  if (!flaw || !flaw->lasts) return std::nullopt;
  const bool left_behind = cannot_replay(p, primary, v) && serves_well(p, primary);
  if (left_behind) flaw->text += "; and the primary has purged what it would need next";
  return Need{std::move(flaw->text), std::move(flaw->errant), !left_behind};
}

std::optional<Need> work_out_need(const EpochPlanning& p, const MemberView& primary, const MemberView& v) {
  if (!primary.report || !p.settled(v) || !tells_what_it_holds(*primary.report)) return std::nullopt;
  const bool only = only_replica(p, primary);
  if (p.should_acknowledge(v.id) && !only) return std::nullopt;
  const MemberReport& r = *v.report;
  const GtidSet written = EpochPlanning::written_by(primary);
  const bool contained = primary.report->executed.contains(r.received) || written.contains(r.received);
  if (p.outdated(v)) {  // an empty one, too: the primary's binary logs lack what was before the reset
    return Need{"its data are from before somebody reset binary logs, and transactions have new GTIDs since",
                r.received.minus(written)};
  }
  if (r.role == MemberRole::kErrant && r.logs_reset) {
    return Need{"somebody reset its binary logs, so it no longer knows which transactions its data hold"};
  }
  if (r.role == MemberRole::kErrant && !contained) {
    GtidSet extra = r.received.minus(written);
    return Need{"it holds transactions that were never acknowledged (" + extra.to_string() + ")", std::move(extra)};
  }
  if (p.follows(v) && (!r.acking || only)) {
    if (std::optional<Need> need = need_of_flawed(p, primary, v)) return need;
  }
  if (p.follows(v) && !r.acking) {
    // A copy holds what it dies of already. While the primary is solo, only it has what was written since.
    if (r.memory_kills >= kMemoryKills) {
      return Need{"the kernel has killed its server for memory " + std::to_string(r.memory_kills) + " times in a row", {},
                  p.record.mode != EpochMode::kSolo};
    }
  }
  if (!contained || r.received.empty() || counts(p, v.id) || !cannot_replay(p, primary, v)) return std::nullopt;
  return Need{"the primary has purged what it would need next"};
}

// change_rebuilding() and handle_rebuild() both ask.
const std::optional<Need>& need_of(EpochPlanning& p, const MemberView& primary, const MemberView& v) {
  const auto known = p.needs.find(v.id);
  return known != p.needs.end() ? known->second : p.needs.emplace(v.id, work_out_need(p, primary, v)).first->second;
}

// "" = its data may be thrown away now: the primary's are not the only ones then.
std::string why_not_now(const EpochPlanning& p, const MemberView& primary, const MemberView& v, const Need& need) {
  bool another_copy = false, some_bare = false, some_whole = false;
  for (const MemberView& w : p.members) {
    if (w.id == v.id || p.is_primary(w) || w.volume_lost) continue;
    // An order of before, which it has yet to refuse, may be on its way to it.
    if (EpochPlanning::server_up(w) && w.report->promised != p.record.pair) return w.id.value + " to say what it holds";
    another_copy = another_copy || (p.record.ackers.contains(w.id) && !p.record.leaving.contains(w.id) && p.acknowledges(w));
    some_bare = some_bare || bare(w) || p.record.rebuilding == w.id;
    some_whole = some_whole || (w.report && !bare(w) && p.record.rebuilding != w.id);
  }
  if (need.copy && !another_copy && !only_replica(p, primary)) {
    return "another replica to acknowledge: beside the primary it is the only copy of what was written since";
  }
  return some_bare && !some_whole ? "the other replica to have data again" : "";
}

// The one that was named has what it needs, or is no replica any more.
bool rebuilt(EpochPlanning& p, const MemberView& primary, const MemberView* v) {
  if (v == nullptr || v->volume_lost || p.is_primary(*v)) return true;
  // One that was named because nobody else acknowledges is repaired like any acker, also if somebody has written on it since.
  return is_supplied(p, *v) && (counts(p, v->id) || (!p.unsound(*v) && !need_of(p, primary, *v)));
}

}  // namespace

bool bare(const MemberView& v) {
  return v.report && (v.report->needs_copy || (v.report->server == ServerState::kPreparing && v.report->seeding &&
                                               v.report->seeding->state == SeedState::kCopying));
}

bool handle_rebuild(EpochPlanning& p, const MemberView& primary, const MemberView& v) {
  if (!EpochPlanning::in_sight(v) || !primary.report || v.report->promised > p.record.pair) return false;
  const MemberReport& r = *v.report;
  if (r.server == ServerState::kPreparing && r.seeding && r.seeding->state == SeedState::kCopying) {
    p.wait(v.id.value + " to have copied the data of " + r.seeding->donor.value);
    return true;
  }
  if (r.needs_copy) {
    if (!counts(p, v.id) && p.primary_in_place(primary)) order_rebuild(p, primary, v, {});
    return true;
  }
  if (!p.settled(v)) return false;
  const std::optional<Need>& need = need_of(p, primary, v);
  if (!need) {
    p.memory.broken_since.erase(v.id);
    const bool empty = r.received.empty() && !counts(p, v.id) && p.primary_in_place(primary) && cannot_replay(p, primary, v);
    if (empty) order_rebuild(p, primary, v, {});
    return empty;
  }
  const Instant at = p.memory.broken_since.try_emplace(v.id, p.now).first->second + patience(p, primary, *need);
  p.wait(v.id.value + ": " + need->why);
  if (p.now < at) p.revisit(at);
  const bool now = p.now >= at && p.record.rebuilding == v.id && !counts(p, v.id) && p.primary_in_place(primary);
  if (now) order_rebuild(p, primary, v, need->errant);
  // Told to follow again, it would be refused again, and until then it would look as if it needed nothing.
  const bool refused = cannot_replay(p, primary, v) && r.acking == p.should_acknowledge(v.id);
  return now || refused || !p.follows(v);
}

bool change_rebuilding(EpochPlanning& p, const MemberView& primary) {
  const std::optional<MemberId>& named = p.record.rebuilding;
  const MemberView* before = named ? p.view(*named) : nullptr;
  if (named && rebuilt(p, primary, before)) {
    EpochRecord next = p.next_config();
    next.rebuilding.reset();
    p.persist(std::move(next), EventKind::kRebuildEnded, named->value + " does not need a rebuild any more");
    return true;
  }
  if (named && EpochPlanning::in_sight(*before)) return false;
  for (const MemberView& v : p.members) {
    if (named == v.id || p.is_primary(v)) continue;
    const std::optional<Need>& need = need_of(p, primary, v);
    const auto since = p.memory.broken_since.find(v.id);
    const bool alone = counts(p, v.id) && only_replica(p, primary);
    if (!need || (counts(p, v.id) && !alone) || since == p.memory.broken_since.end()) continue;
    if (p.now < since->second + patience(p, primary, *need)) continue;
    if (const std::string why_not = why_not_now(p, primary, v, *need); !why_not.empty()) {
      p.wait(v.id.value + ": " + need->why + "; it is not rebuilt yet: that waits for " + why_not);
      continue;
    }
    EpochRecord next = p.next_config();
    next.rebuilding = v.id;
    if (alone) go_solo(next);
    p.persist(std::move(next), EventKind::kRebuildStarted,
              v.id.value + " is to be rebuilt as a copy of another member: " + need->why +
                  (alone ? "; there is no other replica, so " + primary.id.value + " goes solo until then" : ""));
    return true;
  }
  return false;
}

}  // namespace mysos
