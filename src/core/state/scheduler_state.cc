// SPDX-License-Identifier: Apache-2.0
// The durable state as the fold of its records.
#include "core/state/records.h"

namespace mysos {

Status SchedulerState::fold(const Record& record) { return fold_record(*this, record); }

Result<SchedulerState> SchedulerState::recover(
    const std::map<std::string, std::map<std::string, std::string>>& records) {
  SchedulerState state;
  for (const auto& [kind, of_kind] : records) {
    for (const auto& [key, text] : of_kind) MYSOS_TRY_VOID(state.fold({kind, key, text}));
  }
  MYSOS_TRY_VOID(check_complete(state, records));
  return state;
}

std::set<FrameworkId> SchedulerState::labels() const {
  std::set<FrameworkId> out = former;
  if (framework) out.insert(*framework);
  return out;
}

const Cluster* SchedulerState::find_by_name(const std::string& name) const {
  for (const auto& [id, cluster] : clusters) {
    if (cluster.spec.name == name) return &cluster;
  }
  return nullptr;
}

}  // namespace mysos
