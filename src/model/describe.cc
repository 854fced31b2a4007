// SPDX-License-Identifier: Apache-2.0
// Words for logs and events.
#include "base/overloaded.h"
#include "model/member_report.h"
#include "model/order.h"
#include "model/server_step.h"

namespace mysos {

std::string describe(const ServerStep& s) {
  return std::visit(
      Overloaded{
          [](const step::KillClients&) -> std::string { return "end client sessions"; },
          [](const step::SetReadOnly& r) -> std::string { return r.on ? "turn read-only" : "open for writes"; },
          [](const step::SemiSyncSource& r) -> std::string {
            return r.d == 0 ? "semi-sync source off" : "wait for " + std::to_string(r.d) + " acknowledgement(s)";
          },
          [](const step::SemiSyncReplica& r) -> std::string { return r.on ? "acknowledge" : "stop acknowledging"; },
          [](const step::SyncRelayLog&) -> std::string { return "make the relay log durable"; },
          [](const step::StopReceiver&) -> std::string { return "stop the receiver"; },
          [](const step::StopReplication&) -> std::string { return "stop replication"; },
          [](const step::StartReplication&) -> std::string { return "start replication"; },
          [](const step::ForgetSource&) -> std::string { return "forget the source"; },
          [](const step::ShutOut& r) -> std::string { return "shut out " + std::to_string(r.shut_out.size()) + " member(s)"; },
          [](const step::SetSource& r) -> std::string { return "follow " + r.host + ":" + std::to_string(r.port); },
          [](const step::RequireExecuted& r) -> std::string { return "have executed " + r.set.to_string(); },
          [](const step::AwaitReceived& r) -> std::string { return "receive " + r.set.to_string(); },
          [](const step::StartApplier&) -> std::string { return "start the applier"; },
          [](const step::KeepRelayLog&) -> std::string { return "keep the relay log aside"; },
          [](const step::AbandonRelayLog&) -> std::string { return "forget the source and the relay log"; },
          [](const step::Drain&) -> std::string { return "execute what was received"; },
          [](const step::RequireContainedIn& r) -> std::string { return "be contained in " + r.set.to_string(); },
      },
      s);
}

std::string_view order_name(const Order& o) {
  return std::visit(Overloaded{
                        [](const order::Setup&) -> std::string_view { return "setup"; },
                        [](const order::Meet&) -> std::string_view { return "meet"; },
                        [](const order::Fence&) -> std::string_view { return "fence"; },
                        [](const order::Promote&) -> std::string_view { return "promote"; },
                        [](const order::Follow&) -> std::string_view { return "follow"; },
                        [](const order::Certify&) -> std::string_view { return "certify"; },
                        [](const order::Rebuild&) -> std::string_view { return "rebuild"; },
                    },
                    o);
}

bool same_intent(const Order& a, const Order& b) {
  const auto* fa = std::get_if<order::Follow>(&a);
  const auto* fb = std::get_if<order::Follow>(&b);
  if (fa == nullptr || fb == nullptr) return a == b;
  order::Follow copy = *fa;
  copy.source_executed = fb->source_executed;
  return copy == *fb;
}

}  // namespace mysos
