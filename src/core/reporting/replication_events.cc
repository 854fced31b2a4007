// SPDX-License-Identifier: Apache-2.0
#include "core/reporting/replication_events.h"

#include <utility>

#include "core/epochs/soundness.h"
#include "model/stalled_applier.h"

namespace mysos {
namespace {

// A receiver whose source has just died, or shuts it out for the moment, tries again. Other events report that.
constexpr Duration kReceiverPatience = std::chrono::milliseconds(700);

void tell_applier(Ledger& ledger, const Cluster& cluster, MemberRow& row) {
  const MemberReport& r = *row.report;
  // A fenced member is worth a word only where its applier leaves something undone. MySQL shows error 1756 for an applier that
  // was ended with its workers, as it is at a promotion, until replication is set up anew.
  const bool holds_up = r.role == MemberRole::kFenced && r.applier_error.any() && !r.executed.contains(r.received);
  const bool applies = r.role == MemberRole::kReplica || holds_up;
  if (!applies || r.busy || r.server != ServerState::kRunning) return;
  if (r.applier_running) {
    if (!row.applier_told.empty() && r.applier_restarts == 0) {
      ledger.event(cluster, r.member, {EventKind::kApplierStarted, "its applier runs again"});
      row.applier_told.clear();
    }
    return;
  }
  std::string why = why_stopped(r);
  if (row.applier_told == why) return;
  ledger.event(cluster, r.member, {EventKind::kApplierStopped, "its applier has stopped: " + why});
  row.applier_told = std::move(why);
}

void tell_stall(Ledger& ledger, const Cluster& cluster, MemberRow& row) {
  const MemberReport& r = *row.report;
  std::optional<MemberRow::Stall>& told = row.stall_told;
  if (is_stalled(r)) {
    if (told && told->executed == r.executed && told->waits_for == r.applier_waits_for) return;
    ledger.event(cluster, r.member,
                 {EventKind::kApplierStalled,
                  stall_text(r) + "; it has executed nothing for " + std::to_string(r.applier_stalled_ms / 1000) + " s"});
    told = MemberRow::Stall{r.executed, r.applier_waits_for};
    return;
  }
  const bool moved = told && r.server == ServerState::kRunning && !r.busy && r.executed != told->executed;
  if (!moved) return;
  if (r.applier_running) ledger.event(cluster, r.member, {EventKind::kApplierResumed, "its applier continues"});
  told.reset();
}

void tell_receiver(Ledger& ledger, const MemberTable& table, const Cluster& cluster, MemberRow& row, Instant now) {
  const MemberReport& r = *row.report;
  const MemberRow* source = cluster.epoch.primary ? table.find(*cluster.epoch.primary) : nullptr;
  const bool serves = source != nullptr && source->connected && source->report && source->report->writable &&
                      !cluster.epoch.electing;
  const bool fails = serves && r.role == MemberRole::kReplica && r.source == cluster.epoch.primary && !r.busy &&
                     r.receiver_error.any() && !r.receiver_connected;
  if (!fails) {
    row.receiver_fails_since.reset();
    if (r.receiver_connected) row.receiver_told.clear();
    return;
  }
  if (!row.receiver_fails_since) row.receiver_fails_since = now;
  const bool lasts = !r.receiver_running || now - *row.receiver_fails_since >= kReceiverPatience;
  std::string why = "error " + std::to_string(r.receiver_error.number) + ": " + r.receiver_error.text;
  if (!lasts || row.receiver_told == why) return;
  ledger.event(cluster, r.member, {EventKind::kReceiverFailed,
                                   "it does not receive from " + cluster.epoch.primary->value + ": " + why});
  row.receiver_told = std::move(why);
}

void tell_written_on(Ledger& ledger, const Cluster& cluster, const MemberReport& primary, MemberRow& row) {
  const GtidSet extra = errant_while_following(cluster.epoch, primary, *row.report);
  if (extra.empty() || row.errant_told.contains(extra)) return;
  ledger.event(cluster, row.report->member,
               {EventKind::kMemberErrant,
                "somebody wrote on it while it followed " + primary.member.value + ": only it holds " +
                                     extra.to_string()});
  row.errant_told = extra;
}

}  // namespace

void tell_replication(Ledger& ledger, MemberTable& table, const Cluster& cluster, MemberRow& row, Instant now) {
  tell_applier(ledger, cluster, row);
  tell_stall(ledger, cluster, row);
  tell_receiver(ledger, table, cluster, row, now);
  const MemberRow* primary = cluster.epoch.primary ? table.find(*cluster.epoch.primary) : nullptr;
  if (primary == nullptr || !primary->report) return;
  if (primary != &row) return tell_written_on(ledger, cluster, *primary->report, row);
  for (const Member& m : cluster.members) {
    MemberRow* other = table.find(m.id);
    if (other != nullptr && other != &row && other->report) tell_written_on(ledger, cluster, *row.report, *other);
  }
}

}  // namespace mysos
