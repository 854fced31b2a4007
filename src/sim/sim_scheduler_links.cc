// SPDX-License-Identifier: Apache-2.0
// What a simulated scheduler has to do with others: orders to members, its stream to the master, the
// streams that it watches members by.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "sim/sim_scheduler.h"
#include "sim/story.h"

namespace mysos::sim {
namespace {

constexpr Duration kWatchSilence = seconds(1);
constexpr Duration kWatchRetry = milliseconds(250);
constexpr Duration kBeat = milliseconds(125);

}  // namespace

// ---- orders ----

void SimScheduler::send_order(const SentOrder& sent) {
  const auto targets = core_->watch_targets();
  const auto target = std::ranges::find(targets, sent.member, &WatchTarget::member);
  sim_.tell([&] {
    return fmt::format("order {} to {}: {}", sent.id, sent.member.str(), told(sent.order));
  });
  sim_.trace.mix(sent.id);
  orders_[sent.id] = sent.member;
  const auto machine = target == targets.end() ? std::nullopt : world_.machine_at(target->ip);
  if (!machine) {
    later(milliseconds(1), [this, sent] {
      order_done(sent.id, sent.member, Error{Errc::kUnavailable, "no such member to send to", ""},
                 {});
    });
    return;
  }
  const Node node = executor_node(*machine);
  const auto back = [this, node, id = sent.id, member = sent.member, life = life_](
                        std::optional<Error> error, SharedValue<MemberReport> report) {
    sim_.network.send(
        node, kSchedulerNode,
        [this, id, member, life, error = std::move(error), report = std::move(report)] {
          if (life != life_ || !core_) return;
          awake([this, id, member, error, report] { order_done(id, member, error, report); });
        });
  };
  sim_.network.send(kSchedulerNode, node,
                    [this, sent, back, ip = target->ip, port = target->api_port] {
                      deliver_order(sent, ip, port, back);
                    });
  later(sent.deadline, [this, id = sent.id, member = sent.member] {
    order_done(id, member, Error{Errc::kTimeout, "no answer in time", ""}, {});
  });
}

// At the member.
void SimScheduler::deliver_order(
    const SentOrder& sent, const std::string& ip, std::uint16_t port,
    const std::function<void(std::optional<Error>, SharedValue<MemberReport>)>& back) {
  SimExecutor* executor = world_.executor_at(ip, port);
  if (executor == nullptr || !executor->executor_alive()) {
    return back(Error{Errc::kUnavailable, "connection refused", ""}, {});
  }
  if (executor->spec().member != sent.member)
    return back(Error{Errc::kUnauthorized, "unknown token", ""}, {});
  std::uint64_t& latest = latest_[sent.member];
  if (sent.id == latest) sim_.coverage.hit(Mark::kDoubledOrder);
  if (sent.id < latest) sim_.coverage.hit(Mark::kOvertakenOrder);
  latest = std::max(latest, sent.id);
  if (!leads()) sim_.coverage.hit(Mark::kDeposedOrder);
  executor->order(sent.member, sent.order, back);
}

void SimScheduler::order_done(std::uint64_t id, const MemberId& member, std::optional<Error> error,
                              SharedValue<MemberReport> report) {
  if (orders_.erase(id) == 0) return;
  if (error) {
    sim_.tell(
        [&] { return fmt::format("order {} to {} fails: {}", id, member.str(), error->message); });
  }
  give(scheduler_input::OrderDone{id, member, std::move(error), std::move(report)});
}

// ---- Mesos ----

void SimScheduler::subscribe() {
  link_ = std::make_shared<SubscribeLink>();
  link_->id = local::StreamId(fmt::format("stream-{}-{}", term_, next_stream_++));
  link_->deliver = [this, life = life_, link = link_.get()](mesos::Event e) {
    if (life != life_ || !core_ || link_.get() != link || deaf_) return;
    sim_.tell([&] { return "mesos: " + told(e); });
    const auto* message = std::get_if<mesos::ExecutorMessage>(&e);
    message != nullptr ? hear(*message) : give(scheduler_input::FromMesos{std::move(e)});
  };
  sim_.network.send(
      link_->up, kSchedulerNode, kMasterNode,
      [this, link = link_, info = core_->framework_info()] { master_.subscribe(link, info); });
  watch_master();
}

// As scheduler/scheduler_control.cc does.
void SimScheduler::hear(const mesos::ExecutorMessage& message) {
  auto identity = from_json_text<MemberIdentity>(message.data);
  if (!identity) return sim_.violate("an executor's message does not read back: " + identity.error().message);
  give(scheduler_input::Identified{.agent = message.agent, .executor = message.executor, .identity = *std::move(identity)});
}

void SimScheduler::watch_master() {
  later(milliseconds(500), [this, link = link_] {
    if (link != link_ || deaf_) return;
    if (!link->up->broken() && !link->down->broken()) return watch_master();
    link->up->close();
    link->down->close();
    link_.reset();
    give(scheduler_input::FromMesos{mesos::Disconnected{}});
    later(sim_.between(milliseconds(50), seconds(1)), [this] {
      if (!link_) subscribe();
    });
  });
}

// ---- watch streams ----

void SimScheduler::aim_watches() {
  const auto targets = core_->watch_targets();
  std::erase_if(watches_, [&](auto& entry) {
    if (std::ranges::find(targets, entry.second.target) != targets.end()) return false;
    if (entry.second.connection) entry.second.connection->stream->close();
    return true;
  });
  for (const WatchTarget& t : targets) {
    if (watches_.contains(t.member)) continue;
    watches_[t.member].target = t;
    connect_watch(t.member);
  }
}

void SimScheduler::connect_watch(const MemberId& member) {
  Watch& w = watches_.at(member);
  w.heard = sim_.now();
  w.connected = false;
  const auto machine = world_.machine_at(w.target.ip);
  if (!machine) return;
  auto connection = std::make_shared<WatchConnection>();
  w.connection = connection;
  connection->deliver = [this, member, life = life_,
                         raw = connection.get()](const SharedValue<MemberReport>& report) {
    if (life != life_ || !core_) return;
    if (!freezer_.frozen()) return hear(member, raw, report);
    awake([this, member, raw, report] { hear(member, raw, report); });
  };
  sim_.network.send(kSchedulerNode, executor_node(*machine),
                    [this, connection, member, ip = w.target.ip, port = w.target.api_port] {
                      SimExecutor* executor = world_.executor_at(ip, port);
                      if (executor == nullptr || !executor->watch(member, connection))
                        connection->stream->close();
                    });
}

void SimScheduler::hear(const MemberId& member, const WatchConnection* from,
                        const SharedValue<MemberReport>& report) {
  const auto found = watches_.find(member);
  if (found == watches_.end() || found->second.connection.get() != from) return;
  found->second.heard = sim_.now();
  if (!std::exchange(found->second.connected, true)) {
    sim_.tell([&] { return fmt::format("watching {}", member.str()); });
  }
  give(scheduler_input::Reported{report});
}

void SimScheduler::beat() {
  later(kBeat, [this] {
    std::vector<MemberId> lost, again;
    for (auto& [id, w] : watches_) {
      const Duration silent = sim_.now() - w.heard;
      const bool closed = w.connection && w.connection->stream->broken();
      if (w.connected && (closed || silent > kWatchSilence)) lost.push_back(id);
      if (!w.connected && silent > (closed ? kWatchRetry : kWatchSilence)) again.push_back(id);
    }
    for (const MemberId& id : again) connect_watch(id);
    for (const MemberId& id : lost) {
      Watch& w = watches_.at(id);
      w.connection->stream->close();
      w.connected = false;
      w.heard = sim_.now();
    }
    for (const MemberId& id : lost)
      give(scheduler_input::WatchLost{id, "the stream ended or went silent"});
    if (core_) beat();
  });
}

}  // namespace mysos::sim
