// SPDX-License-Identifier: Apache-2.0
#pragma once
// The checkers: what must hold in every world at every moment. S1 to S7 are the model's properties (docs/model). Each has a
// file of its own. The world calls a checker when something has happened that could break its property. A checker reads what no
// brain can (Truth), and marks its chances (coverage.h). Beside them: check_convergence, check_leaks, and in sim_scheduler.cc
// that the scheduler's state is the fold of its records.
#include <set>

#include "sim/truth.h"

namespace mysos::sim {

// S1, for a record that has just become durable; `before` is the one before.
void check_primary_complete(Sim& sim, const Truth& truth, const ClusterTruth& now, const EpochRecord& before);
// Marks what came of a switchover that is wanted no more.
void note_switchover(Sim& sim, const Cluster& before, const Cluster& after);
// S1, for one write that has just been acknowledged.
void check_primary_has(Sim& sim, const Truth& truth, const ClusterTruth& now, TxnId txn);
// S2, for one write that `server` has just acknowledged.
void check_late_ack(Sim& sim, const Truth& truth, const ClusterTruth& now, const SimServer& server, TxnId txn);
// S3.
void check_held(Sim& sim, const Truth& truth, const ClusterTruth& now);
// S4, for one write that `server` has just acknowledged, after `acked_by`.
void check_ackers(Sim& sim, const ClusterTruth& now, const SimServer& server, TxnId txn, const std::set<MemberId>& acked_by);
// S5.
void check_followers(Sim& sim, const Truth& truth, const ClusterTruth& now);
// S6.
void check_one_writer(Sim& sim, const Truth& truth, const ClusterTruth& now);
// What elections stand on, for a record that has just become durable.
void check_quorum(Sim& sim, const Truth& truth, const ClusterTruth& now);
// A loss, by what has just become durable; notes what is given up.
void check_forced(Sim& sim, const Truth& truth, ClusterTruth& now, const std::vector<Event>& events);
// Whether a write that `server` has just acknowledged is one of those that an operator gave up before.
bool given_up(Sim& sim, const Truth& truth, const ClusterTruth& now, const SimServer& server, TxnId txn);
// Whether it bears a name that another write had before a reset of binary logs: a replica that acknowledges it may not have it.
bool name_reused(Sim& sim, ClusterTruth& now, const SimServer& server, TxnId txn, const std::set<MemberId>& acked_by);
// Who is named can say what it acknowledged; for a record that has just become durable.
void check_named(Sim& sim, const ClusterTruth& now, const EpochRecord& before, const SchedulerCore& by);
// For a member whose executor has reached neither the scheduler nor a majority for so long, and had nothing else to do.
void check_isolation(Sim& sim, const MemberReport& report, Duration alone);
// What a scheduler calls healthy, of a cluster that was harmed.
void check_healthy(Sim& sim, const Truth& truth, const ClusterTruth& now, const SchedulerCore& by);
// Never two copies thrown away that leave one; for a member that throws its data away now. A volume that is lost at that
// moment counts for nothing, whatever is on it should it come back.
void check_rebuilds(Sim& sim, const Truth& truth, const ClusterTruth& now, const MemberId& member, const Datadir& data);
// No data destroyed unasked: for a volume that the scheduler destroys now, data that a member throws away by an order, and a
// record that names another member for that.
void check_destroyed(Sim& sim, const Truth& truth, const VolumeId& id, const SimVolume& volume);
void check_thrown_away(Sim& sim, const ClusterTruth& now, const MemberId& member, const Datadir& data);
void check_named_for_rebuild(Sim& sim, const Truth& truth, const ClusterTruth& now, const EpochRecord& before);
// No two data directories of a cluster under one server id; for a server that starts on one.
void check_server_id(Sim& sim, const ServerIdentity& server, const Datadir& data);
// S7, for a pair that a member says yes to.
void check_promise(Sim& sim, const MemberId& member, SimVolume& volume, Pair pair);

}  // namespace mysos::sim
