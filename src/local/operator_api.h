// SPDX-License-Identifier: Apache-2.0
#pragma once
// The part of the v1 operator API that the embedded master answers: GET_HEALTH, GET_VERSION,
// GET_MASTER, GET_AGENTS, GET_FRAMEWORKS, GET_TASKS as views of the core, MARK_AGENT_GONE and
// TEARDOWN as inputs to it. Source: Mesos operator-http-api.md.
#include <optional>

#include "base/http/message.h"
#include "base/json.h"
#include "local/master_core.h"
#include "mesos/event_codec.h"

namespace mysos::local {

struct OperatorAnswer {
  HttpResponse response;
  std::optional<MasterInput> input;  // to be stepped before the response leaves
};
OperatorAnswer operator_call(const json::value& body, const MasterCore& core,
                             const mesos::MasterAddress& address);

}  // namespace mysos::local
