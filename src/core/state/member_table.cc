// SPDX-License-Identifier: Apache-2.0
#include "core/state/member_table.h"

#include "base/assert.h"

namespace mysos {

stage::Any stage::first_seen(MemberStage stage, Instant now) {
  switch (stage) {
    case MemberStage::kWanted:
      return Wanted{now};
    case MemberStage::kLaunching:
      return Launching{};
    case MemberStage::kRunning:
      return Running{};
    case MemberStage::kDown:
      return Down{.not_before = now};
    case MemberStage::kKilling:
      return Killing{.since = now, .kill_at = now};
    case MemberStage::kReleasing:
      return Releasing{.since = now, .not_before = now};
  }
  MYSOS_ASSERT(false, "each stage has its alternative");
}

void MemberTable::sync(const SchedulerState& state, Instant now) {
  rows_.clear();
  for (const auto& [id, cluster] : state.clusters) {
    for (const Member& m : cluster.members) add(cluster, m, now);
  }
}

void MemberTable::add(const Cluster& cluster, const Member& member, Instant now) {
  MemberRow row;
  row.cluster = cluster.id;
  row.stage_ = stage::first_seen(member.stage, now);
  const bool added = rows_.emplace(member.id, std::move(row)).second;
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

const MemberRow& MemberTable::at(const Member& member) const {
  const MemberRow& row = at(member.id);
  MYSOS_ASSERT(stage::kind_of(row.stage_) == member.stage, "a row is in the stage that the record says");
  return row;
}
MemberRow& MemberTable::at(const Member& member) { return const_cast<MemberRow&>(std::as_const(*this).at(member)); }

void MemberTable::enter(Member& member, stage::Any next) {
  member.stage = stage::kind_of(next);
  at(member.id).stage_ = std::move(next);
}

void MemberTable::forget_task(const MemberId& member) {
  MemberRow& row = at(member);
  row.task = {};
  row.connected = false;
  row.report.reset();
}

std::vector<MemberView> views_of(const Cluster& cluster, const MemberTable& table) {
  std::vector<MemberView> out;
  out.reserve(cluster.members.size());
  for (const Member& m : cluster.members) {
    const MemberRow& row = table.at(m);
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
