// SPDX-License-Identifier: Apache-2.0
#include "core/epochs/planning.h"

#include <algorithm>

#include "core/epochs/soundness.h"

namespace mysos {
namespace {
// A replica this close to its primary may be named an acker without making anybody wait.
constexpr std::uint64_t kCaughtUp = 100;
}  // namespace

const MemberView* EpochPlanning::view(const MemberId& id) const {
  const auto it = std::ranges::find(members, id, &MemberView::id);
  return it == members.end() ? nullptr : &*it;
}

bool EpochPlanning::fenced(const MemberView& v) const {
  return v.report && v.report->promised == record.pair && v.report->role == MemberRole::kFenced && !v.report->busy &&
         v.report->server == ServerState::kRunning && !v.report->receiver_running;
}

bool EpochPlanning::settled(const MemberView& v) const {
  return server_up(v) && v.report->promised == record.pair && !v.report->busy;
}

bool EpochPlanning::follows(const MemberView& v) const {
  return settled(v) && v.report->role == MemberRole::kReplica && v.report->source == record.primary && !outdated(v);
}

bool EpochPlanning::primary_in_place(const MemberView& p) const {
  return settled(p) && p.report->role == MemberRole::kPrimary && p.report->writable &&
         p.report->semi_sync_d == d_in_force();
}

bool EpochPlanning::acknowledges(const MemberView& v) const {
  return follows(v) && v.report->acking && v.report->receiver_connected && !v.report->amnesiac;
}

bool EpochPlanning::answers(const MemberView& v) const {
  return server_up(v) && std::chrono::milliseconds(v.report->server_silent_ms) < times.mute_after;
}

bool EpochPlanning::receives(const MemberView& v, Duration patience) const {
  return answers(v) && v.report->receiver_connected && v.report->source == record.primary &&
         std::chrono::milliseconds(v.report->source_silent_ms) < patience;
}

bool EpochPlanning::caught_up(const MemberView& p, const MemberView& v) const {
  return v.report->receiver_connected && (v.report->received.contains(p.report->executed) ||
                                          p.report->executed.minus(v.report->received).count() <= kCaughtUp);
}

bool EpochPlanning::nameable(const MemberView& v) const {
  return !is_primary(v) && follows(v) && silent(v) && can_write(v) && !record.shut_out.contains(v.id) &&
         record.rebuilding != v.id && !nameless(v) && !v.report->binlog_gone;
}

bool EpochPlanning::unsound(const MemberView& v) const {
  const MemberView* primary = record.primary ? view(*record.primary) : nullptr;
  if (primary == nullptr || !primary->report || !follows(v)) return false;
  const std::optional<Flaw> flaw = flaw_of(record, *primary->report, *v.report);
  return flaw && flaw->lasts;
}

bool EpochPlanning::held_back(const MemberId& m) const {
  const auto known = memory.relapses.find(m);
  return known != memory.relapses.end() && now < known->second.held_until;
}

GtidSet EpochPlanning::written_on(const MemberView& v) const {
  if (is_primary(v)) return {};
  GtidSet own = own_writes(*v.report, record.floor);
  for (const MemberView& other : members) {
    if (!own.empty() && other.id != v.id && other.report) own = own.minus(other.report->received);
  }
  return own;
}

bool EpochPlanning::should_acknowledge(const MemberId& m) const {
  return (record.ackers.contains(m) && !record.leaving.contains(m)) || record.joining.contains(m);
}

std::uint32_t EpochPlanning::d_in_force() const {
  if (record.mode == EpochMode::kSolo && record.joining.empty()) return 0;
  return std::max(record.d, record.raising_to);
}

bool EpochPlanning::too_few_acknowledge(const MemberView& primary) const {
  // Of the replicas that the primary waits for, some may have lost the names of what they acknowledge.
  const auto useless = std::ranges::count_if(members, [&](const MemberView& v) {
    return should_acknowledge(v.id) && nameless(v) && v.report->acking && v.report->receiver_connected;
  });
  if (primary.report->semi_sync_clients < d_in_force() + static_cast<std::uint32_t>(useless)) return true;
  if (!can_write(primary)) return false;  // then commits wait for its own volume
  const auto able = std::ranges::count_if(members, [&](const MemberView& v) {
    return should_acknowledge(v.id) && (!in_sight(v) || can_write(v)) && !nameless(v);
  });
  return static_cast<std::uint32_t>(able) < d_in_force();
}

bool EpochPlanning::has_all_of(const MemberView& v, const MemberView& primary) {
  return v.report->received.contains(primary.report->executed) && v.report->received_end >= primary.report->binlog_end;
}

GtidSet EpochPlanning::written_by(const MemberView& primary) {
  return primary.report->executed.united(primary.report->in_flight);
}

std::size_t EpochPlanning::containing(const MemberView& p) const {
  if (p.report->logs_reset) return 0;  // what it shows is not all that it wrote
  return static_cast<std::size_t>(std::ranges::count_if(members, [&](const MemberView& v) {
    return should_acknowledge(v.id) && acknowledges(v) && has_all_of(v, p);
  }));
}

EpochRecord EpochPlanning::next_config() const {
  EpochRecord next = record;
  ++next.pair.config;
  return next;
}

void EpochPlanning::wait(std::string what) {
  if (out.waiting_for.empty()) out.waiting_for = std::move(what);
}

void EpochPlanning::persist(EpochRecord next, EventKind kind, std::string why) {
  out.next = std::move(next);
  out.kind = kind;
  out.why = std::move(why);
}

bool EpochPlanning::lasted(std::optional<Instant>& since, bool holds, Duration long_enough) {
  if (!holds) {
    since.reset();
    return false;
  }
  if (!since) since = now;
  if (now - *since >= long_enough) return true;
  revisit(*since + long_enough);
  return false;
}

}  // namespace mysos
