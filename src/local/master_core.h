// SPDX-License-Identifier: Apache-2.0
#pragma once
// The brain of the embedded Mesos master, and the simulator's one model of Mesos: the v1 scheduler
// API as Apache Mesos 1.11 behaves (docs and measurements in tests/conformance), narrowed to what
// model/mesos.h says and to frameworks with the capabilities MULTI_ROLE, RESERVATION_REFINEMENT and
// PARTITION_AWARE. Pure: no I/O, clock, thread or randomness; the same inputs give the same
// outputs. Invariants: resources of a connected agent = free + offered + held by tasks and
// executors; at most one stream per framework; the updates of a task leave in order, each until it
// is acknowledged. Where it differs from Apache Mesos: frameworks are remembered over a restart of
// the master (so a removed one stays removed), and it resends updates itself instead of its agents.
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/time.h"
#include "local/agent_messages.h"
#include "local/registry.h"
#include "model/mesos.h"

namespace mysos::local {

using StreamId = StrongId<struct StreamIdTag>;  // one SUBSCRIBE connection: the Mesos-Stream-Id

// ---- inputs ----
struct SubscribeFramework {
  StreamId stream;
  mesos::FrameworkInfo info;
};
struct StreamClosed {
  StreamId stream;
};
struct FrameworkCall {
  FrameworkId framework;
  mesos::Call call;
};  // check_call() first; not a Subscribe
struct MarkAgentGone {
  AgentId agent;
};
struct TeardownFramework {
  FrameworkId framework;
};
struct Tick {};
using MasterInput =
    std::variant<Tick, SubscribeFramework, StreamClosed, FrameworkCall, RegisterAgent,
                 AgentDisconnected, AgentUpdate, AgentOperationUpdate, ExecutorEnded, ExecutorSaid,
                 MarkAgentGone, TeardownFramework>;

// ---- outputs ----
struct ToFramework {
  StreamId stream;
  FrameworkId framework;
  mesos::Event event;
};
struct ToAgent {
  AgentId agent;
  AgentMessage message;
};
struct MasterOutput {
  std::optional<Registry> persist;  // 1. durable before anything below leaves
  std::vector<ToFramework> events;  // 2. in order per stream
  std::vector<StreamId> closed;     //    streams that end after their events
  std::vector<ToAgent> agents;      //    in order per agent
};

struct MasterOptions {
  Duration heartbeat = std::chrono::seconds(15);
  Duration allocation_interval = std::chrono::seconds(1);
  Duration allocation_delay = std::chrono::milliseconds(3);  // from an event to its offers
  Duration agent_timeout = std::chrono::seconds(75);         // from a lost link to TASK_UNREACHABLE
  Duration agent_reregister_timeout = std::chrono::minutes(10);  // after a start of the master
  Duration resend_first = std::chrono::seconds(10);
  Duration resend_most = std::chrono::minutes(10);
};

struct CallRefusal {
  int status = 0;
  std::string text;
};

class MasterCore {
 public:
  // ---- what the operator API and tests may read ----
  struct Task {
    mesos::TaskInfo info;
    mesos::TaskState state = mesos::TaskState::kStaging;
    bool unreachable = false;
    std::deque<mesos::Update> pending;  // the front one has been sent
    Instant resend_at = kNever;
    Duration backoff{};
  };
  struct OperationEntry {
    mesos::UpdateOperation status;
    Instant resend_at = kNever;
    Duration backoff{};
  };
  struct Filter {
    AgentId agent;
    Resources refused;
    Instant until;
  };
  struct Framework {
    mesos::FrameworkInfo info;
    std::optional<StreamId> stream;
    bool suppressed = false;
    std::vector<Filter> filters;
    Instant heartbeat_at = kNever;
    Instant remove_at = kNever;
    std::map<TaskId, Task> tasks;
    std::map<OperationId, OperationEntry> operations;
  };
  enum class Link { kRecovered, kConnected, kDisconnected, kUnreachable, kGone };
  struct Agent {
    AgentInfo info;
    Link link = Link::kRecovered;
    Instant lost_at = kNever;  // when it becomes unreachable
    Resources total;
    std::map<std::pair<FrameworkId, TaskId>, Resources> held;  // by tasks that may be running
    std::map<std::pair<FrameworkId, ExecutorId>, mesos::TaskInfo> executors;
  };
  struct OutstandingOffer {
    FrameworkId framework;
    AgentId agent;
    std::string role;
    Resources resources;  // allocated
  };

  // `master_id` must differ from run to run: it is part of every id the master gives.
  MasterCore(Registry recovered, MasterOptions options, std::string master_id, Instant now);

  void step(const MasterInput& input, Instant now);
  MasterOutput take_output();
  [[nodiscard]] Instant next_deadline() const;

  // What the master answers to a call (not a SUBSCRIBE) before it looks into it; nullopt: 202.
  // `stream` may be empty.
  [[nodiscard]] std::optional<CallRefusal> check_call(const FrameworkId& framework,
                                                      const StreamId& stream) const;

  [[nodiscard]] const std::string& master_id() const { return master_id_; }
  [[nodiscard]] const MasterOptions& options() const { return options_; }
  [[nodiscard]] const std::map<FrameworkId, Framework>& frameworks() const { return frameworks_; }
  [[nodiscard]] const std::map<AgentId, Agent>& agents() const { return agents_; }
  [[nodiscard]] const std::map<OfferId, OutstandingOffer>& offers() const { return offers_; }
  [[nodiscard]] Resources free_of(const AgentId& agent) const;  // neither offered nor held

 private:
  struct Acceptance;  // an ACCEPT under way

  // frameworks (master_core.cc)
  void on(const Tick&) {}
  void on(const SubscribeFramework& in);
  void on(const StreamClosed& in);
  void on(const FrameworkCall& in);
  void on(const TeardownFramework& in) { remove_framework(in.framework); }
  void disconnect_framework(Framework& framework);
  void remove_framework(const FrameworkId& id);
  void run_timers();
  void send(Framework& framework, mesos::Event event);
  void persist() { persist_ = true; }

  // calls (master_calls.cc, master_accept.cc)
  void on_call(Framework& f, const mesos::Subscribe&) { (void)f; }
  void on_call(Framework& f, const mesos::Accept& call);
  void on_call(Framework& f, const mesos::Decline& call);
  void on_call(Framework& f, const mesos::Revive&);
  void on_call(Framework& f, const mesos::Suppress&) { f.suppressed = true; }
  void on_call(Framework& f, const mesos::Kill& call);
  void on_call(Framework& f, const mesos::Shutdown& call);
  void on_call(Framework& f, const mesos::Acknowledge& call);
  void on_call(Framework& f, const mesos::AcknowledgeOperation& call);
  void on_call(Framework& f, const mesos::Reconcile& call);
  void on_call(Framework& f, const mesos::ReconcileOperations& call);
  void on_call(Framework& f, const mesos::Message& call);
  void on_call(Framework& f, const mesos::Teardown&) { remove_framework(*f.info.id); }
  void reconcile_task(Framework& f, const TaskId& task, const std::optional<AgentId>& agent);
  [[nodiscard]] mesos::UpdateOperation reconciled_operation(
      const Framework& f, const OperationId& operation, const std::optional<AgentId>& agent) const;
  void drop_invalid(Framework& f, const mesos::Accept& call, const std::string& why);
  void run_operation(Framework& f, Acceptance& acceptance, const mesos::Operation& operation);
  void launch(Framework& f, Acceptance& acceptance, const mesos::TaskInfo& task);
  [[nodiscard]] std::optional<std::string> task_refusal(const Framework& f,
                                                        const Acceptance& acceptance,
                                                        const mesos::TaskInfo& task) const;

  // agents and updates (master_agents.cc)
  void on(const RegisterAgent& in);
  void on(const AgentDisconnected& in);
  void on(const AgentUpdate& in);
  void on(const AgentOperationUpdate& in);
  void on(const ExecutorEnded& in);
  void on(const ExecutorSaid& in);
  void on(const MarkAgentGone& in);
  void adopt_tasks(const AgentId& id, Agent& agent, const RegisterAgent& in,
                   const std::string& greeting);
  void adopt_operations(const AgentId& id, const RegisterAgent& in);
  void drop_agent(const AgentId& id, Agent& agent, mesos::TaskState state);
  void agent_unreachable(const AgentId& id, Agent& agent);
  void send_front(Framework& f, Task& task);
  void tell(const AgentId& agent, AgentMessage message);
  Framework& framework_or_placeholder(const FrameworkId& id, const mesos::TaskInfo& task);

  // offers (master_allocate.cc)
  void allocate();
  void allocate_soon();
  void allocate_at_interval(Instant earliest);
  [[nodiscard]] std::vector<FrameworkId> by_share() const;
  void make_offers(const AgentId& id, Resources& free, Framework& f,
                   std::vector<mesos::Offer>& into);
  [[nodiscard]] Instant filtered_until(const Framework& f, const AgentId& agent,
                                       const Resources& resources) const;
  void add_filter(Framework& f, const AgentId& agent, const Resources& refused, Duration refuse);
  void withdraw_offers(const AgentId& agent, bool rescind);

  MasterOptions options_;
  std::string master_id_;
  Registry registry_;
  Instant start_;
  Instant now_;
  Instant allocate_at_ = kNever;
  std::uint64_t next_offer_ = 0;
  std::map<FrameworkId, Framework> frameworks_;
  std::map<AgentId, Agent> agents_;
  std::map<OfferId, OutstandingOffer> offers_;
  bool persist_ = false;
  MasterOutput out_;
};

// The update the master itself makes: no uuid, SOURCE_MASTER.
mesos::Update master_update(const TaskId& task, mesos::TaskState state, std::string reason,
                            std::string message);

}  // namespace mysos::local
