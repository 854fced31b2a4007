// SPDX-License-Identifier: Apache-2.0
#include "core/epochs/planner.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "core/epochs/planning.h"
#include "core/epochs/soundness.h"
#include "model/stalled_applier.h"

namespace mysos {
namespace {

// ---- orders that bring a member to the record ----

void order_primary(EpochPlanning& p, const MemberView& primary) {
  if (!EpochPlanning::server_up(primary) || primary.report->promised > p.record.pair || p.primary_in_place(primary)) return;
  order::Promote o;
  o.pair = p.record.pair;
  o.d = p.d_in_force();
  // One that was the primary of this epoch had the floor when it opened. A reset of its binary logs takes away the names only.
  const bool nameless = primary.report->logs_reset && primary.report->led == p.record.pair.epoch;
  if (!nameless) o.floor = p.record.floor;
  o.shut_out = p.record.shut_out;
  if (p.record.names_from.epoch > 0) o.names_from = p.record.names_from;
  for (const MemberView& v : p.members) {
    if (v.id != primary.id) o.replicas.insert(v.id);
  }
  p.out.orders.emplace_back(primary.id, std::move(o));
  p.wait("the primary " + primary.id.value + " to open");
}

void certify(EpochPlanning& p, const MemberView& primary, const MemberView& v) {
  const auto found = p.memory.amnesiacs.find(v.id);
  if (!v.report->amnesiac || found == p.memory.amnesiacs.end() || primary.report->logs_reset) return;
  Amnesia& known = found->second;
  if (known.incarnation != v.report->incarnation) return;
  const bool later = p.settled(primary) && known.seen_at < p.record.pair;
  if (!known.read && later) known.read = Amnesia::Read{primary.report->executed, primary.report->binlog_end};
  if (!known.read) return;
  const bool contained =
      v.report->received.contains(known.read->executed) && v.report->received_end >= known.read->binlog_end;
  if (!contained) return;
  p.out.orders.emplace_back(v.id, order::Certify{p.record.pair, v.report->incarnation, known.read->executed});
}

// What the cluster waits for because of this replica; "" = nothing.
std::string what_is_amiss(const EpochPlanning& p, const MemberView& primary, const MemberView& v) {
  if (v.volume_lost) return v.id.value + ", whose volume came back empty, to be replaced: it counts no more";
  if (!EpochPlanning::in_sight(v)) return "a report of " + v.id.value;
  const std::string& problem = v.report->problem;
  const std::string why = problem.empty() ? "" : " (" + problem + ")";
  if (!EpochPlanning::server_up(v)) return "mysqld of " + v.id.value + " to run" + why;
  // Before that the server does not answer: one that waits for its disk does not.
  if (!EpochPlanning::can_write(v)) return "the volume of " + v.id.value + " to take writes (" + v.report->write_trouble + ")";
  if (!p.answers(v)) return "mysqld of " + v.id.value + " to answer";
  if (!v.report->receiver_connected) return v.id.value + " to be connected to the primary" + why;
  if (!primary.report || !p.follows(v)) return "";
  const std::optional<Flaw> flaw = flaw_of(p.record, *primary.report, *v.report);
  return flaw ? v.id.value + ": " + flaw->text : "";
}

// Why a replica that follows does not acknowledge yet.
std::string what_it_lacks(const EpochPlanning& p, const MemberView& v) {
  if (p.held_back(v.id)) {
    const Relapse& known = p.memory.relapses.at(v.id);
    return v.id.value + " to last: its server has started " + std::to_string(known.restarts) +
           " times in a row, so it is held back for " + std::to_string(to_ms(known.held_until - known.last) / 1000) + " s";
  }
  return v.id.value + " to be able to acknowledge: " +
         (v.report->remembers() ? "it receives what it lacks" : "it may have lost relay log, and is being checked");
}

void order_replica(EpochPlanning& p, const MemberView& primary, const MemberView& v) {
  if (handle_rebuild(p, primary, v)) return;
  if (std::string amiss = what_is_amiss(p, primary, v); !amiss.empty()) p.wait(std::move(amiss));
  if (!EpochPlanning::server_up(v) || !primary.report || v.report->promised > p.record.pair) return;
  if (!tells_what_it_holds(*primary.report)) return;  // nothing that this replica holds could be found in it
  const MemberReport& r = *v.report;
  const bool acking = p.should_acknowledge(v.id);
  if (p.follows(v) && r.acking == acking && r.receiver_running) {
    certify(p, primary, v);
    p.memory.donor_wanted_since.erase(v.id);
    if (const std::uint64_t lacks = behind(v, primary); lacks > kFarBehind) {
      p.wait(v.id.value + " to catch up: it lacks " + std::to_string(lacks) + " transactions");
    } else if (!acking && p.record.ackers.size() < p.most_ackers()) {
      p.wait(what_it_lacks(p, v));
    } else if (acking && !r.remembers()) {
      p.wait(v.id.value + " to be checked: it may have lost relay log");
    }
    return;
  }
  // To be silenced it would have to stop its receiver, and MariaDB would forget what it holds and still counts. The primary has
  // shut it out, which is enough.
  if (p.follows(v) && !r.applier_running && p.record.leaving.contains(v.id)) return;
  const GtidSet written = EpochPlanning::written_by(primary);
  order::Follow o;
  o.pair = p.record.pair;
  o.source = primary.id;
  o.host = primary.host;
  o.port = primary.source_port;
  o.acking = acking;
  o.source_executed = written;
  p.out.orders.emplace_back(v.id, std::move(o));
}

void keep(EpochPlanning& p) {
  const MemberView* primary = p.view(*p.record.primary);
  MYSOS_ASSERT(primary != nullptr, "the recorded primary is a member");
  if (act_on_evidence(p, *primary)) return;
  if (begin_switchover(p, *primary)) return;
  if (p.primary_in_place(*primary) && change_record(p, *primary)) return;
  order_primary(p, *primary);
  for (const MemberView& v : p.members) {
    if (!p.is_primary(v)) order_replica(p, *primary, v);
  }
}

}  // namespace

std::uint64_t behind(const MemberView& replica, const MemberView& primary) {
  if (replica.report->executed.contains(primary.report->executed)) return 0;
  return primary.report->executed.minus(replica.report->executed).count();
}

EpochDecision plan_epoch(const Cluster& cluster, const std::vector<MemberView>& members, const EpochTimes& times,
                         EpochMemory& memory, Instant now) {
  const EpochRecord& record = cluster.epoch;
  if (memory.pair.epoch != record.pair.epoch) memory = EpochMemory{.flaps = memory.flaps, .relapses = memory.relapses};
  memory.pair = record.pair;
  EpochPlanning p{cluster, record, members, times, memory, now, {}};
  note_relapses(p);
  if (cluster.doubt && !asks_all(p)) {
    leave_alone(p);
  } else if (cluster.doubt && promised_above(p)) {
    ask_all_again(p);
  } else if (record.electing) {
    elect(p);
  } else if (record.mode == EpochMode::kVirgin) {
    start_election(p, EventKind::kBootstrapStarted, "the cluster gets its first primary");
  } else {
    keep(p);
  }
  if (p.out.next) {
    p.out.orders.clear();
    MYSOS_ASSERT(p.out.next->pair > record.pair, "each record has a pair of its own");
  }
  return std::move(p.out);
}

}  // namespace mysos
