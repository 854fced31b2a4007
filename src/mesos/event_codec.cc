// SPDX-License-Identifier: Apache-2.0
#include "mesos/event_codec.h"

#include <boost/asio/ip/address_v4.hpp>

#include "base/assert.h"
#include "mesos/info_codec.h"
#include "mesos/wire.h"

namespace mysos::mesos {
using namespace wire;

namespace {

struct EncodeEvent {
  json::object& o;
  const EventContext& context;

  void operator()(const Subscribed& e) const {
    o["type"] = "SUBSCRIBED";
    o["subscribed"] = json::object{{"framework_id", id(e.framework)},
                                   {"heartbeat_interval_seconds", e.heartbeat_interval_s},
                                   {"master_info", encode_master(e.master_id, context.master)}};
  }
  void operator()(const Heartbeat&) const { o["type"] = "HEARTBEAT"; }
  void operator()(const Offers& e) const {
    json::array list;
    for (const Offer& offer : e.offers) list.push_back(encode_offer(offer, context.framework));
    o["type"] = "OFFERS";
    o["offers"] = json::object{{"offers", std::move(list)}};
  }
  void operator()(const Rescind& e) const {
    o["type"] = "RESCIND";
    o["rescind"] = json::object{{"offer_id", id(e.offer)}};
  }
  void operator()(const Update& e) const {
    o["type"] = "UPDATE";
    o["update"] = json::object{{"status", encode_status(e)}};
  }
  void operator()(const UpdateOperation& e) const {
    json::object status{{"operation_id", id(e.operation)}, {"state", enum_text(e.state)}};
    put_text(status, "message", e.message);
    if (!e.uuid.empty()) status["uuid"] = id(std::string_view(e.uuid));
    put_id(status, "agent_id", e.agent);
    o["type"] = "UPDATE_OPERATION_STATUS";
    o["update_operation_status"] = json::object{{"status", std::move(status)}};
  }
  void operator()(const ExecutorMessage& e) const {
    o["type"] = "MESSAGE";
    o["message"] = json::object{
        {"agent_id", id(e.agent)}, {"executor_id", id(e.executor)}, {"data", base64(e.data)}};
  }
  void operator()(const Failure& e) const {
    json::object failure;
    put_id(failure, "agent_id", e.agent);
    put_id(failure, "executor_id", e.executor);
    if (e.status) failure["status"] = *e.status;
    o["type"] = "FAILURE";
    o["failure"] = std::move(failure);
  }
  void operator()(const MasterError& e) const {
    o["type"] = "ERROR";
    o["error"] = json::object{{"message", e.message}};
  }
  void operator()(const Disconnected&) const {
    MYSOS_ASSERT(false, "a master does not say that it is gone");
  }
};

UpdateOperation decode_operation_status(const json::object& o) {
  UpdateOperation u;
  u.operation = id_at<OperationId>(o, "operation_id");
  u.state = enum_value<OperationState>(string_at(o, "state")).value_or(OperationState::kUnknown);
  u.message = string_at(o, "message");
  u.uuid = id_text_at(o, "uuid").value_or("");
  u.agent = optional_id_at<AgentId>(o, "agent_id");
  return u;
}

Event decode_subscribed(const json::object& b) {
  Subscribed s{id_at<FrameworkId>(b, "framework_id"),
               number_at(b, "heartbeat_interval_seconds", 15), ""};
  if (const auto* master = object_at(b, "master_info")) s.master_id = string_at(*master, "id");
  return s;
}

Event decode_offers(const json::object& b) {
  Offers offers;
  if (const auto* list = array_at(b, "offers")) {
    for (const auto& entry : *list) {
      if (const auto* one = entry.if_object()) offers.offers.push_back(decode_offer(*one));
    }
  }
  return offers;
}

Event decode_failure(const json::object& b) {
  Failure f{optional_id_at<AgentId>(b, "agent_id"), optional_id_at<ExecutorId>(b, "executor_id"),
            std::nullopt};
  if (b.contains("status")) f.status = static_cast<int>(number_at(b, "status"));
  return f;
}

struct EventKind {
  std::string_view type;
  std::string_view field;
  Event (*decode)(const json::object& body);
};
const json::object& status_of(const json::object& b) {
  static const json::object kEmpty;
  const auto* status = object_at(b, "status");
  return status == nullptr ? kEmpty : *status;
}
const EventKind kKinds[] = {
    {"SUBSCRIBED", "subscribed", decode_subscribed},
    {"OFFERS", "offers", decode_offers},
    {"RESCIND", "rescind",
     [](const json::object& b) -> Event { return Rescind{id_at<OfferId>(b, "offer_id")}; }},
    {"UPDATE", "update",
     [](const json::object& b) -> Event { return decode_status(status_of(b)); }},
    {"UPDATE_OPERATION_STATUS", "update_operation_status",
     [](const json::object& b) -> Event { return decode_operation_status(status_of(b)); }},
    {"MESSAGE", "message",
     [](const json::object& b) -> Event {
       return ExecutorMessage{id_at<AgentId>(b, "agent_id"), id_at<ExecutorId>(b, "executor_id"),
                              unbase64(string_at(b, "data"))};
     }},
    {"FAILURE", "failure", decode_failure},
    {"ERROR", "error",
     [](const json::object& b) -> Event { return MasterError{string_at(b, "message")}; }},
};

}  // namespace

json::object encode_event(const Event& event, const EventContext& context) {
  json::object o;
  std::visit(EncodeEvent{o, context}, event);
  return o;
}

Result<std::optional<Event>> decode_event(const json::value& body) {
  const auto* o = body.if_object();
  if (o == nullptr) return fail(Errc::kInvalid, "an event must be an object");
  const std::string type = string_at(*o, "type");
  if (type == "HEARTBEAT") return Heartbeat{};
  for (const EventKind& kind : kKinds) {
    if (kind.type != type) continue;
    const auto* inner = object_at(*o, kind.field);
    if (inner == nullptr) return fail(Errc::kInvalid, "the event " + type + " has no body");
    return kind.decode(*inner);
  }
  return std::nullopt;
}

json::object encode_master(std::string_view master_id, const MasterAddress& address) {
  boost::system::error_code ec;
  const auto ip = boost::asio::ip::make_address_v4(address.ip, ec);
  const auto b = ec ? boost::asio::ip::address_v4::bytes_type{} : ip.to_bytes();
  const std::uint32_t network_order = std::uint32_t{b[0]} | std::uint32_t{b[1]} << 8 |
                                      std::uint32_t{b[2]} << 16 | std::uint32_t{b[3]} << 24;
  const json::object where{{"hostname", address.ip}, {"ip", address.ip}, {"port", address.port}};
  return {{"id", master_id},
          {"ip", network_order},
          {"port", address.port},
          {"pid", "master@" + address.ip + ":" + std::to_string(address.port)},
          {"hostname", address.ip},
          {"version", "1.11.0"},
          {"address", where},
          {"capabilities", json::array{json::object{{"type", "AGENT_UPDATE"}}}}};
}

Result<MasterAddress> decode_master_address(const json::value& master_info) {
  const auto* o = master_info.if_object();
  const auto* address = o == nullptr ? nullptr : object_at(*o, "address");
  if (address == nullptr) return fail(Errc::kInvalid, "a MasterInfo has no address");
  MasterAddress out{string_at(*address, "ip"),
                    static_cast<std::uint16_t>(number_at(*address, "port"))};
  if (out.ip.empty() || out.port == 0)
    return fail(Errc::kInvalid, "the address of a MasterInfo is incomplete");
  return out;
}

}  // namespace mysos::mesos
