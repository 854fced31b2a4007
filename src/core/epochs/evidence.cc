// SPDX-License-Identifier: Apache-2.0
// Whether the primary has failed: what its executor, Mesos, the replicas and the silence say together.
#include <algorithm>
#include <cmath>

#include "core/epochs/planning.h"

namespace mysos {
namespace {

struct Evidence {
  FailoverCause cause{};
  std::string why;
  Instant since{};  // it has failed, as far as can be told
};

// Could end an election that begins now: an acker that is there and remembers all, or knows what it forgot.
bool ready_acker(const EpochPlanning& p, const MemberView& v) {
  return p.record.ackers.contains(v.id) && EpochPlanning::server_up(v) && v.report->remembers() &&
         EpochPlanning::can_write(v);
}

std::size_t ready_ackers(const EpochPlanning& p) {
  return static_cast<std::size_t>(
      std::ranges::count_if(p.members, [&](const MemberView& v) { return ready_acker(p, v); }));
}

// Enough ackers are there to end an election that begins now without the old primary.
bool replaceable(const EpochPlanning& p) {
  return p.record.mode == EpochMode::kNormal && ready_ackers(p) >= p.needed();
}

// The primary is reachable and serves, but no acker receives from it, although the ackers are reachable and try. Clients that
// reach the ackers would not reach the primary, and its commits wait for ever.
//
// The ackers of a primary that opened just now have yet to connect, so an acker must have received from it before. A scheduler
// that has just started has seen no acker receive. So if the primary's server does not answer its own executor either, this is
// not required: it is enough that the ackers have tried for as long and received nothing.
struct Cut {
  bool off = false;   // none is connected, or has received anything for a while
  bool deaf = false;  // ... all of them for a while
  Instant since{};    // the last of them heard of it
};
Cut cut_off(const EpochPlanning& p, const MemberView& primary) {
  if (p.record.mode != EpochMode::kNormal || !EpochPlanning::server_up(primary)) return {};
  if (!p.memory.received_from && p.answers(primary)) return {};
  const Duration patience = p.answers(primary) ? p.times.cut_silence : p.times.deaf_after;
  std::size_t trying = 0;
  bool deaf = true;
  Duration heard_ago = Duration::max();
  for (const MemberView& v : p.members) {
    if (!p.record.ackers.contains(v.id) || !EpochPlanning::in_sight(v)) continue;
    if (p.receives(v, patience)) return {};
    if (!ready_acker(p, v) || !p.answers(v) || !p.follows(v) || !v.report->receiver_running) continue;
    ++trying;
    const Duration silent = std::chrono::milliseconds(v.report->source_silent_ms);
    deaf = deaf && silent >= patience;
    heard_ago = std::min(heard_ago, silent);
  }
  const bool off = trying >= p.needed() && (deaf || p.memory.received_from);
  return {.off = off, .deaf = off && deaf, .since = trying > 0 ? p.now - heard_ago : p.now};
}

std::optional<Evidence> evidence_of(EpochPlanning& p, const MemberView& primary) {
  const bool seen = EpochPlanning::in_sight(primary);
  const bool acker_receives = std::ranges::any_of(
      p.members, [&](const MemberView& v) { return !p.is_primary(v) && p.receives(v, p.times.deaf_after); });
  EpochMemory& m = p.memory;
  if (acker_receives && p.settled(primary)) m.received_from = true;
  // Each of these remembers since when it has held, so each is looked at each time.
  if (!seen && !m.silent_since && primary.report) m.silent_since = primary.last_seen;
  const bool quiet = p.lasted(m.silent_since, !seen, p.times.suspect_after);
  const bool down = p.lasted(m.not_serving_since, seen && !EpochPlanning::server_up(primary), p.times.not_serving_after);
  const Cut cut = cut_off(p, primary);
  const bool cut_long = p.lasted(m.cut_since, cut.off, p.times.cut_after) || cut.deaf;
  const bool stalled = p.lasted(m.stalled_since, seen && !EpochPlanning::can_write(primary), p.times.stalled_after);

  const bool mute = p.lasted(m.mute_since, EpochPlanning::server_up(primary) && !p.answers(primary), p.times.mute_too_long);

  using enum FailoverCause;
  if (seen && primary.report->crashed) return Evidence{kServerDied, "its mysqld has ended: " + primary.report->problem, p.now};
  if (seen && primary.report->logs_reset && replaceable(p)) {
    return Evidence{kLogsReset, "somebody reset its binary logs, so no replica can follow it", p.now};
  }
  if (primary.task_ended && !primary.connected && !acker_receives) {
    return Evidence{kTaskEnded, "its task has ended", primary.last_seen};
  }
  if (quiet && !acker_receives) {
    return Evidence{kSilent, "no report comes from it, and no replica receives from it", *m.silent_since};
  }
  if (down) return Evidence{kNotServing, "its server does not come up", *m.not_serving_since};
  if (stalled) return Evidence{kCannotWrite, "it cannot write: " + primary.report->write_trouble, *m.stalled_since};
  if (mute) {
    return Evidence{kNotAnswering, "its server does not answer, although its replicas still receive from it", *m.mute_since};
  }
  if (!cut_long) return std::nullopt;
  const Instant since = std::min(cut.since, *m.cut_since);
  if (!p.answers(primary)) return Evidence{kNotAnswering, "its server does not answer, and no replica receives from it", since};
  return Evidence{kCutOff, "no reachable replica can receive from it", since};
}

// How long a primary that was chosen just now is given, after others before it that did not last either.
Duration hold_off(const EpochPlanning& p) {
  const std::uint32_t unstable = p.memory.flaps.unstable;
  if (unstable < p.times.flaps_allowed) return {};
  const auto doubled = std::min<std::uint32_t>(unstable - p.times.flaps_allowed, 10);
  return std::min(p.times.flap_hold * (1 << doubled), p.times.flap_hold_max);
}

std::string waits_for_primary(const EpochPlanning& p, const Evidence& found, const MemberView& primary) {
  const std::string& who = primary.id.value;
  if (found.cause == FailoverCause::kCannotWrite) {
    return "the volume of the primary " + who + " to take writes (" + primary.report->write_trouble +
           "): no replica can take over";
  }
  return p.record.mode == EpochMode::kSolo
             ? "the primary " + who + " to come back: it was solo, so only its own log is complete"
             : "the primary " + who + ", or enough of its ackers, to come back";
}

// Until then a failover would be held up, so the cluster is not healthy.
void tell_of_hold(EpochPlanning& p, const MemberView& primary) {
  const Flaps& flaps = p.memory.flaps;
  if (!flaps.chosen_at || p.now >= *flaps.chosen_at + hold_off(p)) return;
  p.revisit(*flaps.chosen_at + hold_off(p));
  p.wait("the primary " + primary.id.value + " to last: " + std::to_string(flaps.unstable) +
         " primaries in a row did not, so this one is not replaced at once");
}

}  // namespace

bool act_on_evidence(EpochPlanning& p, const MemberView& primary) {
  const bool asked = p.cluster.failover.has_value();
  std::optional<Evidence> found = evidence_of(p, primary);
  if (asked) found = Evidence{FailoverCause::kOperator, "an operator asked for a failover", p.now};
  if (!found) {
    if (!EpochPlanning::in_sight(primary)) p.wait("a report of the primary " + primary.id.value);
    const bool mute = EpochPlanning::server_up(primary) && !p.answers(primary);
    if (mute) p.wait("mysqld of the primary " + primary.id.value + " to answer");
    tell_of_hold(p, primary);
    return false;
  }
  const bool loss_accepted = asked && p.cluster.failover->accept_loss;
  if (!replaceable(p) && !loss_accepted && !(asked && EpochPlanning::server_up(primary))) {
    p.wait(waits_for_primary(p, *found, primary));
    return false;
  }
  Flaps& flaps = p.memory.flaps;
  const bool lasted_long = !flaps.chosen_at || p.now - *flaps.chosen_at >= p.times.stable_after;
  if (flaps.chosen_at && !asked) {
    const Instant until = *flaps.chosen_at + hold_off(p);
    if (p.now < until) {
      p.revisit(until);
      p.wait("the end of a pause: " + std::to_string(flaps.unstable) +
             " primaries in a row did not last (an operator's failover does not wait)");
      return false;
    }
  }
  flaps.unstable = asked || lasted_long ? 0 : flaps.unstable + 1;
  flaps.avoid = primary.id;
  p.out.cause = found->cause;
  p.out.failed_since = found->since;
  start_election(p, EventKind::kFailoverStarted, primary.id.value + " is replaced: " + found->why);
  return true;
}

}  // namespace mysos
