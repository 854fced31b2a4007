// SPDX-License-Identifier: Apache-2.0
#pragma once
// What an agent of the embedded Mesos keeps on disk, whole, before it acts on it: its resources
// with reservations and volumes, its executors (found again by pid and start time), tasks with
// their unacknowledged updates, and operations whose feedback is not acknowledged. With this file
// an agent that is killed and started again continues where it was.
#include <optional>
#include <string>
#include <vector>

#include "local/agent_messages.h"

namespace mysos::local {

struct ExecutorRecord {
  FrameworkId framework;
  mesos::FrameworkInfo framework_info;
  mesos::TaskInfo info;   // of its first task: the executor's part
  std::string container;  // id of its one run
  std::string sandbox;
  std::int64_t pid = 0;
  std::uint64_t start_time = 0;
  // Of the token in its environment. "": it was started by version 0.1, which gave none; it is identified
  // by its ids, and its successor gets a token.
  std::string token_hash;
};

struct TaskRecord {
  FrameworkId framework;
  mesos::TaskInfo info;
  mesos::TaskState state = mesos::TaskState::kStaging;
  bool delivered = false;  // LAUNCH was written to the executor
  std::string last_uuid;   // of the executor's newest update
  std::vector<mesos::Update> pending;
};

struct AgentState {
  AgentId id;
  bool gone = false;  // marked gone: never to come back
  Resources total;
  std::vector<ExecutorRecord> executors;
  std::vector<TaskRecord> tasks;
  std::vector<AgentOperation> operations;
  std::vector<std::string> old_sandboxes;  // of ended executors, oldest first
  std::vector<std::string> doomed_volumes;  // folders of destroyed volumes, which may have yet to be removed
};

std::string encode_state(const AgentState& state);
Result<AgentState> decode_state(std::string_view text);

}  // namespace mysos::local
