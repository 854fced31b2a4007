// SPDX-License-Identifier: Apache-2.0
#include "sim/sim_agent.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "local/operations.h"

namespace mysos::sim {
namespace {

constexpr Duration kReconnect = seconds(1);

const Volume* volume_of(const mesos::TaskInfo& task) {
  for (const Resource& r : task.resources.list()) {
    if (r.volume) return &*r.volume;
  }
  for (const Resource& r : task.executor_resources.list()) {
    if (r.volume) return &*r.volume;
  }
  return nullptr;
}

}  // namespace

SimAgent::SimAgent(Sim& sim, ServerWorld& world, std::uint32_t machine, ToMaster to_master)
    : sim_(sim), world_(world), machine_(machine), to_master_(std::move(to_master)) {
  info_.hostname = fmt::format("agent-{}", machine);
  info_.ip = fmt::format("10.0.0.{}", machine + 1);
  info_.port = 5051;
  total_ = Resources({scalar("cpus", 8000), scalar("mem", 16384000), scalar("disk", 200000000),
                      ports({{31000, 31999}})});
}

std::vector<SimExecutor*> SimAgent::containers() const {
  std::vector<SimExecutor*> out;
  for (const auto& c : containers_) {
    if (c->container_alive()) out.push_back(c.get());
  }
  return out;
}

// ---- life ----

void SimAgent::start() {
  up_ = true;
  ++life_;
  link_up();
}

void SimAgent::crash(bool power_lost) {
  if (!up_) return;
  sim_.coverage.hit(Mark::kAgentCrash);
  sim_.tell([&] { return fmt::format("machine {} {}", machine_, power_lost ? "has no power" : "crashes"); });
  up_ = false;
  ++life_;
  registered_ = false;
  if (link_) link_->up->close(), link_->down->close();
  for (const auto& c : containers_) c->die(power_lost);
  for (auto& [id, task] : tasks_) {
    task.container = nullptr;
    if (!mesos::is_terminal(task.state))
      update(task, mesos::TaskState::kFailed, "REASON_EXECUTOR_TERMINATED");
  }
}

void SimAgent::restart_process() {
  if (!up_) return;
  sim_.tell([&] { return fmt::format("agent {} restarts", machine_); });
  up_ = false;
  ++life_;
  registered_ = false;
  if (link_) link_->up->close(), link_->down->close();
  for (auto& [id, task] : tasks_) {  // what it had not launched yet is lost with it
    if (task.container == nullptr && !mesos::is_terminal(task.state)) {
      update(task, mesos::TaskState::kFailed, "REASON_EXECUTOR_TERMINATED");
    }
  }
  sim_.after(sim_.between(milliseconds(300), seconds(3)), [this, life = life_] {
    if (life == life_) start();
  });
}

// ---- the link ----

void SimAgent::link_up() {
  if (link_) link_->up->close(), link_->down->close();
  registered_ = false;
  link_ = std::make_shared<AgentLink>();
  local::RegisterAgent hello;
  hello.link = fmt::format("m{}-{}", machine_, sim_.prng.name(6));
  hello.id = id_;
  hello.info = info_;
  hello.total = total_;
  for (const auto& [id, task] : tasks_) {
    hello.tasks.push_back({task.framework, task.info, task.state, task.pending});
    if (task.container != nullptr || !mesos::is_terminal(task.state))
      hello.executors.push_back({task.framework, task.info});
  }
  for (const auto& [id, operation] : operations_) hello.operations.push_back(operation);
  changes_told_ = changes_;
  say(std::move(hello));
  watch_link();
}

void SimAgent::watch_link() {
  sim_.after(kReconnect, [this, life = life_, link = link_] {
    if (life != life_ || link != link_) return;
    if (!registered_ || link->up->broken() || link->down->broken()) return link_up();
    watch_link();
  });
}

void SimAgent::say(local::MasterInput input) {
  if (link_) to_master_(*this, link_, std::move(input));
}

void SimAgent::receive(const std::shared_ptr<AgentLink>& link, const AgentId& id,
                       const local::AgentMessage& message) {
  if (!up_ || link != link_) return;
  MYSOS_ASSERT(id_ == id, "an agent gets what was sent to it");
  std::visit([&](const auto& m) { take(m); }, message);
}

void SimAgent::take(const local::Registered&) {
  registered_ = true;
  if (changes_ != changes_told_) link_up();  // what happened while the hello was on its way
}

// ---- tasks ----

void SimAgent::update(TaskEntry& task, mesos::TaskState state, const std::string& reason) {
  ++changes_;
  task.state = state;
  mesos::Update u;
  u.task = task.info.id;
  u.state = state;
  u.agent = id_;
  u.executor = task.info.executor;
  u.source = reason.empty() ? "SOURCE_EXECUTOR" : "SOURCE_AGENT";
  u.reason = reason;
  u.uuid = sim_.prng.name(16);
  task.pending.push_back(u);
  if (up_ && registered_) say(local::AgentUpdate{*id_, task.framework, u});
}

void SimAgent::take(const local::RunTask& m) {
  if (tasks_.contains(m.task.id)) return;
  TaskEntry task;
  task.framework = m.framework;
  task.info = m.task;
  tasks_[m.task.id] = std::move(task);
  sim_.after(sim_.between(milliseconds(50), milliseconds(400)),
             [this, life = life_, id = m.task.id] {
               if (life == life_) launch(id);
             });
}

void SimAgent::launch(const TaskId& id) {
  const auto found = tasks_.find(id);
  if (found == tasks_.end() || mesos::is_terminal(found->second.state)) return;
  TaskEntry& task = found->second;
  const Volume* volume = volume_of(task.info);
  const auto kept = volume == nullptr ? volumes_.end() : volumes_.find(volume->id);
  auto spec = from_json_text<MemberSpec>(task.info.data);
  if (!spec || kept == volumes_.end()) {
    return sim_.violate("a task was launched without its volume or with unreadable data: " +
                        id.str());
  }
  for (const auto& c : containers_) {
    if (c->container_alive() && &c->volume() == kept->second.get()) {
      return sim_.violate("two containers on one volume: " + volume->id.str());
    }
  }
  kept->second->cluster = spec->cluster;
  containers_.push_back(
      std::make_unique<SimExecutor>(sim_, world_, *spec, machine_, *kept->second,
                                    [this, id](int status) { container_ended(id, status); }));
  task.container = containers_.back().get();
  sim_.tell([&] { return fmt::format("machine {} launches {}", machine_, id.str()); });
  update(task, mesos::TaskState::kStarting, "");
  update(task, mesos::TaskState::kRunning, "");
  task.container->launch();
}

void SimAgent::kill(TaskEntry& task, Duration grace) {
  if (mesos::is_terminal(task.state)) return;
  if (task.container == nullptr)
    return update(task, mesos::TaskState::kKilled, "REASON_TASK_KILLED_DURING_LAUNCH");
  if (task.killing) return;
  task.killing = true;
  update(task, mesos::TaskState::kKilling, "");
  SimExecutor* const container = task.container;
  container->stop();
  sim_.after(grace, [this, container, id = task.info.id] {
    if (!container->container_alive()) return;
    container->die();
    container_ended(id, 9);
  });
}

void SimAgent::container_ended(const TaskId& id, int status) {
  // The containerizer needs a while to see it.
  sim_.after(status == 0 ? milliseconds(100) : sim_.between(milliseconds(1500), milliseconds(2200)),
             [this, id, status] {
               const auto found = tasks_.find(id);
               if (found == tasks_.end() || mesos::is_terminal(found->second.state)) return;
               TaskEntry& task = found->second;
               task.container = nullptr;
               if (up_ && registered_)
                 say(local::ExecutorEnded{*id_, task.framework, task.info.executor, status});
               const bool meant = task.killing;
               update(task, meant ? mesos::TaskState::kKilled : mesos::TaskState::kFailed,
                      meant ? "" : "REASON_EXECUTOR_TERMINATED");
             });
}

void SimAgent::take(const local::KillAgentTask& m) {
  const auto found = tasks_.find(m.task);
  if (found != tasks_.end()) kill(found->second, m.grace.value_or(seconds(30)));
}

void SimAgent::take(const local::ShutdownExecutor& m) {
  for (auto& [id, task] : tasks_) {
    if (task.framework == m.framework && task.info.executor == m.executor) kill(task, seconds(5));
  }
}

void SimAgent::take(const local::ShutdownFramework& m) {
  sim_.violate("the framework was torn down");
  for (auto& [id, task] : tasks_) {
    if (task.framework == m.framework) kill(task, seconds(5));
  }
}

// ---- disks ----

void SimAgent::end_container_on(const SimVolume& volume) {
  for (const auto& c : containers_) {
    if (c->container_alive() && &c->volume() == &volume) c->container_dies();
  }
}

void SimAgent::lose_volume(SimExecutor& member) {
  const auto found = std::ranges::find_if(volumes_, [&](const auto& v) { return v.second.get() == &member.volume(); });
  if (found == volumes_.end() || lost_.contains(found->first)) return;
  sim_.coverage.hit(Mark::kVolumeLost);
  sim_.tell([&] { return fmt::format("machine {}: the volume of {} is lost", machine_, member.spec().member.str()); });
  end_container_on(*found->second);
  found->second->lost = true;
  lost_[found->first] = std::exchange(found->second, std::make_unique<SimVolume>());
  found->second->replacement = true;
}

void SimAgent::bring_back(const VolumeId& id) {
  const auto found = lost_.find(id);
  if (found == lost_.end()) return;
  sim_.coverage.hit(Mark::kVolumeBack);
  sim_.tell([&] { return fmt::format("machine {}: volume {} is put back", machine_, id.str()); });
  end_container_on(*volumes_.at(id));
  found->second->lost = false;
  destroyed_.push_back(std::exchange(volumes_.at(id), std::move(found->second)));
  lost_.erase(found);
}

const SimVolume* SimAgent::known_as(const VolumeId& id) const {
  const auto lost = lost_.find(id);
  if (lost != lost_.end()) return lost->second.get();
  const auto found = volumes_.find(id);
  return found == volumes_.end() ? nullptr : found->second.get();
}

// ---- operations ----

void SimAgent::take(const local::ApplyOperation& m) {
  const mesos::Operation operation = local::allocated(m.operation, "");
  mesos::UpdateOperation status;
  status.operation = operation.id;
  status.agent = id_;
  status.uuid = sim_.prng.name(16);
  if (total_.contains(local::conversion_of(operation).consumed)) {
    status.state = mesos::OperationState::kFinished;
    total_ = local::converted(total_, operation);
    if (const auto* create = std::get_if<mesos::Create>(&operation.what)) {
      for (const Resource& r : create->volumes.list())
        volumes_[r.volume->id] = std::make_unique<SimVolume>();
    }
    if (const auto* destroy = std::get_if<mesos::Destroy>(&operation.what)) {
      for (const Resource& r : destroy->volumes.list()) {
        const auto found = volumes_.find(r.volume->id);
        if (found == volumes_.end()) continue;
        for (const auto& c : containers_) {
          if (c->container_alive() && &c->volume() == found->second.get())
            sim_.violate("a volume in use was destroyed");
        }
        world_.destroyed(found->first, *known_as(found->first));
        sim_.tell([&] {
          return fmt::format("machine {} destroys volume {}", machine_, r.volume->id.str());
        });
        destroyed_.push_back(std::move(found->second));
        const auto lost = lost_.find(found->first);
        if (lost != lost_.end()) destroyed_.push_back(std::move(lost->second)), lost_.erase(lost);
        volumes_.erase(found);
      }
    }
  } else {
    status.state = mesos::OperationState::kDropped;
    status.message = "the agent does not have these resources";
  }
  if (operation.id.empty()) return;
  operations_[operation.id] = {m.framework, status};
  say(local::AgentOperationUpdate{*id_, m.framework, status});
}

void SimAgent::take(const local::AcknowledgeUpdate& m) {
  const auto found = tasks_.find(m.task);
  if (found == tasks_.end()) return;
  std::erase_if(found->second.pending, [&](const mesos::Update& u) { return u.uuid == m.uuid; });
  if (found->second.pending.empty() && mesos::is_terminal(found->second.state)) tasks_.erase(found);
}

void SimAgent::take(const local::TellExecutor& m) {
  if (m.data != kIdentify) return;
  for (const auto& [id, task] : tasks_) {
    if (task.framework != m.framework || task.info.executor != m.executor || task.container == nullptr) continue;
    const std::optional<MemberIdentity> identity = task.container->identity();
    if (identity) say(local::ExecutorSaid{*id_, m.framework, m.executor, to_json_text(*identity)});
  }
}

void SimAgent::take(const local::ForgetOperation& m) { operations_.erase(m.operation); }

}  // namespace mysos::sim
