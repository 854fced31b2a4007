// SPDX-License-Identifier: Apache-2.0
#pragma once
// A live executor of an agent: what is in memory beside its ExecutorRecord. Used by agent*.cc only.
#include "local/agent.h"

namespace mysos::local {

struct Agent::Executor {
  explicit Executor(ExecutorRecord r) : record(std::move(r)) {}
  ExecutorRecord record;
  std::optional<Process> process;
  std::shared_ptr<Subscriber> stream;  // shared with its HTTP handler; null: not subscribed
  bool adopted = false;                // by a restarted agent
  bool ending = false;                 // told to shut down, or being killed
  Instant kill_at = kNever;
  // Why it was killed, for the updates of its tasks.
  mesos::TaskState end_state = mesos::TaskState::kFailed;
  std::string end_reason = "REASON_EXECUTOR_TERMINATED";
  std::string end_message = "Executor terminated";
  [[nodiscard]] bool subscribed() const { return stream != nullptr; }
};

}  // namespace mysos::local
