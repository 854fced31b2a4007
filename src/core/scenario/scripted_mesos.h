// SPDX-License-Identifier: Apache-2.0
#pragma once
// For tests: a small Mesos that does what a test says, also wrongly. It keeps one account per agent, so that what is leaked
// or taken twice shows as a wrong sum; updates with a uuid are kept until they are acknowledged, and said again to each new
// stream. Simpler than the embedded master on purpose: here a test says what goes wrong, and when.
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "model/mesos.h"

namespace mysos::scenario {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

inline constexpr char kRole[] = "mysos";

class ScriptedMesos {
 public:
  struct Task {
    mesos::TaskInfo info;
    mesos::TaskState state = mesos::TaskState::kRunning;
  };
  struct Agent {
    Resources total;
    Resources free;  // neither offered nor held
    bool unreachable = false;
    bool declined = false;  // what is free was declined and nothing has changed since
  };

  void add_agent(const std::string& name, std::int64_t cpus, std::int64_t mem_mib, std::int64_t disk_mib);
  void call(const mesos::Call& call);
  void subscribe();   // a new stream: Subscribed, then what was not acknowledged
  void disconnect();
  [[nodiscard]] bool subscribed() const { return subscribed_; }
  std::optional<mesos::Event> next_event();  // offers are made when nothing else is left to say

  // ---- what goes wrong ----
  void end_task(const TaskId& task, mesos::TaskState state, const std::string& why);
  void end_task_in_silence(const TaskId& task);
  void say(const TaskId& task, mesos::TaskState state);  // an update without uuid, whatever is true
  void set_unreachable(const std::string& agent, bool unreachable);
  void mark_gone(const std::string& agent);
  void rescind_all();
  void stray_task(const std::string& agent, const TaskId& task);
  Resources reserve_for(const std::string& agent, const Labels& labels, std::int64_t cpus);  // by somebody
  // TEARDOWN, or the failover timeout: tasks end, reservations and volumes stay; who subscribes next is `next`.
  void remove_framework(const FrameworkId& next);
  void drop_reservation(const std::string& agent);  // all that is free there becomes unreserved, volumes vanish

  std::map<AgentId, Agent> agents;
  std::map<TaskId, Task> tasks;
  std::set<std::string> refused_operations;  // "create": OPERATION_ERROR for these
  bool silent_operations = false;            // done, but no word of it
  bool deaf = false;                         // executors do not obey a KILL
  bool answers_reconcile = true;
  std::vector<mesos::Call> calls;            // all that arrived
  std::vector<mesos::Message> messages;      // to executors
  bool suppressed = false;
  FrameworkId framework{"fw-1"};

  [[nodiscard]] std::size_t live_tasks() const;
  [[nodiscard]] bool nothing_held() const;  // every agent has all it began with, unreserved
  [[nodiscard]] std::size_t unacknowledged() const { return pending_.size(); }
  template <class C>
  [[nodiscard]] std::size_t count() const {
    std::size_t n = 0;
    for (const auto& c : calls) n += std::holds_alternative<C>(c) ? 1 : 0;
    return n;
  }
  template <class C>
  [[nodiscard]] const C* last() const {
    const C* found = nullptr;
    for (const auto& c : calls) {
      if (const auto* one = std::get_if<C>(&c)) found = one;
    }
    return found;
  }

 private:
  struct Outstanding {
    AgentId agent;
    Resources resources;
  };
  void on(const mesos::Accept& c);
  void on(const mesos::Decline& c);
  void on(const mesos::Revive&);
  void on(const mesos::Suppress&) { suppressed = true; }
  void on(const mesos::Kill& c);
  void on(const mesos::Acknowledge& c) { pending_.erase(c.uuid); }
  void on(const mesos::AcknowledgeOperation& c) { pending_.erase(c.uuid); }
  void on(const mesos::Reconcile& c);
  void on(const mesos::ReconcileOperations& c);
  void on(const mesos::Subscribe&) {}
  void on(const mesos::Shutdown&) {}
  void on(const mesos::Message& c) { messages.push_back(c); }
  void on(const mesos::Teardown&) {}
  void run(const mesos::Operation& operation, const AgentId& agent, Resources& pool);
  void launch(const mesos::TaskInfo& task, Resources& pool);
  void update(const TaskId& task, const AgentId& agent, mesos::TaskState state, const std::string& reason, bool reliable);
  void post(mesos::Event event);
  mesos::TaskState answer(const TaskId& task, const std::optional<AgentId>& agent) const;

  bool subscribed_ = false;
  std::uint64_t next_id_ = 1;
  std::map<OfferId, Outstanding> offers_;
  std::deque<mesos::Event> events_;
  std::map<std::string, mesos::Event> pending_;  // by uuid, until acknowledged
};

}  // namespace mysos::scenario
