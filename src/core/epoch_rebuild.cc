// SPDX-License-Identifier: Apache-2.0
// Members whose data are made anew: errant ones, and those that cannot sensibly replay what they lack. The data are copied from
// a replica, from the primary only where no replica can. Never those of an acker, a leaving or a joining member, never while
// electing (`no_rebuild_of_ackers`, `no_rebuild_while_electing` of docs/model); nothing else ever waits for it.
#include <algorithm>
#include <tuple>

#include "core/epoch_planning.h"

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

// Healthy, of this epoch, and close to the primary.
bool can_give(const EpochPlanning& p, const MemberView& primary, const MemberView& v) {
  return p.follows(v) && v.report->receiver_connected && v.report->write_trouble.empty() &&
         behind(v, primary) <= kFarBehind;
}

// It is worth waiting for: it is not one that has to be made anew itself.
bool may_give_yet(const MemberView& v) {
  const bool anew = v.volume_lost || (v.report && (v.report->needs_copy || v.report->role == MemberRole::kErrant));
  return v.launched && !anew;
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
    if (!can_give(p, primary, v)) {
      some_may = some_may || may_give_yet(v);
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
    if (choice.donor == nullptr) return p.wait(v.id.value + ", which is to be made anew, for " + choice.waits_for);
    o.donor = Donor{choice.donor->id, choice.donor->host, choice.donor->source_port, choice.donor->api_port};
  }
  p.memory.donor_wanted_since.erase(v.id);
  p.out.orders.emplace_back(v.id, std::move(o));
}

// It holds what the primary lacks, so nobody was ever told that those writes are safe.
void errant(EpochPlanning& p, const MemberView& primary, const MemberView& v) {
  const auto [since, is_new] = p.memory.errant_since.try_emplace(v.id, p.now);
  GtidSet extra = v.report->received.minus(EpochPlanning::written_by(primary));
  p.wait(v.id.value + ": it holds transactions that were never acknowledged (" + extra.to_string() + ")");
  if (counts(p, v.id) || !p.primary_in_place(primary)) return;
  const Instant at = since->second + p.times.rebuild_after;
  if (p.now < at) return p.revisit(at);
  order_rebuild(p, primary, v, std::move(extra));
}

// What it lacks is not to be had by replication, or only after a very long time.
bool cannot_replay(const EpochPlanning& p, const MemberView& primary, const MemberView& v) {
  const MemberReport& r = *v.report;
  if (p.follows(v)) return r.binlog_gone && !r.receiver_connected;
  if (!r.received.sources().empty()) return false;
  const std::uint64_t all = primary.report->executed.count();
  return all > kReplayable || (all > 0 && !primary.report->binlog_complete);
}

}  // namespace

bool made_anew(EpochPlanning& p, const MemberView& primary, const MemberView& v) {
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
  if (!p.settled(v) || p.should_acknowledge(v.id)) return false;
  const bool contained =
      primary.report->executed.contains(r.received) || EpochPlanning::written_by(primary).contains(r.received);
  if (r.role == MemberRole::kErrant && !contained) {
    errant(p, primary, v);
    return true;
  }
  if (!contained || counts(p, v.id) || !p.primary_in_place(primary) || !cannot_replay(p, primary, v)) return false;
  order_rebuild(p, primary, v, {});
  return true;
}

}  // namespace mysos
