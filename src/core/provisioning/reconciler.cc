// SPDX-License-Identifier: Apache-2.0
#include "core/provisioning/reconciler.h"

#include <algorithm>

namespace mysos {

std::vector<mesos::Call> Reconciler::due(Instant now) {
  std::vector<mesos::Call> calls;
  mesos::Reconcile explicit_call;
  for (auto& [task, agent] : open_.due(now)) explicit_call.tasks.emplace_back(std::move(task), std::move(agent));
  if (!explicit_call.tasks.empty()) calls.emplace_back(std::move(explicit_call));
  if (now >= implicit_at_) {
    implicit_at_ = now + implicit_every_;
    calls.emplace_back(mesos::Reconcile{});
  }
  return calls;
}

Instant Reconciler::next() const { return std::min(implicit_at_, open_.next()); }

}  // namespace mysos
