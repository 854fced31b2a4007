// SPDX-License-Identifier: Apache-2.0
#pragma once
// Scheduler events to and from the v1 JSON of Mesos. Note: `status.uuid` of an operation is an object
// {"value": base64} in the event, and only the base64 text in its acknowledgement. The model has the
// base64 text in both.
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

// Disconnected comes from the client, not from the master, and must not be passed (asserted).
json::object encode_event(const Event& event, const EventContext& context);
// nullopt: an event Mysos has no use for (INVERSE_OFFERS, anything newer).
Result<std::optional<Event>> decode_event(const json::value& body);

// The MasterInfo of SUBSCRIBED, of GET_MASTER and of ZooKeeper's json.info_ nodes.
json::object encode_master(std::string_view master_id, const MasterAddress& address);
// Address of the leading master as its MasterInfo says it.
Result<MasterAddress> decode_master_address(const json::value& master_info);

}  // namespace mysos::mesos
