// SPDX-License-Identifier: Apache-2.0
#pragma once
// The durable state and the output of the present step, shared by the parts of SchedulerCore. Only the ledger changes the
// state. Invariant: after seal(), the fold of all records ever returned equals state(). A cluster that edit() touched is
// written once per step, in its last form and only if it differs, before any call or order of that
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
  // Clusters that have a member that does not run, or that this step has touched: few of many.
  [[nodiscard]] std::set<ClusterId> unsettled() const;
  // Whether the record of a cluster may be old.
  [[nodiscard]] bool any_doubt() const;
  // The cluster must exist (asserted). It is written with this step's records, and planned for at the end of the step.
  Cluster& edit(const ClusterId& id);
  void add(Cluster cluster);
  void erase(const ClusterId& id);
  void set_framework(FrameworkId id);
  void set_orphan(const std::string& resource_id, OrphanWord word);
  void erase_orphan(const std::string& resource_id);
  // Mesos removed the framework. Its id becomes a former id.
  void retire_framework();

  // A volatile change that the planner of this cluster must see.
  void touch(const ClusterId& id) { touched_.insert(id); }
  [[nodiscard]] std::set<ClusterId> take_touched() { return std::exchange(touched_, {}); }

  // Until the next call, events name this caller; nullptr: no command made them.
  void acts_for(const Caller* caller) { caller_ = caller == nullptr ? std::nullopt : std::optional(*caller); }
  void event(EventText text);
  void event(const Cluster& cluster, EventText text);
  void event(const Cluster& cluster, const MemberId& member, EventText text);

  // Calls are sent only while there is a stream to a master. Otherwise the master would refuse them, and the scheduler makes
  // them again after the next Subscribed.
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
  std::map<ClusterId, std::optional<Cluster>> before_;  // touched by this step, as they were before; none: new
  std::optional<Caller> caller_;
  std::set<std::string> dirty_orphans_;
  std::set<ClusterId> touched_;
  // Indexes, so that a step does not scan all clusters. For clusters in `before_` they hold the state before the step.
  std::map<std::string, ClusterId> by_name_;
  std::set<ClusterId> unsettled_;
  std::set<ClusterId> doubted_;
  bool framework_dirty_ = false;
  bool calls_open_ = false;
};

}  // namespace mysos
