// SPDX-License-Identifier: Apache-2.0
#pragma once
// For tests: a SchedulerCore with a store, a scripted Mesos and obedient members around it, in logical time. Each step checks
// that the fold of the records is the state; a scheduler that dies leaves its records and nothing else.
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/scenario/scripted_mesos.h"
#include "core/scheduler_core.h"

namespace mysos::scenario {

// What an executor would report that does at once what it is told.
class ObedientMember {
 public:
  ObedientMember(MemberId member, TaskId task);
  MemberReport obey(const Order& order);
  MemberReport beat();
  MemberReport now;
  bool silent = false;  // it neither reports nor obeys
};

class Scenario {
 public:
  explicit Scenario(int agents = 3, std::uint64_t seed = 1);

  static SchedulerConfig config();
  ClusterSpec spec(const std::string& name, std::uint32_t members) const;

  void start();    // from the records; a scheduler that ran is gone with all it had not recorded
  void give(const SchedulerInput& input);
  // A command of an operator, and the answer to it.
  Result<ClusterId> ask(const std::string& name, command::Any what);
  Result<ClusterId> create(const std::string& name, std::uint32_t members);
  Result<ClusterId> create(ClusterSpec spec);
  Result<ClusterId> remove(const std::string& name);
  Result<ClusterId> adopt(const std::string& name_or_id, const std::string& as = "");
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
  [[nodiscard]] bool told(EventKind kind) const;
  [[nodiscard]] std::size_t times_told(EventKind kind) const;

  ScriptedMesos mesos;
  std::unique_ptr<SchedulerCore> core;
  std::map<std::string, std::map<std::string, std::string>> records;
  std::vector<Event> events;
  std::vector<SentOrder> orders;
  std::vector<Reply> replies;
  std::map<MemberId, ObedientMember> members;
  Instant now{seconds(1000)};
  // Sees each input and its output before the output is carried out: `records` are still those of before.
  std::function<void(const SchedulerInput&, const SchedulerOutput&)> watch;
  // What executors keep of the cluster's secrets; whether they answer who they are.
  std::string keep_sealed = "sealed";
  std::uint64_t keep_credentials = 0;
  std::string keep_problem;
  bool executors_answer = true;
  bool report_to_each = false;       // members that live report to a scheduler that is started anew, too
  bool lose_calls = false;           // they never arrive
  bool lose_accepts = false;
  std::optional<int> dies_after;     // outputs with something to send; then it dies before it sends
  std::size_t calls_before_death = 0;
  int outputs = 0;                   // that had something to send

 private:
  void carry_out(SchedulerOutput out);
  void tend_members();
  void answer_messages();
  bool step_once(Instant until);

  std::uint64_t seed_;
  std::set<MemberId> heard_;  // by the scheduler that runs now
  bool members_live_ = false;
};

// The cluster "shop", whose members live. There are three agents, or as many as it has members.
Scenario a_healthy_cluster(std::uint32_t members = 3);

}  // namespace mysos::scenario
