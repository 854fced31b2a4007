// SPDX-License-Identifier: Apache-2.0
// Where the members are found, and what a new stream to a master begins with.
#include "core/provisioning/provisioner.h"

#include "base/assert.h"

namespace mysos {

Provisioner::Provisioner(Ledger& ledger, MemberTable& table, const SchedulerConfig& config)
    : ledger_(ledger),
      table_(table),
      config_(config),
      tap_(config.implicit_reconcile),
      reconciler_(config.implicit_reconcile),
      orphans_(config.orphan_grace) {
  for (const Owner& owner : all_placed()) index(owner);
}

std::vector<Owner> Provisioner::all_placed() const {
  std::vector<Owner> out;
  for (const auto& [id, cluster] : ledger_.state().clusters) {
    for (const Member& m : cluster.members) {
      if (m.granted) out.push_back({id, m.id});
    }
  }
  return out;
}

void Provisioner::index(const Owner& owner) {
  placed_.add(owner.cluster, get(owner));
}

void Provisioner::unindex(const Owner& owner) {
  const Member& m = get(owner);
  introductions_.settled(m.task);
  placed_.remove(m);
}

const Cluster& Provisioner::cluster_of(const Owner& owner) const {
  const Cluster* cluster = ledger_.find(owner.cluster);
  MYSOS_ASSERT(cluster != nullptr, "an owner's cluster exists");
  return *cluster;
}
const Member& Provisioner::get(const Owner& owner) const {
  const Member* member = cluster_of(owner).find(owner.member);
  MYSOS_ASSERT(member != nullptr, "an owner exists");
  return *member;
}
Member& Provisioner::edit(const Owner& owner) {
  Member* member = ledger_.edit(owner.cluster).find(owner.member);
  MYSOS_ASSERT(member != nullptr, "an owner exists");
  return *member;
}
void Provisioner::tell(const Owner& owner, EventText text) {
  ledger_.event(cluster_of(owner), owner.member, std::move(text));
}

bool Provisioner::in_doubt() const {
  return ledger_.any_doubt();
}

// What was on its way over the stream before may never have arrived.
void Provisioner::subscribed(Instant now) {
  wake(now);
  tap_.subscribed(now);
  reconciler_.subscribed(now);
  if (in_doubt()) reconciler_.ask_for_all(now);
  for (const Owner& owner : all_placed()) {
    const Member& m = get(owner);
    MemberRow& row = row_of(owner);
    reconciler_.ask(m.task, m.place().agent, now);
    ask_for_secrets(owner, now);
    row.task.accepted.reset();  // offers do not outlive their stream
    row.offered.reset();
    if (m.stage == MemberStage::kLaunching) {
      row.in<stage::Launching>().ask_at = now + kLaunchPatience;
    } else if (m.stage == MemberStage::kKilling) {
      row.in<stage::Killing>().kill_at = now;
      row.in<stage::Killing>().backoff = kKillAgainMin;
    } else if (m.stage == MemberStage::kReleasing) {
      row.in<stage::Releasing>().since = now;
      row.in<stage::Releasing>().answer_by = kNever;
    }
  }
}

void Provisioner::member_spoke(const MemberId& member, Instant now) {
  MemberRow& row = table_.at(member);
  row.task.accepted.reset();
  const Owner owner{row.cluster, member};
  if (cluster_of(owner).doubt) wake(now + kReconcileInDoubt);
  ask_for_secrets(owner, now);
  if (get(owner).stage != MemberStage::kLaunching) return;
  to_running(owner, now);
  wake(now);
}

}  // namespace mysos
