// SPDX-License-Identifier: Apache-2.0
#include "core/reconciler.h"

#include <algorithm>

namespace mysos {

void Reconciler::ask(const TaskId& task, const AgentId& agent, Instant at) {
  const auto [it, added] = open_.try_emplace(task, Question{agent, at});
  if (!added) it->second.at = std::min(it->second.at, at);
}

std::vector<mesos::Call> Reconciler::due(Instant now) {
  std::vector<mesos::Call> calls;
  mesos::Reconcile explicit_call;
  for (auto& [task, question] : open_) {
    if (now < question.at) continue;
    explicit_call.tasks.emplace_back(task, question.agent);
    question.at = now + question.backoff;
    question.backoff = std::min(question.backoff * 2, kReconcileMax);
  }
  if (!explicit_call.tasks.empty()) calls.emplace_back(std::move(explicit_call));
  if (now >= implicit_at_) {
    implicit_at_ = now + implicit_every_;
    calls.emplace_back(mesos::Reconcile{});
  }
  return calls;
}

Instant Reconciler::next() const {
  Instant at = implicit_at_;
  for (const auto& [task, question] : open_) at = std::min(at, question.at);
  return at;
}

}  // namespace mysos
