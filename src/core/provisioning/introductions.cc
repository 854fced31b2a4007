// SPDX-License-Identifier: Apache-2.0
#include "core/provisioning/introductions.h"

#include <utility>

#include "core/provisioning/reconciler.h"

namespace mysos {

Introductions::Introductions(Ledger& ledger, Members& members, Alarm& alarm)
    : ledger_(ledger), members_(members), alarm_(alarm), open_(kReconcileMin, kReconcileMax) {}

void Introductions::ask(const TaskId& task, const AgentId& agent, Instant now) {
  open_.ask(task, agent, now);
  alarm_.wake(now);
}

// A record that was rebuilt from labels has none, and one that is old has older ones than the members.
void Introductions::take_secrets(const Owner& owner, const MemberFound& found) {
  const Cluster& known = members_.cluster_of(owner);
  if (found.spec.token_hash != known.token_hash) return;
  MemberRow& row = members_.row(owner);
  if (!found.problem.empty() && row.secrets_problem != found.problem) {
    members_.tell(owner, {EventKind::kSecretsUnreadable, found.problem});
  }
  row.secrets_problem = found.problem;
  const bool newer = known.sealed_secrets.empty() || found.credentials > known.credentials;
  if (found.sealed_secrets.empty() || !newer) return;
  Cluster& cluster = ledger_.edit(owner.cluster);
  cluster.sealed_secrets = found.sealed_secrets;
  cluster.credentials = found.credentials;
  ledger_.watches_changed();
  members_.tell(owner, {EventKind::kSecretsFound,
                        "the cluster's secrets are those that this member keeps: the state had none, or older ones"});
}

void Introductions::answered(const Owner& owner, const MemberFound& found) {
  take_secrets(owner, found);
  if (!lacks_secrets(owner)) settled(members_.get(owner).task);
}

// The record has none, or older ones than this member.
bool Introductions::lacks_secrets(const Owner& owner) {
  const Cluster& cluster = members_.cluster_of(owner);
  const MemberRow& row = members_.row(owner);
  return cluster.sealed_secrets.empty() || (row.report && row.report->credentials > cluster.credentials);
}

void Introductions::ask_for_secrets(const Owner& owner, Instant now) {
  const Member& m = members_.get(owner);
  if (m.stage != MemberStage::kRunning || !lacks_secrets(owner)) return;
  open_.keep_asking(m.task, m.place().agent, now);
  alarm_.wake(now);
}

std::vector<mesos::Call> Introductions::due(Instant now) {
  std::vector<mesos::Call> calls;
  for (auto& [task, agent] : open_.due(now)) {
    calls.emplace_back(mesos::Message{std::move(agent), ExecutorId(task.value), std::string(kIdentify)});
  }
  return calls;
}

}  // namespace mysos
