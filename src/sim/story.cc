// SPDX-License-Identifier: Apache-2.0
#include "sim/story.h"

#include <fmt/format.h>

namespace mysos::sim {
namespace {

std::string text(const mesos::Operation& operation) {
  struct Text {
    std::string operator()(const mesos::Reserve& o) const { return "reserve " + describe(o.resources); }
    std::string operator()(const mesos::Unreserve& o) const { return "unreserve " + describe(o.resources); }
    std::string operator()(const mesos::Create& o) const { return "create " + describe(o.volumes); }
    std::string operator()(const mesos::Destroy& o) const { return "destroy " + describe(o.volumes); }
    std::string operator()(const mesos::Launch& o) const {
      std::string all = "launch";
      for (const mesos::TaskInfo& t : o.tasks) all += " " + t.id.str();
      return all;
    }
  };
  return std::visit(Text{}, operation.what);
}

std::string text(const std::optional<AgentId>& agent) { return agent ? agent->str() : "an agent"; }

}  // namespace

std::string told(const ClusterId& cluster, const EpochRecord& r) {
  std::string ackers;
  for (const MemberId& m : r.ackers) ackers += " " + m.str();
  return fmt::format("RECORD {} {} {}{} primary={} ackers=[{} ] d={} leaving={} joining={} shut_out={} floor={}",
                     cluster.str(), to_string(r.pair), enum_text(r.mode), r.electing ? " electing" : "",
                     r.primary ? r.primary->str() : "-", ackers, r.d, r.leaving.size(), r.joining.size(), r.shut_out.size(),
                     r.floor.to_string());
}

std::string told(const Order& order) {
  struct Text {
    std::string operator()(const order::Setup&) const { return "setup"; }
    std::string operator()(const order::Meet&) const { return "meet"; }
    std::string operator()(const order::Fence& o) const { return "fence " + to_string(o.pair); }
    std::string operator()(const order::Promote& o) const {
      return fmt::format("promote {} d={} floor={} shut_out={}", to_string(o.pair), o.d, o.floor.to_string(),
                         o.shut_out.size());
    }
    std::string operator()(const order::Follow& o) const {
      return fmt::format("follow {} {}{}", to_string(o.pair), o.source.str(), o.acking ? " acking" : "");
    }
    std::string operator()(const order::Certify& o) const { return "certify " + to_string(o.pair); }
    std::string operator()(const order::Rebuild& o) const {
      return fmt::format("rebuild {} {}", to_string(o.pair), o.donor ? "as a copy of " + o.donor->member.str() : "empty");
    }
  };
  return std::visit(Text{}, order);
}

std::string told(const mesos::Call& call) {
  struct Text {
    std::string operator()(const mesos::Subscribe&) const { return "subscribe"; }
    std::string operator()(const mesos::Accept& c) const {
      std::string all = fmt::format("accept {} offer(s):", c.offers.size());
      for (const mesos::Operation& o : c.operations) all += " " + text(o) + ";";
      return all;
    }
    std::string operator()(const mesos::Decline& c) const {
      return fmt::format("decline {} offer(s) for {} s", c.offers.size(), c.refuse / std::chrono::seconds(1));
    }
    std::string operator()(const mesos::Revive&) const { return "revive"; }
    std::string operator()(const mesos::Suppress&) const { return "suppress"; }
    std::string operator()(const mesos::Kill& c) const { return "kill " + c.task.str(); }
    std::string operator()(const mesos::Shutdown& c) const { return "shutdown " + c.executor.str(); }
    std::string operator()(const mesos::Acknowledge& c) const { return "acknowledge " + c.task.str(); }
    std::string operator()(const mesos::AcknowledgeOperation& c) const { return "acknowledge " + c.operation.str(); }
    std::string operator()(const mesos::Reconcile& c) const { return fmt::format("reconcile {} task(s)", c.tasks.size()); }
    std::string operator()(const mesos::ReconcileOperations& c) const {
      return fmt::format("reconcile {} operation(s)", c.operations.size());
    }
    std::string operator()(const mesos::Message& c) const { return "message to " + c.executor.str(); }
    std::string operator()(const mesos::Teardown&) const { return "teardown"; }
  };
  return std::visit(Text{}, call);
}

std::string told(const mesos::Event& event) {
  struct Text {
    std::string operator()(const mesos::Subscribed& e) const { return "subscribed to " + e.master_id; }
    std::string operator()(const mesos::Heartbeat&) const { return "heartbeat"; }
    std::string operator()(const mesos::Offers& e) const {
      std::string all = "offers";
      for (const mesos::Offer& o : e.offers) all += fmt::format(" {} of {};", describe(o.resources), o.hostname);
      return all;
    }
    std::string operator()(const mesos::Rescind& e) const { return "rescind " + e.offer.str(); }
    std::string operator()(const mesos::Update& e) const {
      return fmt::format("{} {} {}", e.task.str(), enum_text(e.state), e.reason);
    }
    std::string operator()(const mesos::UpdateOperation& e) const {
      return fmt::format("{} {} {}", e.operation.str(), enum_text(e.state), e.message);
    }
    std::string operator()(const mesos::ExecutorMessage& e) const { return "message of " + e.executor.str(); }
    std::string operator()(const mesos::Failure& e) const { return "failure of " + text(e.agent); }
    std::string operator()(const mesos::MasterError& e) const { return "error: " + e.message; }
    std::string operator()(const mesos::Disconnected&) const { return "the stream has ended"; }
  };
  return std::visit(Text{}, event);
}

}  // namespace mysos::sim
