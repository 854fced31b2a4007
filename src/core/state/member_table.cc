// SPDX-License-Identifier: Apache-2.0
#include "core/state/member_table.h"

#include "base/assert.h"

namespace mysos {

void MemberTable::sync(const SchedulerState& state, Instant now) {
  rows_.clear();
  for (const auto& [id, cluster] : state.clusters) {
    for (const Member& m : cluster.members) add(cluster, m.id, now);
  }
}

void MemberTable::add(const Cluster& cluster, const MemberId& member, Instant now) {
  MemberRow row;
  row.cluster = cluster.id;
  row.not_before = now;
  row.killing_since = now;
  row.kill_at = now;
  row.release_since = now;
  const bool added = rows_.emplace(member, std::move(row)).second;
  MYSOS_ASSERT(added, "member ids are unique");
}

void MemberTable::remove(const MemberId& member) { rows_.erase(member); }

MemberRow* MemberTable::find(const MemberId& member) {
  const auto it = rows_.find(member);
  return it == rows_.end() ? nullptr : &it->second;
}
const MemberRow* MemberTable::find(const MemberId& member) const {
  const auto it = rows_.find(member);
  return it == rows_.end() ? nullptr : &it->second;
}
MemberRow& MemberTable::at(const MemberId& member) {
  MemberRow* row = find(member);
  MYSOS_ASSERT(row != nullptr, "each member has a row");
  return *row;
}
const MemberRow& MemberTable::at(const MemberId& member) const {
  const MemberRow* row = find(member);
  MYSOS_ASSERT(row != nullptr, "each member has a row");
  return *row;
}

void MemberTable::begin_launch(const MemberId& member) {
  MemberRow& row = at(member);
  row.told.reset();
  row.told_why.clear();
  row.stuck.clear();
  row.ended = false;
  row.accepted.reset();
  row.running_since = kNever;
  row.connected = false;
  row.report.reset();
}

std::vector<MemberView> views_of(const Cluster& cluster, const MemberTable& table) {
  std::vector<MemberView> out;
  out.reserve(cluster.members.size());
  for (const Member& m : cluster.members) {
    const MemberRow& row = table.at(m.id);
    MemberView view;
    view.id = m.id;
    if (m.granted) {
      view.host = m.place().ip;
      view.port = m.place().port;
      view.source_port = m.place().source_port();
      view.api_port = m.place().api_port;
    }
    view.launched = m.stage == MemberStage::kLaunching || m.stage == MemberStage::kRunning;
    view.task_ended = m.stage == MemberStage::kDown;
    view.volume_lost = m.volume_lost;
    view.connected = row.connected;
    view.last_seen = row.last_seen;
    view.report = row.report;
    out.push_back(std::move(view));
  }
  return out;
}

}  // namespace mysos
