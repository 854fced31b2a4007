// SPDX-License-Identifier: Apache-2.0
#pragma once
// Scheduler events to and from the v1 JSON of Mesos. The trap in it: `status.uuid` of an operation
// is an object
// {"value": base64} in the event, and the bare base64 in its acknowledgement; the model carries the
// base64 in both.
#include "base/json.h"
#include "model/mesos.h"

namespace mysos::mesos {

struct MasterAddress {
  std::string ip;
  std::uint16_t port = 0;
};

// What stands in events beside the model's fields.
struct EventContext {
  FrameworkId framework;
  MasterAddress master;
};

// Disconnected is not the master's word and must not be given (asserted).
json::object encode_event(const Event& event, const EventContext& context);
// nullopt: an event Mysos has no use for (INVERSE_OFFERS, anything newer).
Result<std::optional<Event>> decode_event(const json::value& body);

// The MasterInfo of SUBSCRIBED, of GET_MASTER and of ZooKeeper's json.info_ nodes.
json::object encode_master(std::string_view master_id, const MasterAddress& address);
// Address of the leading master as its MasterInfo says it.
Result<MasterAddress> decode_master_address(const json::value& master_info);

}  // namespace mysos::mesos
