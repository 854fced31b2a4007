// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the parts of SchedulerCore work on together: the durable state and the output of the step under way. It is the only
// way to change the state. Invariant: after seal(), the fold of all records ever given out equals state(): a cluster that
// was touched by edit() is written once per step, in its last form and only where it differs, before any call or order of that
// step.
#include <map>
#include <optional>
#include <set>
#include <string>

#include "base/prng.h"
#include "core/state/scheduler_output.h"
#include "core/state/scheduler_state.h"

namespace mysos {

struct EventText {
  EventKind kind{};
  std::string message;
  std::string cause = {};
  std::map<std::string, std::int64_t> took_ms = {};
};

class Ledger {
 public:
  Ledger(SchedulerState recovered, Prng prng);

  [[nodiscard]] const SchedulerState& state() const { return state_; }
  [[nodiscard]] const Cluster* find(const ClusterId& id) const;
  [[nodiscard]] const Cluster* find_by_name(const std::string& name) const;
  // Clusters of which a member is not running, or that this step has touched: by far the fewest of many.
  [[nodiscard]] std::set<ClusterId> unsettled() const;
  // Whether the record of a cluster may be old.
  [[nodiscard]] bool any_doubt() const;
  // The cluster must exist (asserted). It is written with this step's records, and planned for at its end.
  Cluster& edit(const ClusterId& id);
  void add(Cluster cluster);
  void erase(const ClusterId& id);
  void set_framework(FrameworkId id);
  void set_orphan(const std::string& resource_id, OrphanWord word);
  void erase_orphan(const std::string& resource_id);
  // Mesos removed it: its id is one of the former ones from now on.
  void retire_framework();

  // Something volatile has changed that the planner of this cluster wants to see.
  void touch(const ClusterId& id) { touched_.insert(id); }
  [[nodiscard]] std::set<ClusterId> take_touched() { return std::exchange(touched_, {}); }

  // Events are of a command of this caller, until the next call; nullptr: nobody asked.
  void acts_for(const Caller* caller) { caller_ = caller == nullptr ? std::nullopt : std::optional(*caller); }
  void event(EventText text);
  void event(const Cluster& cluster, EventText text);
  void event(const Cluster& cluster, const MemberId& member, EventText text);

  // Calls leave only while there is a stream to a master: without one they would only be refused, and whatever they were
  // for is asked again after the next Subscribed.
  void open_calls(bool open) { calls_open_ = open; }
  void call(mesos::Call call);
  void order(SentOrder order) { out_.orders.push_back(std::move(order)); }
  void reply(RequestId request, Result<ClusterId> result);
  void watches_changed() { out_.watches_changed = true; }
  void resubscribe() { out_.resubscribe = true; }

  Prng& prng() { return prng_; }
  void seal();
  [[nodiscard]] SchedulerOutput take() { return std::exchange(out_, {}); }

 private:
  void index(const Cluster& cluster);

  SchedulerState state_;
  Prng prng_;
  SchedulerOutput out_;
  std::map<ClusterId, std::optional<Cluster>> before_;  // clusters that this step touched, as they were; none: it made them
  std::optional<Caller> caller_;
  std::set<std::string> dirty_orphans_;
  std::set<ClusterId> touched_;
  // So that a step does not look through all clusters. Of the clusters in `before_` they say what was true before the step.
  std::map<std::string, ClusterId> by_name_;
  std::set<ClusterId> unsettled_;
  std::set<ClusterId> doubted_;
  bool framework_dirty_ = false;
  bool calls_open_ = false;
};

}  // namespace mysos
