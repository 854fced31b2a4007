// SPDX-License-Identifier: Apache-2.0
#pragma once
// The brain of Mysos: one input at a time (a Mesos event, a user's command, a member's report, time), and what must now
// be done. No I/O, clock, thread or randomness of its own, so the simulator can drive it through every disaster.
//
// The contract of SchedulerOutput, in this order: `records` are durable, in one transaction, BEFORE anything below leaves;
// then `calls` to Mesos and `orders` to members; then `events` are logged, and `replies` go to waiting callers. State is the
// fold of the records: SchedulerState::recover(all records) == state(), always.
#include <array>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "base/prng.h"
#include "base/time.h"
#include "core/command.h"
#include "core/epoch_planner.h"
#include "model/cluster.h"
#include "model/member_report.h"
#include "model/mesos.h"

namespace mysos {

// A durable change: put (json text) or erase, by kind and key (core/records.h).
struct Record {
  std::string kind;
  std::string key;
  std::optional<std::string> json;  // none: erase
  bool operator==(const Record&) const = default;
};

// What the store knows of a reservation with our label that no member owns, and what is therefore done with it. Of which it
// knows nothing is kept: it may hold data.
enum class OrphanFate {
  kKept,     // not stored: nothing is known of it
  kUnused,   // no server ever ran on it: given back
  kDestroy,  // a user wants it destroyed
};
constexpr auto enum_names(OrphanFate) {
  return std::to_array<EnumName<OrphanFate>>(
      {{OrphanFate::kKept, "kept"}, {OrphanFate::kUnused, "unused"}, {OrphanFate::kDestroy, "destroying"}});
}
struct OrphanWord {
  OrphanFate fate = OrphanFate::kKept;
  AgentId agent;
  bool operator==(const OrphanWord&) const = default;
};
template <class Io>
void fields(Io& io, OrphanWord& w) {
  io.required("fate", w.fate);
  io.required("agent", w.agent);
}

// Everything that must survive a restart.
struct SchedulerState {
  std::optional<FrameworkId> framework;
  // The ids of before: Mesos removed these frameworks. Reservations and volumes keep the label they were made with.
  std::set<FrameworkId> former;
  std::map<ClusterId, Cluster> clusters;
  std::map<std::string, OrphanWord> orphans;  // by resource id
  bool operator==(const SchedulerState&) const = default;

  static Result<SchedulerState> recover(const std::map<std::string, std::map<std::string, std::string>>& records);
  // One record more; recover() is nothing but all of them, and a check that none is missing.
  Status fold(const Record& record);
  [[nodiscard]] const Cluster* find_by_name(const std::string& name) const;
  // The frameworks whose label marks a reservation as ours.
  [[nodiscard]] std::set<FrameworkId> labels() const;
};

struct SchedulerConfig {
  std::string framework_name = "mysos";
  std::string role = "mysos";
  std::string principal = "mysos";
  std::string user = "root";             // containers run as; mysqld drops to its own
  std::string executor_command;          // "exec /path/mysos executor"
  Labels executor_env;
  std::string webui_url;
  std::string key_id;                    // which secret.key it is that encrypts the clusters' secrets
  std::string bind = "127.0.0.1";        // "" = the agent's address from the offer
  std::vector<VersionInfo> versions;     // what may be asked for; the first is the default
  EpochTimes times;
  Duration decline_for = std::chrono::hours(1);
  Duration orphan_grace = std::chrono::minutes(2);
  Duration order_deadline = std::chrono::seconds(10);
  Duration kill_grace = std::chrono::seconds(30);
  Duration relaunch_min = std::chrono::seconds(1);
  Duration relaunch_max = std::chrono::minutes(1);
  Duration implicit_reconcile = std::chrono::minutes(15);
};

namespace scheduler_input {
struct FromMesos { mesos::Event event; };
// An executor says who it is. The shell has looked at its secrets: how often the password was changed, or why they do not open.
struct Identified {
  AgentId agent;
  ExecutorId executor;
  MemberIdentity identity;
  std::uint64_t credentials = 0;
  std::string problem;
};
struct Reported { SharedValue<MemberReport> report; };  // a line of the member's watch stream
struct WatchLost { MemberId member; std::string why; };  // the stream ended or went silent; the shell tries again by itself
struct OrderDone { std::uint64_t order = 0; MemberId member; std::optional<Error> error; SharedValue<MemberReport> report; };
// The durable state was put back to an earlier one, as far as the shell can tell: every record may be old. The first input.
struct StatePutBack { std::string why; };
struct Tick {};
}  // namespace scheduler_input
using SchedulerInput =
    std::variant<scheduler_input::FromMesos, Command, scheduler_input::Identified, scheduler_input::Reported,
                 scheduler_input::WatchLost, scheduler_input::OrderDone, scheduler_input::StatePutBack, scheduler_input::Tick>;

struct SentOrder {
  std::uint64_t id = 0;
  MemberId member;
  Order order;
  Duration deadline{};
};
struct Reply {
  RequestId request;
  Result<ClusterId> result;
};
// A member whose executor the shell shall keep a watch stream to.
struct WatchTarget {
  MemberId member;
  ClusterId cluster;
  TaskId task;
  std::string ip;
  std::uint16_t api_port = 0;
  bool operator==(const WatchTarget&) const = default;
};
struct SchedulerOutput {
  std::vector<Record> records;
  std::vector<mesos::Call> calls;
  std::vector<SentOrder> orders;
  std::vector<Reply> replies;
  std::vector<Event> events;
  bool watches_changed = false;  // ask watch_targets() again
  bool resubscribe = false;      // as framework_info() says now, once the records are durable
};

// What the API shows of a cluster and its members; derived, never stored.
struct ClusterView {
  const Cluster* cluster = nullptr;
  ClusterState state = ClusterState::kCreating;
  std::vector<MemberView> members;  // in the order of cluster->members
  std::string waiting_for;
  std::size_t held_back = 0;  // replicas that may not acknowledge yet: their servers start again and again
};

// What carries our label and belongs to no member.
struct OrphanVolume {
  std::string id;  // of its reservation
  ClusterId cluster;
  std::string cluster_name;  // "" where its label does not say it
  MemberId member;
  AgentId agent;
  std::string hostname;
  VolumeId volume;  // "": a reservation without one
  Bytes disk{};
  OrphanFate fate = OrphanFate::kKept;
};
// A task of this framework whose cluster the state does not know. It is left alone.
struct UnknownTask {
  TaskId task;
  ClusterId cluster;
  std::string cluster_name;
  std::uint32_t index = 0;
  AgentId agent;
  mesos::TaskState state = mesos::TaskState::kStaging;
  bool identified = false;  // its executor has said who it is, so its cluster can be adopted
};
struct OrphansView {
  std::vector<OrphanVolume> volumes;
  std::vector<UnknownTask> tasks;
};

class SchedulerCore {
 public:
  SchedulerCore(SchedulerState recovered, SchedulerConfig config, Prng prng, Instant now);
  ~SchedulerCore();
  SchedulerCore(const SchedulerCore&) = delete;
  SchedulerCore& operator=(const SchedulerCore&) = delete;

  void step(const SchedulerInput& input, Instant now);
  SchedulerOutput take_output();
  [[nodiscard]] Instant next_deadline() const;

  [[nodiscard]] const SchedulerState& state() const;
  [[nodiscard]] mesos::FrameworkInfo framework_info() const;  // what to subscribe with
  [[nodiscard]] std::vector<WatchTarget> watch_targets() const;
  [[nodiscard]] std::vector<ClusterView> views(Instant now) const;
  [[nodiscard]] std::optional<ClusterView> view(const std::string& name, Instant now) const;
  [[nodiscard]] OrphansView orphans() const;
  [[nodiscard]] bool connected() const;  // subscribed to a Mesos master
  // Mesos has removed this framework: until a Register, only what reads is possible.
  [[nodiscard]] bool removed() const;
  // Why there is no subscription, as far as the master said it; "" = subscribed, or it said nothing.
  [[nodiscard]] const std::string& mesos_problem() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mysos
