// SPDX-License-Identifier: Apache-2.0
// The codecs against what Mesos 1.11 was recorded to say and to accept (tests/conformance/traces).
#include <gtest/gtest.h>

#include <filesystem>

#include "../../tests/conformance/json_shape.h"
#include "mesos/call_codec.h"
#include "mesos/event_codec.h"
#include "mesos/executor_api.h"
#include "mesos/info_codec.h"
#include "mesos/wire.h"

namespace mysos::mesos {
namespace {
using conformance::covers;
using conformance::load_trace;

const std::string kTraces = "../../tests/conformance/traces/";

json::value trace(const std::string& name) { return load_trace(kTraces + name); }

std::vector<std::string> traces_ending(const std::string& suffix) {
  std::vector<std::string> out;
  for (const auto& entry : std::filesystem::directory_iterator(kTraces)) {
    if (entry.path().filename().string().ends_with(suffix))
      out.push_back(entry.path().filename().string());
  }
  std::ranges::sort(out);
  return out;
}

// What Mysos does not carry, because it has no use for it.
const conformance::ShapeOptions kKnownLosses{
    .ignored_keys = {"container_status", "healthy", "labels", "unreachable_time", "executor_ids",
                     "limitation", "timestamp", "master_info", "unavailability", "name", "source",
                     "user", "uris"},
    .any_order = true};

TEST(CallCodec, KeepsEveryRecordedAcceptedCall) {
  int seen = 0;
  for (const auto& name : traces_ending(".request.json")) {
    const auto recorded = trace(name);
    const auto& body = recorded.at("body");
    const auto response = trace(name.substr(0, name.size() - 13) + ".response.json");
    const bool scheduler =
        std::string_view(recorded.at("path").as_string()).ends_with("/scheduler");
    if (!scheduler || !body.is_object() || response.at("status").as_int64() != 202) continue;
    if (name.starts_with("32-bad-launch")) continue;  // calls Mysos cannot make

    const auto call = decode_call(body);

    ASSERT_TRUE(call) << name << ": " << call.error().message;
    const json::value again = encode_call(call->call, call->framework);
    EXPECT_EQ(covers(body, again, kKnownLosses), "") << name;
    ++seen;
  }
  EXPECT_GT(seen, 40);
}

TEST(CallCodec, KeepsARecordedSubscription) {
  const auto body = trace("41-failover-resubscribe.request.json").at("body");

  const auto call = decode_call(body);

  ASSERT_TRUE(call) << call.error().message;
  EXPECT_EQ(covers(body, encode_call(call->call, call->framework)), "");
}

TEST(CallCodec, RefusesInTheWordsOfMesos) {
  int seen = 0;
  for (const auto& name : traces_ending(".request.json")) {
    const auto recorded = trace(name);
    const auto& body = recorded.at("body");
    const bool scheduler =
        std::string_view(recorded.at("path").as_string()).ends_with("/scheduler");
    const auto response = trace(name.substr(0, name.size() - 13) + ".response.json");
    if (!scheduler || !body.is_object() || response.at("status").as_int64() != 400) continue;
    const std::string text(response.at("body").as_string());
    if (!text.starts_with("Failed to")) continue;  // not said by the codec
    if (name.starts_with("84-")) continue;         // nor this: it is about who asks

    const auto call = decode_call(body);

    ASSERT_FALSE(call) << name;
    EXPECT_EQ(call.error().message, text) << name;
    ++seen;
  }
  EXPECT_GE(seen, 7);
}

TEST(Uuids, AreOfAVersionThatMesosKnows) {
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(wire::is_uuid(wire::new_uuid()));
  EXPECT_TRUE(wire::is_uuid("ArakPHi3QkmOdXH2Phm33Q=="));   // recorded
  EXPECT_FALSE(wire::is_uuid("AAAAAAAAAAAAAAAAAAAAAA=="));  // sixteen bytes, version 0
  EXPECT_FALSE(wire::is_uuid("ArakPHi3QkmOdXH2Phm3"));      // fifteen
}

TEST(EventCodec, KeepsEveryRecordedEvent) {
  int seen = 0;
  for (const auto& name : traces_ending(".events.json")) {
    const auto list = trace(name);
    if (!list.is_array()) continue;
    for (const auto& recorded : list.get_array()) {
      if (!recorded.is_object() || !recorded.get_object().contains("type")) continue;
      const auto event = decode_event(recorded);
      ASSERT_TRUE(event) << name << ": " << event.error().message;
      if (!*event) {
        EXPECT_EQ(recorded.at("type").as_string(), "INVERSE_OFFERS");
        continue;
      }
      EventContext context{FrameworkId("?"), {"127.0.0.1", 5050}};
      if (recorded.at("type").as_string() == "OFFERS") {
        context.framework.value =
            recorded.at_pointer("/offers/offers/0/framework_id/value").as_string().c_str();
      }
      const json::value again = encode_event(**event, context);
      EXPECT_EQ(covers(recorded, again, kKnownLosses), "") << name;
      ++seen;
    }
  }
  EXPECT_GT(seen, 80);
}

TEST(EventCodec, ReadsTheUuidOfAnOperationOutOfItsObject) {
  const auto event = decode_event(trace("08-accept-reserve.events.json").at(0));

  const auto& status = std::get<UpdateOperation>(event->value());
  EXPECT_EQ(status.uuid, "ArakPHi3QkmOdXH2Phm33Q==");
  EXPECT_EQ(status.state, OperationState::kFinished);
  const json::value ack =
      encode_call(AcknowledgeOperation{status.operation, status.uuid, status.agent},
                  FrameworkId("2dd59ce1-d0b6-4ca0-8e0f-c3ba7ae507e1-0000"));
  EXPECT_EQ(covers(trace("09-acknowledge-operation-status.request.json").at("body"), ack), "");
}

TEST(EventCodec, WritesTheMasterAsItWasRecorded) {
  const auto recorded = trace("02-subscribe.events.json").at_pointer("/0/subscribed/master_info");

  const json::value ours =
      encode_master("2dd59ce1-d0b6-4ca0-8e0f-c3ba7ae507e1", {"127.0.0.1", 5050});

  EXPECT_EQ(covers(recorded, ours, {.ignored_keys = {"capabilities"}}), "");
  const auto address =
      decode_master_address(trace("80-zookeeper-json-info.events.json").at_pointer("/0/data"));
  ASSERT_TRUE(address);
  EXPECT_EQ(address->ip, "127.0.0.1");
  EXPECT_NE(address->port, 0);
}

TEST(ExecutorApi, KeepsEveryRecordedCallAndEvent) {
  int calls = 0;
  int events = 0;
  for (const auto& name : traces_ending(".events.json")) {
    if (name.find("executor-trace") == std::string::npos) continue;
    for (const auto& entry : trace(name).as_array()) {
      const auto& o = entry.as_object();
      if (o.contains("body")) {
        const auto call = executor::decode_call(o.at("body"));
        ASSERT_TRUE(call) << name << ": " << call.error().message;
        EXPECT_EQ(covers(o.at("body"), executor::encode_call(*call), kKnownLosses), "") << name;
        ++calls;
      } else if (o.contains("event")) {
        const auto event = executor::decode_event(o.at("event"));
        ASSERT_TRUE(event && *event) << name;
        const auto* framework = o.at("event").as_object().if_contains("subscribed");
        static FrameworkId id;
        if (framework != nullptr)
          id.value = framework->at_pointer("/framework_info/id/value").as_string().c_str();
        auto losses = kKnownLosses;
        losses.ignored_keys.insert("agent_info");
        EXPECT_EQ(covers(o.at("event"), executor::encode_event(**event, id), losses), "") << name;
        ++events;
      }
    }
  }
  EXPECT_GE(calls, 12);
  EXPECT_GE(events, 16);
}

TEST(ExecutorApi, RefusesInTheWordsOfMesos) {
  for (const char* name : {"63-executor-call-update-no-uuid", "63-executor-call-update-staging",
                           "63-executor-call-update-wrong-source"}) {
    const auto call = executor::decode_call(trace(std::string(name) + ".request.json").at("body"));

    ASSERT_FALSE(call) << name;
    EXPECT_EQ(call.error().message,
              trace(std::string(name) + ".response.json").at("body").as_string().c_str());
  }
}

TEST(Resources, LeavesOutWhatTheModelCannotSay) {
  const auto parsed = parse_json(R"([
      {"name":"disk","type":"SCALAR","scalar":{"value":9},"disk":{"source":{"type":"MOUNT"}}},
      {"name":"cpus","type":"SCALAR","scalar":{"value":2},"revocable":{}},
      {"name":"cpus","type":"SCALAR","scalar":{"value":1},"reservations":[{"type":"STATIC","role":"x"}]},
      {"name":"zones","type":"SET","set":{"item":["a"]}},
      {"name":"cpus","type":"SCALAR","scalar":{"value":0.1}}])");

  EXPECT_EQ(decode_resources(parsed->get_array()), (Resources{scalar("cpus", 100)}));
}

TEST(Resources, KeepsLabelsOfReservations) {
  Resource r = scalar("mem", 512'000);
  r.reservations = {{"mysos", "mysos", {{"cluster", "abc"}, {"member", "abc-0"}}}};

  const auto json_text = encode_resources(Resources{r});

  EXPECT_EQ(decode_resources(json_text), Resources{r});
  EXPECT_EQ(json_text.at(0).at_pointer("/reservations/0/labels/labels/0/key").as_string(),
            "cluster");
}

}  // namespace
}  // namespace mysos::mesos
