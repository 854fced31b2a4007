// SPDX-License-Identifier: Apache-2.0
#pragma once
// The scheduler's shell. It takes inputs from Mesos, members and the API, and carries out the core's output in the order of the
// contract (core/state/scheduler_output.h): records into the store, then calls to Mesos and orders to members, events into the
// log, then answers. core/pipeline/scheduler_pipeline.h decides what waits, what makes one commit, when the core continues and
// what may be sent. This class does the I/O.
//
// While the state cannot be stored, the core still takes inputs. So views and metrics show the present state, ahead of the
// store, and health() and each cluster's waiting_for say that nothing can be stored. Requests get kUnavailable by their
// deadline. Clusters keep serving; decisions wait. If another scheduler began a later term in the store, this scheduler ends:
// fatal(). Belongs to the thread of the io_context; store and log have threads of their own.
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "api/control.h"
#include "base/task_group.h"
#include "core/pipeline/scheduler_pipeline.h"
#include "mesos/scheduler_client.h"
#include "scheduler/event_writer.h"
#include "scheduler/loop_metrics.h"
#include "scheduler/member_links.h"
#include "scheduler/state_dir.h"
#include "scheduler/store_worker.h"

namespace mysos {

inline constexpr std::size_t kMaxWaitingRequests = 256;

struct SchedulerOptions {
  SchedulerConfig core;
  mesos::SchedulerClientOptions mesos;
  Duration request_deadline = std::chrono::seconds(10);
  std::string framework_id = {};  // of a state that does not know its framework
  std::string state_put_back = {};  // why the state may be an old copy (marked_store.h), "" = it is not
  bool state_only_moved = false;  // ... only the directory was moved or copied
};

class SchedulerLoop final : public Control {
 public:
  // The caller opens store and log, in the state directory; `state` holds its lock and outlives the loop.
  SchedulerLoop(asio::any_io_executor executor, const StateDir& state, std::unique_ptr<RecordStore> store,
                std::unique_ptr<EventLog> log, SchedulerOptions options);
  ~SchedulerLoop() override;

  // Recovers the state (blocking) and starts the loop.
  Status start();
  // Members keep running. After the next start, the core decides again what was not carried out.
  asio::awaitable<void> stop();
  // Why the scheduler must end (another scheduler acts for this framework, or began a later term of the store); "" = it need
  // not. changed() is notified.
  [[nodiscard]] const std::string& fatal() const { return fatal_; }

  [[nodiscard]] std::vector<ClusterView> clusters() override;
  [[nodiscard]] std::optional<ClusterView> cluster(const std::string& name) override;
  [[nodiscard]] const std::vector<VersionInfo>& versions() const override {
    return options_.core.versions;
  }
  [[nodiscard]] std::vector<AgentView> agents() override;
  [[nodiscard]] OrphansView orphans() override { return core_->orphans(); }
  asio::awaitable<Result<ClusterId>> command(Caller caller, std::string name, command::Any what) override;
  asio::awaitable<Result<CreatedCluster>> create(Caller caller, CreateRequest request) override;
  asio::awaitable<Result<Credentials>> credentials(Caller caller, std::string name) override;
  asio::awaitable<Result<Credentials>> change_credentials(Caller caller, std::string name, CredentialsChange change) override;
  Result<bool> is_password_of(const std::string& name, const std::string& password) override;
  asio::awaitable<Result<std::vector<StoredEvent>>> events(EventQuery query) override;
  asio::awaitable<Result<ClusterId>> newest_named(std::string name) override;
  [[nodiscard]] std::uint64_t last_event_seq() const override { return events_.last_seq(); }
  Signal& changed() override { return changed_; }
  [[nodiscard]] Health health() const override;
  [[nodiscard]] std::string metrics() override;

 private:
  struct Waiting {
    explicit Waiting(const asio::any_io_executor& executor) : answered(executor) {}
    Signal answered;
    std::optional<Result<ClusterId>> result;
  };

  Status commit_first(std::vector<Record> migration);
  asio::awaitable<void> run();
  [[nodiscard]] Status check_key(const SchedulerState& recovered) const;
  Status take_framework(SchedulerState& recovered);
  asio::awaitable<void> carry_out_all();
  [[nodiscard]] std::string store_trouble() const;  // "" = commits are stored
  ClusterView told(ClusterView view) const;
  asio::awaitable<bool> make_durable(std::vector<RecordChange> changes);
  void answer(Reply reply);
  void carry_out(SchedulerOutput output);
  asio::awaitable<void> resubscribe_later();
  void push(LoopInput input);
  void on_mesos(mesos::Event event);
  void on_message(const mesos::ExecutorMessage& message);
  asio::awaitable<Result<ClusterId>> ask(RequestId request, LoopInput input);
  RequestId next_request();
  Result<ClusterSecrets> secrets_of(const ClusterId& cluster) const;
  Result<ClusterSecrets> secrets_of(const std::string& name) const;
  Result<json::object> setup_of(const ClusterId& cluster) const;

  asio::any_io_executor executor_;
  const StateDir& state_;
  SchedulerOptions options_;
  StoreWorker store_;
  LoopMetrics metrics_;
  Prng prng_;
  TaskGroup tasks_;
  Signal due_changed_;  // an input came, or a commit ended or was refused
  Signal decided_;
  Signal changed_;
  EventWriter events_;
  std::unique_ptr<SchedulerCore> core_;
  std::optional<SchedulerPipeline> pipeline_;  // since start()
  std::unique_ptr<mesos::SchedulerClient> mesos_;
  std::unique_ptr<MemberLinks> links_;
  std::map<RequestId, Waiting*> waiting_;
  std::uint64_t next_request_ = 1;
  std::string fatal_;
  bool framework_taken_ = false;  // ... as options_.framework_id, and not stored yet
  std::map<AgentId, AgentView> agents_;
};

}  // namespace mysos
