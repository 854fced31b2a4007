// SPDX-License-Identifier: Apache-2.0
#pragma once
// The messages that calls and events are made of, to and from the v1 JSON of Mesos: resources,
// FrameworkInfo, TaskInfo with its ExecutorInfo, Offer. Shapes as recorded from Mesos 1.11
// (tests/conformance/traces), capabilities MULTI_ROLE and RESERVATION_REFINEMENT. Reading is
// tolerant: unknown fields and enum values are passed over.
#include "base/json.h"
#include "model/mesos.h"

namespace mysos::mesos {

json::array encode_resources(const Resources& resources);
// Leaves out what the model cannot say faithfully, so that nobody mistakes it for plain resources:
// static reservations, revocable and shared resources, disks with a source, sets.
Resources decode_resources(const json::array& list);

json::object encode_framework(const FrameworkInfo& info);
FrameworkInfo decode_framework(const json::object& o);

// The ExecutorInfo in a TaskInfo: what must be identical for two tasks of one executor.
json::object encode_executor(const TaskInfo& task, const std::optional<FrameworkId>& framework);
json::object encode_task(const TaskInfo& task, const std::optional<FrameworkId>& framework);
TaskInfo decode_task(const json::object& o);
void decode_executor(const json::object& o, TaskInfo& into);

json::object encode_offer(const Offer& offer, const FrameworkId& framework);
Offer decode_offer(const json::object& o);

// A TaskStatus, as schedulers receive it and executors send it.
json::object encode_status(const Update& update);
Update decode_status(const json::object& o);

}  // namespace mysos::mesos
