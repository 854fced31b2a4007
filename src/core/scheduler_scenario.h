// SPDX-License-Identifier: Apache-2.0
#pragma once
// For tests: a SchedulerCore with a store, a small scripted Mesos and obedient members around it, in logical time. Each
// step checks that the fold of the records is the state, and that no call or order leaves before its records. The scripted
// Mesos keeps one account per agent, so that what is leaked or taken twice shows as a wrong sum. Simpler than the
// simulator on purpose: here a test says what goes wrong, and when.
#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/scheduler_core.h"

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
  void say(const TaskId& task, mesos::TaskState state);  // an update without uuid, whatever is true
  void set_unreachable(const std::string& agent, bool unreachable);
  void mark_gone(const std::string& agent);
  void rescind_all();
  void stray_task(const std::string& agent, const TaskId& task);
  Resources reserve_for(const std::string& agent, const Labels& labels, std::int64_t cpus);  // by somebody
  void drop_reservation(const std::string& agent);  // all that is free there becomes unreserved, volumes vanish

  std::map<AgentId, Agent> agents;
  std::map<TaskId, Task> tasks;
  std::set<std::string> refused_operations;  // "create": OPERATION_ERROR for these
  bool silent_operations = false;            // done, but no word of it
  bool deaf = false;                         // executors do not obey a KILL
  std::vector<mesos::Call> calls;            // all that arrived
  bool suppressed = false;

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
  void on(const mesos::Message&) {}
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

// What an executor would report that does at once what it is told.
class ObedientMember {
 public:
  ObedientMember(MemberId member, TaskId task);
  MemberReport obey(const Order& order);
  MemberReport beat();
  MemberReport now;
};

class Scenario {
 public:
  explicit Scenario(int agents = 3, std::uint64_t seed = 1);

  static SchedulerConfig config();
  ClusterSpec spec(const std::string& name, std::uint32_t members) const;

  void start();    // from the records; a scheduler that ran is gone with all it had not recorded
  void give(const SchedulerInput& input);
  Result<ClusterId> create(const std::string& name, std::uint32_t members);
  Result<ClusterId> create(ClusterSpec spec);
  Result<ClusterId> remove(const std::string& name);
  Result<ClusterId> switch_over(const std::string& name, std::optional<MemberId> to = {});

  // Events are delivered, deadlines kept, orders obeyed, until nothing is left to do before `until`.
  void run_for(Duration duration);
  void run_until(const std::function<bool()>& done, Duration at_most);
  // The members of running tasks report and obey from now on.
  void let_members_live() { members_live_ = true; }

  [[nodiscard]] const Cluster& cluster(const std::string& name) const;
  [[nodiscard]] const Member& member(const std::string& name, std::size_t index) const;
  [[nodiscard]] ClusterView view(const std::string& name) const;
  [[nodiscard]] bool all_running(const std::string& name) const;
  [[nodiscard]] bool told(const std::string& kind) const;
  [[nodiscard]] std::size_t times_told(const std::string& kind) const;

  ScriptedMesos mesos;
  std::unique_ptr<SchedulerCore> core;
  std::map<std::string, std::map<std::string, std::string>> records;
  std::vector<Event> events;
  std::vector<SentOrder> orders;
  std::vector<Reply> replies;
  std::map<MemberId, ObedientMember> members;
  Instant now{seconds(1000)};
  bool lose_calls = false;           // they never arrive
  bool lose_accepts = false;
  std::optional<int> dies_after;     // outputs with something to send; then it dies before it sends
  std::size_t calls_before_death = 0;
  int outputs = 0;                   // that had something to send

 private:
  void carry_out(SchedulerOutput out);
  void tend_members();
  bool step_once(Instant until);

  std::uint64_t seed_;
  bool members_live_ = false;
};

}  // namespace mysos::scenario
