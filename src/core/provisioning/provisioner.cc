// SPDX-License-Identifier: Apache-2.0
#include "core/provisioning/provisioner.h"

#include <utility>

namespace mysos {

Provisioner::Provisioner(Ledger& ledger, MemberTable& table, const SchedulerConfig& config)
    : ledger_(ledger),
      table_(table),
      orphans_(config.orphan_grace),
      members_(ledger, table),
      tap_(config.implicit_reconcile),
      reconciler_(config.implicit_reconcile),
      introductions_(ledger, members_, alarm_),
      orphan_handling_(ledger, orphans_, introductions_, config, alarm_),
      stages_(ledger, table, members_, reconciler_, introductions_, orphan_handling_, config),
      launcher_(ledger, table, members_, stages_, config),
      placing_(ledger, members_, launcher_, agents_, config),
      upkeep_(ledger, members_, stages_, launcher_, reconciler_, config),
      release_(ledger, members_, stages_, orphan_handling_),
      stopping_(ledger, members_, stages_, release_, config),
      adoption_(ledger, table, members_, stages_, reconciler_, introductions_, orphans_, config, alarm_),
      offers_(ledger, members_, life_, placing_, introductions_, orphan_handling_, adoption_, agents_, config),
      updates_(ledger, table, members_, life_, stages_, reconciler_, orphan_handling_, agents_, alarm_) {}

// What was on its way over the stream before may never have arrived.
void Provisioner::subscribed(Instant now) {
  alarm_.wake(now);
  tap_.subscribed(now);
  reconciler_.subscribed(now);
  if (ledger_.any_doubt()) reconciler_.ask_for_all(now);
  for (const Owner& owner : members_.all_placed()) {
    const Member& m = members_.get(owner);
    MemberRow& row = members_.row(owner);
    reconciler_.ask(m.task, m.place().agent, now);
    introductions_.ask_for_secrets(owner, now);
    row.task.accepted.reset();  // offers do not outlive their stream
    row.offered.reset();
    life_.of(m.stage).subscribed(owner, now);
  }
}

void Provisioner::on(const mesos::Offers& in, Instant now) {
  if (!ledger_.state().framework) return;
  alarm_.wake(now);
  offers_.take(in, now);
}

void Provisioner::member_spoke(const MemberId& member, Instant now) {
  MemberRow& row = table_.at(member);
  row.task.accepted.reset();
  const Owner owner{row.cluster, member};
  if (members_.cluster_of(owner).doubt) alarm_.wake(now + kReconcileInDoubt);
  introductions_.ask_for_secrets(owner, now);
  if (members_.get(owner).stage != MemberStage::kLaunching) return;
  stages_.to_running(owner, now);
  alarm_.wake(now);
}

void Provisioner::begin_delete(const ClusterId& id, Instant now) {
  alarm_.wake(now);
  Cluster& cluster = ledger_.edit(id);
  cluster.deleting = true;
  cluster.switchover_to.reset();
  ledger_.event(cluster, {EventKind::kClusterDeleting, "a user asked for it"});
  std::vector<Owner> owners;
  for (const Member& m : cluster.members) owners.push_back({id, m.id});
  for (const Owner& owner : owners) stages_.send_away(owner, now);
}

// What time makes due: of members, of orphans, of what is asked.
void Provisioner::advance(Instant now) {
  alarm_.clear();
  Wants wants{alarm_, now};
  for (const Owner& owner : members_.unsettled()) {
    if (!life_.of(members_.get(owner).stage).overdue(owner, now)) continue;
    life_.of(members_.get(owner).stage).await(owner, wants);  // it may be in another stage now
  }
  orphan_handling_.await(wants);
  if (ledger_.any_doubt()) reconciler_.ask_for_all(now + kReconcileInDoubt);
  for (mesos::Call& call : reconciler_.due(now)) ledger_.call(std::move(call));
  alarm_.wake(reconciler_.next());
  for (mesos::Call& call : introductions_.due(now)) ledger_.call(std::move(call));
  alarm_.wake(introductions_.next());
  if (auto call = tap_.pace(std::move(wants.keys), now)) ledger_.call(*std::move(call));
  alarm_.wake(tap_.next());
}

// Whoever has no place comes first: the others may run.
std::string Provisioner::waiting_for(const Cluster& cluster) const {
  std::string first;
  for (const Member& m : cluster.members) {
    if (!m.granted) return "member " + m.id.value + " needs " + why_unplaced(want_of(cluster), agents_.all());
    if (first.empty()) first = life_.of(m.stage).waiting_for(m, table_.at(m));
  }
  return first;
}

}  // namespace mysos
