// SPDX-License-Identifier: Apache-2.0
#include "scheduler/scheduler_loop.h"

#include <algorithm>
#include <iterator>

#include "base/clock.h"
#include "base/log.h"
#include "core/state/records.h"

namespace mysos {
namespace {
constexpr Logger kLog{"scheduler"};
constexpr Duration kLongestSleep = std::chrono::hours(1);
constexpr Duration kResubscribeAfter = std::chrono::seconds(5);
constexpr Duration kShortestSleep = std::chrono::milliseconds(1);

std::vector<RecordChange> changes_of(const std::vector<Record>& records) {
  std::vector<RecordChange> changes;
  for (const Record& record : records) {
    if (record.json) {
      changes.emplace_back(PutRecord{record.kind, record.key, *record.json});
    } else {
      changes.emplace_back(EraseRecord{record.kind, record.key});
    }
  }
  return changes;
}

bool has_places(const SchedulerState& state) {
  return std::ranges::any_of(state.clusters, [](const auto& entry) {
    return std::ranges::any_of(entry.second.members, [](const Member& m) { return m.granted.has_value(); });
  });
}

}  // namespace

SchedulerLoop::SchedulerLoop(asio::any_io_executor executor, const StateDir& state,
                             std::unique_ptr<RecordStore> store, std::unique_ptr<EventLog> log, SchedulerOptions options)
    : executor_(executor),
      state_(state),
      options_(std::move(options)),
      store_(std::move(store)),
      prng_(random_seed()),
      tasks_(executor),
      due_changed_(executor),
      decided_(executor),
      changed_(executor),
      events_(executor, std::move(log), [this](Reply reply) { answer(std::move(reply)); }, [this] { changed_.notify_all(); }) {}

SchedulerLoop::~SchedulerLoop() = default;

Status SchedulerLoop::start() {
  options_.core.key_id = state_.box().key_id();
  auto records = store_.begin();
  if (!records) return std::unexpected(std::move(records).error().with_context("read the state"));
  auto stored = read_state(*std::move(records));
  if (!stored) return std::unexpected(std::move(stored).error().with_context("understand the state of " + state_.path()));
  SchedulerState& recovered = stored->state;
  kLog.info("{} cluster(s) in the state of {}", recovered.clusters.size(), state_.path());

  MYSOS_TRY_VOID(check_key(recovered));
  MYSOS_TRY_VOID(take_framework(recovered));
  core_ = std::make_unique<SchedulerCore>(std::move(recovered), options_.core, prng_.fork(), steady_now());
  pipeline_.emplace(*core_);
  links_ = std::make_unique<MemberLinks>(
      tasks_,
      [this](SchedulerInput input) {
        if (const auto* done = std::get_if<scheduler_input::OrderDone>(&input)) metrics_.order_done(done->error);
        push(std::move(input));
      },
      [this](const ClusterId& cluster) { return secrets_of(cluster); },
      [this](const ClusterId& cluster) { return setup_of(cluster); }, prng_.fork());
  mesos_ = std::make_unique<mesos::SchedulerClient>(
      executor_, options_.mesos, [this] { return core_->framework_info(); },
      [this](mesos::Event event) { on_mesos(std::move(event)); }, prng_.fork());
  MYSOS_TRY_VOID(commit_first(std::move(stored->migration)));
  links_->watch(core_->watch_targets());
  mesos_->start();
  tasks_.spawn("scheduler", run());
  tasks_.spawn("store", carry_out_all());
  tasks_.spawn("events", events_.run());
  return {};
}

// Once this is durable, nobody can tell any more that the state was put back.
Status SchedulerLoop::commit_first(std::vector<Record> migration) {
  if (!options_.state_put_back.empty()) {
    core_->step(scheduler_input::StatePutBack{options_.state_put_back}, steady_now());
  }
  SchedulerOutput output = core_->take_output();
  if (!migration.empty()) {
    output.events.insert(output.events.begin(),
                         Event{.kind = EventKind::kStateMigrated,
                               .message = "the state of an older version, with " +
                                          std::to_string(core_->state().clusters.size()) +
                                          " cluster(s), was brought into the form of this version; the older one cannot read "
                                          "it any more"});
  }
  if (framework_taken_) migration.push_back(framework_record(core_->state()));
  output.records.insert(output.records.begin(), std::make_move_iterator(migration.begin()),
                        std::make_move_iterator(migration.end()));
  const std::vector<RecordChange> changes = changes_of(output.records);
  if (Status done = store_.commit_now(changes); !done) {
    return std::unexpected(std::move(done).error().with_context("write the state"));
  }
  if (Status done = events_.start(); !done) {
    return std::unexpected(std::move(done).error().with_context("read the event log"));
  }
  carry_out(std::move(output));
  return {};
}

// A key that opens nothing is not the one that closed it.
Status SchedulerLoop::check_key(const SchedulerState& recovered) const {
  bool some = false;
  for (const auto& [id, cluster] : recovered.clusters) {
    if (cluster.sealed_secrets.empty()) continue;  // adopted, and its members have not handed them over yet
    if (unseal(state_.box(), cluster.sealed_secrets)) return {};
    some = true;
  }
  if (!some) return {};
  return fail(Errc::kInvalid, state_.path() + "/secret.key is not the key that the passwords of the clusters in state.db were "
                                              "encrypted with; put the right file back from a backup");
}

// A state that was put back and does not know its framework would be registered as another one, which does not see what the
// first one reserved and started.
Status SchedulerLoop::take_framework(SchedulerState& recovered) {
  const std::string& given = options_.framework_id;
  if (given.empty()) {
    if (recovered.framework || !recovered.former.empty()) return {};
    if (!options_.state_put_back.empty() && !options_.state_only_moved) {
      return fail(Errc::kConflict, options_.state_put_back +
                                       ". This copy is of a time before the scheduler was registered with Mesos, so it does "
                                       "not know its framework: take a later copy, or name the framework with --framework-id "
                                       "(docs/operations.md)");
    }
    if (!has_places(recovered)) return {};
    return fail(Errc::kInvalid, "the state is damaged: its clusters have members on agents, and the record framework/state, "
                                "which says as which framework they were started, is missing. Put back a copy of the state, "
                                "or name the framework with --framework-id (docs/operations.md)");
  }
  if (recovered.framework == FrameworkId(given)) return {};
  if (recovered.framework) {
    return fail(Errc::kConflict, "the state is that of the framework " + recovered.framework->value + "; --framework-id " +
                                     given + " goes with a state that knows none");
  }
  recovered.framework = FrameworkId(given);
  framework_taken_ = true;
  return {};
}

asio::awaitable<void> SchedulerLoop::stop() {
  if (mesos_) co_await mesos_->stop();
  if (links_) links_->close();
  for (auto& [id, waiting] : waiting_) {
    waiting->result = fail(Errc::kUnavailable, "the scheduler is stopping; the outcome is unknown");
    waiting->answered.notify_all();
  }
  co_await tasks_.cancel_and_join();
  changed_.notify_all();
}

asio::awaitable<void> SchedulerLoop::run() {
  while (true) {
    const Instant now = steady_now();
    const Instant due = pipeline_->due();
    if (due > now) {
      co_await due_changed_.wait_for(due == kNever ? kLongestSleep : std::clamp(due - now, kShortestSleep, kLongestSleep));
      continue;
    }
    pipeline_->decided(pipeline_->decide(now), now);
    decided_.notify_all();
    changed_.notify_all();
    co_await asio::post(executor_, asio::use_awaitable);  // others of this thread take their turn
  }
}

asio::awaitable<void> SchedulerLoop::carry_out_all() {
  while (true) {
    while (pipeline_->commit() == nullptr) co_await decided_.wait();
    const std::vector<Record>& records = pipeline_->commit()->output.records;
    if (!records.empty() && !co_await make_durable(changes_of(records))) co_return;
    carry_out(pipeline_->durable(steady_now()));
    changed_.notify_all();
    due_changed_.notify_all();
  }
}

std::string SchedulerLoop::store_trouble() const { return pipeline_->store_trouble(steady_now()); }

// False: this scheduler was deposed, and nothing of the output may leave.
asio::awaitable<bool> SchedulerLoop::make_durable(std::vector<RecordChange> changes) {
  while (true) {
    const Instant begun = steady_now();
    const auto committed = co_await store_.commit(changes);
    if (committed) {
      metrics_.committed(static_cast<double>((steady_now() - begun).count()) / 1e6);
      co_return true;
    }
    const std::string& why = committed.error().message;
    if (committed.error().code == Errc::kFenced) {
      fatal_ = why;
      changed_.notify_all();
      co_return false;
    }
    metrics_.commit_failed();
    kLog.error("the state cannot be stored, decisions wait: {}", why);
    const Duration pause = pipeline_->refused(why);
    changed_.notify_all();
    due_changed_.notify_all();
    co_await sleep_for(pause);
  }
}

void SchedulerLoop::carry_out(SchedulerOutput output) {
  metrics_.sent(output);
  for (const Event& event : output.events) {
    const std::string cluster = event.cluster.empty() ? "" : " " + event.cluster;
    const std::string member = event.member.empty() ? "" : " " + event.member;
    const std::string by = event.by ? " (by " + to_string(*event.by) + ")" : "";
    const std::string line = fmt::format("{}{}{}: {}{}", enum_text(event.kind), cluster, member, event.message, by);
    is_alarm(event.kind) ? kLog.warn("{}", line) : kLog.info("{}", line);
    if (event.kind == EventKind::kFrameworkDismissed) fatal_ = event.message;
  }
  for (mesos::Call& call : output.calls) mesos_->send(std::move(call));
  if (output.resubscribe) mesos_->resubscribe();
  if (output.watches_changed) links_->watch(core_->watch_targets());
  for (SentOrder& order : output.orders) links_->send(std::move(order));
  events_.add(output.events, std::move(output.replies));
}

void SchedulerLoop::answer(Reply reply) {
  const auto found = waiting_.find(reply.request);
  if (found == waiting_.end()) return;
  found->second->result = std::move(reply.result);
  found->second->answered.notify_all();
}

asio::awaitable<void> SchedulerLoop::resubscribe_later() {
  co_await sleep_for(kResubscribeAfter);
  // A framework that was removed stays away until it is registered again.
  if (fatal_.empty() && !core_->removed() && !mesos_->subscribed()) mesos_->resubscribe();
}

void SchedulerLoop::push(LoopInput input) {
  if (!pipeline_->push(std::move(input))) return metrics_.dropped_input();
  due_changed_.notify_all();
}

void SchedulerLoop::on_mesos(mesos::Event event) {
  metrics_.saw_mesos_event(event);
  if (std::holds_alternative<mesos::Heartbeat>(event)) return;  // the client minds them
  // Whether it is final is the core's to say; where it is not, the client waits to be told to come back.
  if (const auto* error = std::get_if<mesos::MasterError>(&event)) {
    kLog.error("the Mesos master says: {}", error->message);
    tasks_.spawn("resubscribe", resubscribe_later());
  }
  if (const auto* offers = std::get_if<mesos::Offers>(&event)) {
    for (const mesos::Offer& offer : offers->offers) {
      agents_[offer.agent] =
          AgentView{offer.agent, offer.hostname, offer.ip, wall_now(), offer.resources, {}};
    }
  }
  if (const auto* message = std::get_if<mesos::ExecutorMessage>(&event)) return on_message(*message);
  if (!pipeline_->push_mesos(std::move(event))) {
    metrics_.dropped_input();
    mesos_->resubscribe();
  }
  due_changed_.notify_all();
}

}  // namespace mysos
