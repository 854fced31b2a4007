// SPDX-License-Identifier: Apache-2.0
#include "core/scenario/scheduler_scenario.h"

#include <algorithm>

#include "base/assert.h"

namespace mysos::scenario {

// ---- members ----

ObedientMember::ObedientMember(MemberId member, TaskId task) {
  now.member = std::move(member);
  now.task = task;
  now.executor = "process-of-" + task.value;
  now.server = ServerState::kRunning;
  now.incarnation = "1";
  now.led = 0;
}

MemberReport ObedientMember::beat() {
  ++now.seq;
  return now;
}

MemberReport ObedientMember::obey(const Order& order) {
  if (std::holds_alternative<order::Setup>(order)) now.has_secrets = true;
  if (const auto* meet = std::get_if<order::Meet>(&order)) now.peers = meet->peers;
  if (const auto* fence = std::get_if<order::Fence>(&order)) {
    now.promised = fence->pair;
    now.role = MemberRole::kFenced;
    now.writable = now.receiver_running = now.receiver_connected = now.acking = now.user_ready = false;
    now.semi_sync_d = now.source_silent_ms = 0;
    now.source.reset();
  }
  if (const auto* promote = std::get_if<order::Promote>(&order)) {
    now.promised = promote->pair;
    now.led = promote->pair.epoch;
    now.role = MemberRole::kPrimary;
    now.writable = now.user_ready = true;
    now.semi_sync_d = promote->d;
    now.semi_sync_clients = static_cast<std::uint32_t>(promote->replicas.size());
  }
  if (const auto* follow = std::get_if<order::Follow>(&order)) {
    now.promised = follow->pair;
    now.role = MemberRole::kReplica;
    now.source = follow->source;
    now.receiver_running = now.receiver_connected = now.applier_running = true;
    now.acking = follow->acking;
    now.lag_ms = 0;
    if (!follow->source_executed.contains(now.executed)) {
      now.role = MemberRole::kErrant;
      now.receiver_running = now.receiver_connected = now.acking = false;
    } else {
      now.executed = now.received = follow->source_executed;
    }
  }
  if (const auto* rebuild = std::get_if<order::Rebuild>(&order); rebuild != nullptr && rebuild->generation == now.generation) {
    now.promised = rebuild->pair;
    now.role = MemberRole::kIdle;
    now.executed = now.received = GtidSet();
    ++now.generation;
    now.data_server_id = rebuild->server_id;
  }
  return beat();
}

// ---- the scenario ----

Scenario::Scenario(int agents, std::uint64_t seed) : seed_(seed) {
  for (int i = 1; i <= agents; ++i) mesos.add_agent(std::to_string(i), 4, 4096, 20480);
  start();
}

SchedulerConfig Scenario::config() {
  SchedulerConfig c;
  c.executor_command = "exec mysos executor";
  c.bind = "";
  c.versions = {{"mysql-9.7", Flavour::kMysql, mib(512)}, {"mariadb-10.11", Flavour::kMariadb, mib(256)}};
  c.orphan_grace = minutes(2);
  c.key_id = "key";
  return c;
}

ClusterSpec Scenario::spec(const std::string& name, std::uint32_t members_) const {
  ClusterSpec s;
  s.name = name;
  s.members = members_;
  return s;
}

void Scenario::start() {
  auto recovered = SchedulerState::recover(records);
  ASSERT_TRUE(recovered) << recovered.error().message;
  mesos.disconnect();
  heard_.clear();
  core = std::make_unique<SchedulerCore>(*std::move(recovered), config(), Prng(seed_++), now);
  mesos.subscribe();
}

void Scenario::give(const SchedulerInput& input) {
  core->step(input, now);
  SchedulerOutput out = core->take_output();
  if (watch) watch(input, out);
  carry_out(std::move(out));
}

void Scenario::carry_out(SchedulerOutput out) {
  for (const Record& r : out.records) {
    if (r.json) {
      records[r.kind][r.key] = *r.json;
    } else {
      records[r.kind].erase(r.key);
    }
  }
  const auto folded = SchedulerState::recover(records);
  ASSERT_TRUE(folded);
  ASSERT_TRUE(*folded == core->state()) << "the state is not the fold of its records";
  events.insert(events.end(), out.events.begin(), out.events.end());
  if (!out.calls.empty() || !out.orders.empty() || !out.replies.empty()) {
    ++outputs;
    if (dies_after && outputs > *dies_after) {
      dies_after.reset();
      for (std::size_t i = 0; i < out.calls.size() && i < calls_before_death; ++i) mesos.call(out.calls[i]);
      return start();
    }
  }
  if (out.resubscribe) mesos.subscribe();
  if (!lose_calls) {
    for (const mesos::Call& c : out.calls) {
      if (!lose_accepts || !std::holds_alternative<mesos::Accept>(c)) mesos.call(c);
    }
  }
  orders.insert(orders.end(), out.orders.begin(), out.orders.end());
  replies.insert(replies.end(), out.replies.begin(), out.replies.end());
}

Result<ClusterId> Scenario::create(const std::string& name, std::uint32_t members_) { return create(spec(name, members_)); }

Result<ClusterId> Scenario::ask(const std::string& name, command::Any what) {
  replies.clear();
  give(Command{RequestId("ask"), Caller{"admin", "10.0.0.7"}, name, std::move(what)});
  return replies.empty() ? fail(Errc::kTimeout, "no reply") : replies.back().result;
}
Result<ClusterId> Scenario::create(ClusterSpec spec) {
  const std::string name = spec.name;
  return ask(name, command::Create{std::move(spec), "sealed", "hash", WallTime{1}});
}
Result<ClusterId> Scenario::remove(const std::string& name) { return ask(name, command::Delete{}); }
Result<ClusterId> Scenario::switch_over(const std::string& name, std::optional<MemberId> to) {
  return ask(name, command::Switchover{std::move(to)});
}
Result<ClusterId> Scenario::adopt(const std::string& name_or_id, const std::string& as) {
  return ask("", command::Adopt{name_or_id, as});
}

void Scenario::answer_messages() {
  for (const mesos::Message& message : std::exchange(mesos.messages, {})) {
    const auto task = mesos.tasks.find(TaskId(message.executor.value));
    const bool lives = task != mesos.tasks.end() && !mesos::is_terminal(task->second.state);
    if (!executors_answer || !lives || message.data != kIdentify) continue;
    auto spec = from_json_text<MemberSpec>(task->second.info.data);
    ASSERT_TRUE(spec) << spec.error().message;
    give(scheduler_input::Identified{message.agent, message.executor, {*std::move(spec), keep_sealed}, keep_credentials,
                                     keep_problem});
  }
}

void Scenario::tend_members() {
  for (const WatchTarget& target : core->watch_targets()) {
    const auto task = mesos.tasks.find(target.task);
    if (task == mesos.tasks.end() || mesos::is_terminal(task->second.state)) continue;
    const auto known = members.find(target.member);
    if (known != members.end() && known->second.now.task == target.task) {
      const bool reports = report_to_each && !known->second.silent;
      if (reports && heard_.insert(target.member).second) give(scheduler_input::Reported{known->second.beat()});
      continue;
    }
    heard_.insert(target.member);
    members.erase(target.member);
    auto& fresh = members.emplace(target.member, ObedientMember(target.member, target.task)).first->second;
    fresh.now.data_server_id = from_json_text<MemberSpec>(task->second.info.data).value_or(MemberSpec{}).server_id;
    give(scheduler_input::Reported{fresh.beat()});
  }
  for (const SentOrder& sent : std::exchange(orders, {})) {
    const auto member = members.find(sent.member);
    if (member == members.end()) continue;
    if (member->second.silent) {
      const Error none{Errc::kTimeout, "no answer", {}};
      give(scheduler_input::OrderDone{sent.id, sent.member, none, {}});
      continue;
    }
    const MemberReport report = member->second.obey(sent.order);
    give(scheduler_input::OrderDone{sent.id, sent.member, std::nullopt, report});
  }
}

bool Scenario::step_once(Instant until) {
  if (members_live_) tend_members();
  answer_messages();
  if (auto event = mesos.next_event()) {
    give(scheduler_input::FromMesos{*std::move(event)});
    return true;
  }
  if (members_live_ && !orders.empty()) return true;
  const Instant at = core->next_deadline();
  if (at > until) return false;
  now = std::max(now + Duration(1), at);
  give(scheduler_input::Tick{});
  return true;
}

void Scenario::run_for(Duration duration) {
  const Instant until = now + duration;
  for (int steps = 0; step_once(until); ++steps) ASSERT_LT(steps, 20'000) << "it never comes to rest";
  now = std::max(now, until);
}

void Scenario::run_until(const std::function<bool()>& done, Duration at_most) {
  const Instant until = now + at_most;
  for (int steps = 0; !done(); ++steps) {
    ASSERT_LT(steps, 20'000) << "it never comes to rest";
    if (!step_once(until)) {
      FAIL() << "it did not happen in time";
    }
  }
}

const Cluster& Scenario::cluster(const std::string& name) const {
  const Cluster* found = core->state().find_by_name(name);
  MYSOS_ASSERT(found != nullptr, "the test names a cluster that exists");
  return *found;
}
const Member& Scenario::member(const std::string& name, std::size_t index) const { return cluster(name).members.at(index); }
ClusterView Scenario::view(const std::string& name) const { return core->view(name, now).value(); }
bool Scenario::all_running(const std::string& name) const {
  const Cluster* found = core->state().find_by_name(name);
  return found != nullptr &&
         std::ranges::all_of(found->members, [](const Member& m) { return m.stage == MemberStage::kRunning; });
}
bool Scenario::told(EventKind kind) const { return times_told(kind) > 0; }
std::size_t Scenario::times_told(EventKind kind) const {
  return static_cast<std::size_t>(std::ranges::count(events, kind, &Event::kind));
}

Scenario a_healthy_cluster(std::uint32_t members_) {
  Scenario s(std::max(3, static_cast<int>(members_)));
  s.let_members_live();
  EXPECT_TRUE(s.create("shop", members_));
  s.run_until([&] { return s.view("shop").state == ClusterState::kHealthy; }, seconds(60));
  return s;
}

}  // namespace mysos::scenario
