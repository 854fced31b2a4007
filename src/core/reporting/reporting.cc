// SPDX-License-Identifier: Apache-2.0
#include "core/reporting/reporting.h"

#include "core/reporting/notices.h"
#include "core/reporting/replication_events.h"
#include "core/reporting/seeding_events.h"
#include "core/reporting/server_events.h"
#include "core/state/doubt.h"

namespace mysos {
namespace {

// What a member promised, acknowledged and holds is on its volume. One that comes back without all that is not taken for
// the one it was: it counts for nothing, and gets no orders (docs/model, `volume_is_identity`).
bool same_volume(Ledger& ledger, const Cluster& cluster, const Member& member, const MemberReport& report, MemberRow& row) {
  if (report.volume == member.volume_name) {
    if (!member.volume_lost) return true;
    ledger.edit(cluster.id).find(member.id)->volume_lost = false;
    ledger.event(cluster, member.id, {EventKind::kVolumeBack,
                                      "its lost volume is back, and counts again"});
    return true;
  }
  if (member.volume_name.empty()) {
    ledger.edit(cluster.id).find(member.id)->volume_name = report.volume;
    return true;
  }
  row.report.reset();
  row.connected = false;
  if (!member.volume_lost) {
    ledger.edit(cluster.id).find(member.id)->volume_lost = true;
    ledger.event(cluster, member.id,
                 {EventKind::kVolumeLost, "its volume came back empty: the member does not count any more and gets no orders"});
  }
  return false;
}

}  // namespace

MemberRow* note_report(Ledger& ledger, MemberTable& table, const SharedValue<MemberReport>& said, Instant now) {
  const MemberReport& report = *said;
  MemberRow* row = table.find(report.member);
  if (row == nullptr) return nullptr;
  const Cluster* cluster = ledger.find(row->cluster);
  const Member* member = cluster->find(report.member);
  const bool has_task = member->stage == MemberStage::kLaunching || member->stage == MemberStage::kRunning;
  if (!has_task || member->task != report.task) return nullptr;
  if (!same_volume(ledger, *cluster, *member, report, *row)) {
    ledger.touch(row->cluster);
    return nullptr;
  }
  row->last_seen = now;
  const SharedValue<MemberReport>& known = row->report;
  const bool older = known && known->executor == report.executor && report.seq <= known->seq;
  if (older) return row;
  // That it says the same again is no news: what is due by then wakes its planner.
  if (!known || known->facts() != report.facts()) ledger.touch(row->cluster);
  tell_seeding(ledger, table, *cluster, *row, report);
  tell_server_changes(ledger, *cluster, *row, report, now);
  tell_notices(ledger, *cluster, *row, report);
  row->report = said;
  tell_replication(ledger, table, *cluster, *row, now);
  doubt_if_proven(ledger, *cluster, report);
  return row;
}

}  // namespace mysos
