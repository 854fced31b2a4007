// SPDX-License-Identifier: Apache-2.0
#include "stories/transcript.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <vector>

#include "base/json.h"
#include "base/overloaded.h"
#include "model/order.h"

namespace mysos::scenario {
namespace {

constexpr Duration kFirst = std::chrono::seconds(1000);  // the scenario's clock begins here

template <class Id>
std::string joined(const std::vector<Id>& ids) {
  std::vector<std::string> names;
  for (const Id& id : ids) names.push_back(id.value);
  return fmt::format("{}", fmt::join(names, ", "));
}

std::string text(const mesos::Event& event) {
  return std::visit(
      Overloaded{
          [](const mesos::Subscribed& e) { return "subscribed as " + e.framework.value; },
          [](const mesos::Offers& e) {
            std::vector<AgentId> agents;
            for (const mesos::Offer& offer : e.offers) agents.push_back(offer.agent);
            return "offers of agents " + joined(agents);
          },
          [](const mesos::Update& e) {
            return fmt::format("{} of task {}{}{}", enum_text(e.state), e.task.value, e.reason.empty() ? "" : ", ", e.reason);
          },
          [](const mesos::UpdateOperation& e) {
            return fmt::format("{} of {}", enum_text(e.state), e.operation.value);
          },
          [](const mesos::Rescind& e) { return "offer " + e.offer.value + " is rescinded"; },
          [](const mesos::Failure& e) { return "agent " + e.agent.value_or(AgentId()).value + " has failed"; },
          [](const mesos::ExecutorMessage& e) { return "a message of executor " + e.executor.value; },
          [](const mesos::MasterError& e) { return "error: " + e.message; },
          [](const mesos::Heartbeat&) { return std::string("heartbeat"); },
          [](const mesos::Disconnected&) { return std::string("disconnected"); },
      },
      event);
}

std::string text(const SchedulerInput& input) {
  using namespace scheduler_input;
  return std::visit(Overloaded{
                        [](const FromMesos& in) { return "Mesos: " + text(in.event); },
                        [](const Reported& in) { return "report of " + in.report->member.value; },
                        [](const WatchLost& in) { return in.member.value + " is not heard any more: " + in.why; },
                        [](const OrderDone& in) {
                          return "answer of " + in.member.value + (in.error ? ": " + in.error->message : "");
                        },
                        [](const StatePutBack& in) { return "the state was put back: " + in.why; },
                        [](const Identified& in) { return "executor " + in.executor.value + " says who it is"; },
                        [](const Tick&) { return std::string("time"); },
                        [](const auto&) { return std::string("a user's command"); },
                    },
                    input);
}

std::string text(const Resources& resources) {
  std::vector<std::string> all;
  for (const Resource& r : resources.list()) {
    std::string value;
    if (r.is_ranges()) {
      for (const Range& range : r.ranges) value += fmt::format("{}{}-{}", value.empty() ? "" : ",", range.begin, range.end);
    } else {
      value = fmt::format("{}", static_cast<double>(r.milli) / 1000);
    }
    all.push_back(fmt::format("{} {}{}", r.name, value, r.volume ? " (volume " + r.volume->id.value + ")" : ""));
  }
  return fmt::format("{}", fmt::join(all, ", "));
}

std::string text(const mesos::Operation& operation) {
  return std::visit(
      Overloaded{
          [](const mesos::Reserve& o) { return "RESERVE " + text(o.resources); },
          [](const mesos::Unreserve& o) { return "UNRESERVE " + text(o.resources); },
          [](const mesos::Create& o) { return "CREATE " + text(o.volumes); },
          [](const mesos::Destroy& o) { return "DESTROY " + text(o.volumes); },
          [](const mesos::Launch& o) {
            std::string all;
            for (const mesos::TaskInfo& task : o.tasks) {
              all += fmt::format("LAUNCH task {} on agent {}: {}", task.id.value, task.agent.value, text(task.resources));
            }
            return all;
          },
      },
      operation.what);
}

template <class Asked>
std::string asked_of(const std::vector<Asked>& all) {
  if (all.empty()) return "all";
  std::vector<std::string> names;
  for (const auto& [id, agent] : all) names.push_back(id.value);
  return fmt::format("{}", fmt::join(names, ", "));
}

std::string text(const mesos::Call& call) {
  return std::visit(
      Overloaded{
          [](const mesos::Subscribe&) { return std::string("SUBSCRIBE"); },
          [](const mesos::Accept& c) {
            std::string all = "ACCEPT " + joined(c.offers);
            for (const mesos::Operation& o : c.operations) {
              all += "\n              " + text(o) + (o.id.empty() ? "" : " as " + o.id.value);
            }
            return all;
          },
          [](const mesos::Decline& c) {
            return fmt::format("DECLINE {} for {} s", joined(c.offers), std::chrono::duration<double>(c.refuse).count());
          },
          [](const mesos::Revive&) { return std::string("REVIVE"); },
          [](const mesos::Suppress&) { return std::string("SUPPRESS"); },
          [](const mesos::Kill& c) { return "KILL task " + c.task.value; },
          [](const mesos::Shutdown& c) { return "SHUTDOWN executor " + c.executor.value; },
          [](const mesos::Acknowledge& c) { return "ACKNOWLEDGE task " + c.task.value; },
          [](const mesos::AcknowledgeOperation& c) { return "ACKNOWLEDGE " + c.operation.value; },
          [](const mesos::Reconcile& c) { return "RECONCILE tasks: " + asked_of(c.tasks); },
          [](const mesos::ReconcileOperations& c) { return "RECONCILE operations: " + asked_of(c.operations); },
          [](const mesos::Message& c) { return fmt::format("MESSAGE to executor {}: {}", c.executor.value, c.data); },
          [](const mesos::Teardown&) { return std::string("TEARDOWN"); },
      },
      call);
}

// The fields below `path` that differ, one to a line.
void changes(std::string path, const json::value& before, const json::value& after, std::vector<std::string>& out) {
  if (before == after) return;
  if (before.is_object() && after.is_object()) {
    for (const auto& [key, value] : after.as_object()) {
      const json::value* old = before.as_object().if_contains(key);
      changes(path + "." + std::string(key), old != nullptr ? *old : json::value(nullptr), value, out);
    }
    for (const auto& [key, value] : before.as_object()) {
      if (!after.as_object().contains(key)) out.push_back((path + "." + std::string(key)).substr(1) + " is gone");
    }
    return;
  }
  if (before.is_array() && after.is_array() && before.as_array().size() == after.as_array().size()) {
    for (std::size_t i = 0; i < after.as_array().size(); ++i) {
      changes(fmt::format("{}[{}]", path, i), before.as_array()[i], after.as_array()[i], out);
    }
    return;
  }
  out.push_back((path.empty() ? "" : path.substr(1) + " = ") + json::serialize(after));
}

std::string text(const Record& record, const RecordTexts& before) {
  const std::string head = fmt::format("  record  {} {}", record.kind, record.key);
  if (!record.json) return head + " is erased\n";
  const auto kind = before.find(record.kind);
  const bool known = kind != before.end() && kind->second.contains(record.key);
  if (!known) return fmt::format("{}\n              {}\n", head, *record.json);
  std::vector<std::string> fields;
  changes("", json::parse(kind->second.at(record.key)), json::parse(*record.json), fields);
  std::string all = head + "\n";
  for (const std::string& field : fields) all += "              " + field + "\n";
  return all;
}

// The fields that say something.
std::string said(const Order& order) {
  const json::value body = std::visit([](const auto& o) { return to_json(o); }, order);
  std::string all;
  for (const auto& [key, value] : body.as_object()) {
    const std::string shown = json::serialize(value);
    if (shown == "\"\"" || shown == "[]" || shown == "null") continue;
    all += fmt::format("{} {}={}", all.empty() ? ":" : ",", std::string(key), shown);
  }
  return all;
}

std::string text(const Event& event) {
  return fmt::format("  event   {}{}{}: {}\n", enum_text(event.kind), event.member.empty() ? "" : " of ", event.member,
                     event.message);
}

}  // namespace

std::string transcript_of(const SchedulerInput& input, const SchedulerOutput& out, const RecordTexts& before, Instant now) {
  std::string all;
  for (const Record& record : out.records) all += text(record, before);
  for (const mesos::Call& call : out.calls) all += "  call    " + text(call) + "\n";
  for (const SentOrder& sent : out.orders) {
    all += fmt::format("  order   {} to {}{}\n", order_name(sent.order), sent.member.value, said(sent.order));
  }
  for (const Event& event : out.events) all += text(event);
  for (const Reply& reply : out.replies) {
    all += "  reply   " + (reply.result ? "done: " + reply.result->value : "refused: " + reply.result.error().message) + "\n";
  }
  if (out.watches_changed) all += "  the members that are watched have changed\n";
  if (out.resubscribe) all += "  it subscribes again\n";
  if (all.empty()) return all;
  const double at = std::chrono::duration<double>(now.time_since_epoch() - kFirst).count();
  return fmt::format("{:.3f} s  {}\n", at, text(input)) + all;
}

}  // namespace mysos::scenario
