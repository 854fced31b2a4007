// SPDX-License-Identifier: Apache-2.0
#include "local/master_core.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/assert.h"

namespace mysos::local {
namespace {

constexpr double kMaxFailoverSeconds = 10.0 * 365 * 86400;

Duration failover_timeout(const mesos::FrameworkInfo& info) {
  return Duration(
      std::llround(std::clamp(info.failover_timeout_s, 0.0, kMaxFailoverSeconds) * 1e6));
}

bool capable(const mesos::FrameworkInfo& info, std::string_view capability) {
  return std::ranges::find(info.capabilities, capability) != info.capabilities.end();
}

}  // namespace

mesos::Update master_update(const TaskId& task, mesos::TaskState state, std::string reason,
                            std::string message) {
  mesos::Update u;
  u.task = task;
  u.state = state;
  u.source = "SOURCE_MASTER";
  u.reason = std::move(reason);
  u.message = std::move(message);
  return u;
}

MasterCore::MasterCore(Registry recovered, MasterOptions options, std::string master_id,
                       Instant now)
    : options_(options),
      master_id_(std::move(master_id)),
      registry_(std::move(recovered)),
      start_(now),
      now_(now) {
  for (const auto& [id, record] : registry_.frameworks) {
    if (record.removed) continue;
    Framework& f = frameworks_[id];
    f.info = record.info;
    f.remove_at = now + failover_timeout(record.info);
  }
  for (const auto& [id, record] : registry_.agents) {
    Agent& agent = agents_[id];
    agent.info = record.info;
    switch (record.mark) {
      case AgentMark::kRegistered:
        agent.link = Link::kRecovered;
        agent.lost_at = now + options_.agent_reregister_timeout;
        break;
      case AgentMark::kUnreachable:
        agent.link = Link::kUnreachable;
        break;
      case AgentMark::kGone:
        agent.link = Link::kGone;
        break;
    }
  }
}

void MasterCore::step(const MasterInput& input, Instant now) {
  MYSOS_ASSERT(now >= now_, "time does not go back");
  now_ = now;
  std::visit([&](const auto& in) { on(in); }, input);
  run_timers();
  if (allocate_at_ <= now_) allocate();
}

MasterOutput MasterCore::take_output() {
  if (persist_) out_.persist = registry_;
  persist_ = false;
  return std::exchange(out_, MasterOutput{});
}

Instant MasterCore::next_deadline() const {
  Instant next = allocate_at_;
  for (const auto& [id, f] : frameworks_) {
    next = std::min({next, f.heartbeat_at, f.remove_at});
    if (!f.stream) continue;
    for (const auto& [task_id, task] : f.tasks) next = std::min(next, task.resend_at);
    for (const auto& [operation_id, operation] : f.operations)
      next = std::min(next, operation.resend_at);
  }
  for (const auto& [id, agent] : agents_) next = std::min(next, agent.lost_at);
  return next;
}

void MasterCore::run_timers() {
  std::vector<FrameworkId> expired;
  for (auto& [id, f] : frameworks_) {
    if (f.remove_at <= now_) expired.push_back(id);
    if (!f.stream) continue;
    if (f.heartbeat_at <= now_) {
      send(f, mesos::Heartbeat{});
      f.heartbeat_at = now_ + options_.heartbeat;
    }
    for (auto& [task_id, task] : f.tasks) {
      if (task.resend_at <= now_) send_front(f, task);
    }
    for (auto& [operation_id, operation] : f.operations) {
      if (operation.resend_at > now_) continue;
      send(f, operation.status);
      operation.backoff =
          std::clamp(operation.backoff * 2, options_.resend_first, options_.resend_most);
      operation.resend_at = now_ + operation.backoff;
    }
  }
  for (const auto& id : expired) remove_framework(id);
  for (auto& [id, agent] : agents_) {
    if (agent.lost_at <= now_) agent_unreachable(id, agent);
  }
}

void MasterCore::send(Framework& framework, mesos::Event event) {
  if (framework.stream)
    out_.events.push_back({*framework.stream, *framework.info.id, std::move(event)});
}

void MasterCore::on(const SubscribeFramework& in) {
  const auto refuse = [&](const std::string& why) {
    out_.events.push_back({in.stream, in.info.id.value_or(FrameworkId()), mesos::MasterError{why}});
    out_.closed.push_back(in.stream);
  };
  if (!capable(in.info, "MULTI_ROLE"))
    return refuse("FrameworkInfo.roles needs the capability MULTI_ROLE");
  if (in.info.role.empty()) return refuse("The framework has no role");
  FrameworkId id;
  if (in.info.id) {
    id = *in.info.id;
    const auto known = registry_.frameworks.find(id);
    if (known != registry_.frameworks.end() && known->second.removed)
      return refuse("Framework has been removed");
  } else {
    id = FrameworkId(fmt::format("{}-{:04}", master_id_, registry_.next_framework++));
  }
  Framework& f = frameworks_[id];
  if (f.stream) {
    send(f, mesos::MasterError{"Framework failed over"});
    out_.closed.push_back(*f.stream);
    disconnect_framework(f);
  }
  f.info = in.info;
  f.info.id = id;
  f.stream = in.stream;
  f.suppressed = false;
  f.filters.clear();
  f.remove_at = kNever;
  f.heartbeat_at = now_ + options_.heartbeat;
  FrameworkRecord& record = registry_.frameworks[id];
  if (record.info != f.info) {
    record.info = f.info;
    persist();
  }
  const double heartbeat_s = static_cast<double>(options_.heartbeat.count()) / 1e6;
  send(f, mesos::Subscribed{id, heartbeat_s, master_id_});
  send(f, mesos::Heartbeat{});
  for (auto& [task_id, task] : f.tasks) {
    task.backoff = Duration::zero();
    if (!task.pending.empty()) task.resend_at = now_ + options_.allocation_delay * 3;
  }
  for (auto& [operation_id, operation] : f.operations) {
    operation.backoff = Duration::zero();
    if (!operation.status.uuid.empty()) operation.resend_at = now_ + options_.allocation_delay * 3;
  }
  allocate_soon();
}

void MasterCore::on(const StreamClosed& in) {
  for (auto& [id, f] : frameworks_) {
    if (f.stream != in.stream) continue;
    disconnect_framework(f);
    f.remove_at = now_ + failover_timeout(f.info);
    return;
  }
}

// Its offers are withdrawn without a word, since nobody listens.
void MasterCore::disconnect_framework(Framework& f) {
  f.stream.reset();
  f.heartbeat_at = kNever;
  f.filters.clear();
  std::erase_if(offers_, [&](const auto& entry) { return entry.second.framework == *f.info.id; });
  allocate_soon();
}

void MasterCore::remove_framework(const FrameworkId& id) {
  const auto found = frameworks_.find(id);
  if (found == frameworks_.end()) return;
  Framework& f = found->second;
  if (f.stream) out_.closed.push_back(*f.stream);
  disconnect_framework(f);
  for (auto& [agent_id, agent] : agents_) {
    const auto ours = [&](const auto& entry) { return entry.first.first == id; };
    const auto count = std::erase_if(agent.held, ours) + std::erase_if(agent.executors, ours);
    if (count > 0) tell(agent_id, ShutdownFramework{id});
  }
  registry_.frameworks[id].removed = true;
  persist();
  frameworks_.erase(found);
}

std::optional<CallRefusal> MasterCore::check_call(const FrameworkId& framework,
                                                  const StreamId& stream) const {
  const auto found = frameworks_.find(framework);
  if (found == frameworks_.end()) return CallRefusal{400, "Framework cannot be found"};
  if (!found->second.stream) return CallRefusal{403, "Framework is not subscribed"};
  if (stream.empty()) {
    return CallRefusal{400, "All non-subscribe calls should include the 'Mesos-Stream-Id' header"};
  }
  if (*found->second.stream != stream) {
    return CallRefusal{
        400, fmt::format("The stream ID '{}' included in this request didn't match the stream ID "
                         "currently associated with framework ID {}",
                         stream.value, framework.value)};
  }
  return std::nullopt;
}

void MasterCore::on(const FrameworkCall& in) {
  const auto found = frameworks_.find(in.framework);
  if (found == frameworks_.end() || !found->second.stream) return;
  std::visit([&](const auto& call) { on_call(found->second, call); }, in.call);
}

}  // namespace mysos::local
