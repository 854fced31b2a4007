// SPDX-License-Identifier: Apache-2.0
// The embedded Mesos against recorded exchanges with Apache Mesos 1.11. README.md says which, and
// which not and why.
#include "replay.h"

#include <signal.h>

#include "mesos/credential.h"

namespace mysos::conformance {
namespace {

// A recorded cluster: framework 0000 (and up) and agents S0, S1 of the master `run`.
struct Session {
  Replay replay;
  std::string run;
  explicit Session(std::string recorded_run) : run(std::move(recorded_run)) {
    for (std::size_t i = 0; i < 2; ++i) {
      replay.bind(run + "-S" + std::to_string(i), replay.mesos().agent(i).state().id.value);
      replay.bind("slave(1)@127.0.0.1:505" + std::to_string(i == 0 ? 1 : 2),
                  "slave(1)@127.0.0.1:" + std::to_string(replay.mesos().agent(i).port()));
    }
  }
  // The framework of this session; `also` are the same framework and agents in traces of other
  // recorded runs.
  void subscribe(const std::string& framework, const std::vector<std::string>& also = {}) {
    replay.subscribe("02-subscribe");
    ASSERT_TRUE(replay.loop.run_until([&] { return replay.events.size() >= 3; }));
    const auto& frameworks = replay.mesos().master().core().frameworks();
    ASSERT_EQ(frameworks.size(), 1u);
    replay.bind(run + "-" + framework, frameworks.begin()->first.value);
    for (const auto& other : also) {
      replay.bind(other + "-0000", frameworks.begin()->first.value);
      replay.bind(other + "-S0", replay.mesos().agent(0).state().id.value);
    }
    replay.events.clear();
  }
  void kill_executor(const std::string& id) {
    for (const auto& e : replay.mesos().agent(0).state().executors) {
      if (e.info.executor.value == id) ::kill(static_cast<pid_t>(e.pid), SIGKILL);
    }
  }
};
constexpr const char* kFirst = "2dd59ce1-d0b6-4ca0-8e0f-c3ba7ae507e1";
constexpr const char* kThird = "0344bcad-13e2-4b56-a0fa-679ed0e1a9a3";
constexpr const char* kSecond = "d08a04ae-f1a5-4acf-9d19-b5006d669333";

TEST(Conformance, RefusesTheSameRequests) {
  Session s(kFirst);
  for (const char* trace :
       {"01-error-accept-not-acceptable", "01-error-call-unknown-framework",
        "01-error-call-without-framework-id", "01-error-framework-id-mismatch",
        "01-error-get-method", "01-error-malformed-json", "01-error-no-content-type",
        "01-error-no-type", "01-error-not-found-path", "01-error-subscribe-missing-required",
        "01-error-subscribe-with-stream-id", "01-error-subscribe-without-body",
        "01-error-unknown-field", "01-error-unknown-type", "01-error-wrong-content-type"}) {
    s.replay.call(trace);
  }
  s.subscribe("0000");
  s.replay.call("03-error-no-stream-id");
  s.replay.call("03-error-wrong-stream-id");
}

TEST(Conformance, ASubscriptionBeginsTheSame) {
  Session s(kFirst);
  s.replay.subscribe("02-subscribe");
  s.replay.expect_events("02-subscribe");
}

TEST(Conformance, OffersOperationsAndATaskGoTheSame) {
  Session s(kFirst);
  s.subscribe("0000");
  s.replay.step("05-decline-unknown-offer");
  s.replay.step("04-decline");
  s.replay.step("06-decline-long");
  s.replay.step("06-suppress");
  s.replay.call("07-revive");
  s.replay.expect_events("07-revive");
  s.replay.step("08-accept-reserve");
  s.replay.call("09-error-acknowledge-operation-uuid-as-object");
  s.replay.step("11-accept-create");
  s.replay.step("12-accept-launch");
  s.replay.expect_events("13-acknowledge");
  s.replay.step("15-message");
  s.replay.step("16-reconcile-explicit");
  s.replay.step("17-reconcile-implicit");
  s.replay.step("17-kill-unknown-task");
  s.replay.call("18-kill");
  s.replay.expect_events("19-kill-updates");
}

TEST(Conformance, ExecutorsEndTheSame) {
  Session s(kSecond);
  s.subscribe("0000");
  s.replay.step("20-accept-reserve-create-launch");
  s.replay.step("22-message-fail");
  s.replay.step("23-relaunch-same-executor");
  s.replay.step("24-executor-exit-nonzero");
  s.replay.step("25-relaunch-new-executor");
  s.kill_executor("ex-1");
  s.replay.expect_events("26-executor-kill9");
  s.replay.step("27-relaunch");
}

TEST(Conformance, InvalidOperationsAndLaunchesEndTheSame) {
  Session s(kSecond);
  s.subscribe("0000");
  s.replay.step("20-accept-reserve-create-launch");
  s.kill_executor("ex-1");
  ASSERT_TRUE(
      s.replay.loop.run_until([&] { return s.replay.mesos().agent(0).state().tasks.empty(); }));
  s.replay.events.clear();
  for (const char* trace :
       {"32-bad-reserve-too-much", "32-bad-reserve-no-principal", "32-bad-reserve-other-role",
        "32-bad-reserve-without-allocation-info", "32-bad-reserve-undo", "32-bad-create-unreserved",
        "32-bad-create-duplicate-id", "32-bad-create-bad-path", "32-bad-launch-slash-in-id",
        "32-bad-launch-no-executor-or-command", "32-bad-reserve-then-fail-launch",
        "32-bad-launch-missing-binary", "33-bad-accept-stale-offer", "33-bad-ack-short-uuid",
        "33-bad-ack-unknown", "33-bad-message-unknown-executor", "34-unreserve-volume-fails",
        "35-destroy", "36-unreserve"}) {
    s.replay.step(trace);
  }
}

// A running task under the names that the third recorded run gave it.
void launch_as(Session& s, const std::string& task, const std::string& executor) {
  s.replay.step("20-accept-reserve-create-launch");
  s.replay.bind(task, "t-1");
  s.replay.bind(executor, "ex-1");
}

TEST(Conformance, AFailoverOfTheSchedulerGoesTheSame) {
  Session s(kThird);
  s.subscribe("0000", {kSecond});
  launch_as(s, "t-f1", "ex-1");
  s.replay.disconnect();
  s.replay.events.clear();
  s.replay.call("40-error-call-while-disconnected");
  s.replay.subscribe("41-failover-resubscribe");
  s.replay.expect_events("41-failover-resubscribe");
  s.replay.step("42-failover-reconcile");

  const auto old_call = load_trace("traces/43-error-call-on-old-stream.request.json");
  s.replay.bind(old_call.at("headers").at("Mesos-Stream-Id").as_string().c_str(),
                s.replay.stream_id());
  s.replay.subscribe("41-failover-resubscribe");
  s.replay.events.clear();
  s.replay.call("43-error-call-on-old-stream");
}

TEST(Conformance, ATornDownFrameworkEndsTheSame) {
  Session s(kThird);
  s.subscribe("0000");
  s.replay.step("58-teardown");
  s.replay.events.clear();
  s.replay.subscribe("59-error-subscribe-torn-down");
  s.replay.expect_events("59-error-subscribe-torn-down");
}

TEST(Conformance, ALostAgentComesBackTheSame) {
  Session s(kThird);
  s.subscribe("0000", {kSecond});
  s.replay.bind(std::string(kThird) + "-S1", s.replay.mesos().agent(0).state().id.value);
  launch_as(s, "t-b1", "ex-u");
  s.replay.loop.run(s.replay.mesos().stop_agent(0));
  s.replay.expect_events("47-agent-unreachable");
  s.replay.call("48-reconcile-unreachable");
  s.replay.expect_events("48-reconcile-unreachable");
  s.replay.call("48-kill-unreachable");
  s.replay.expect_events("48-kill-unreachable");
  ASSERT_TRUE(s.replay.mesos().start_agent(0));
  s.replay.expect_events("49-agent-returns", {"OFFERS"});  // another task ran there
}

TEST(Conformance, AnAgentMarkedGoneEndsTheSame) {
  Session s(kThird);
  s.subscribe("0000", {kSecond});
  launch_as(s, "t-b2", "ex-u2");
  const std::string agent = s.replay.mesos().agent(0).state().id.value;
  const auto request = load_trace("traces/56-operator-mark-agent-gone.request.json");
  s.replay.bind(request.at_pointer("/body/mark_agent_gone/agent_id/value").as_string().c_str(),
                agent);
  s.replay.call("56-operator-mark-agent-gone");
  s.replay.expect_events("56-operator-mark-agent-gone");
  s.replay.call("57-reconcile-gone");
  s.replay.expect_events("57-reconcile-gone");
}

TEST(Conformance, RefusesTheSameStrangers) {
  Session s(kFirst);
  const auto recorded = load_trace("traces/84-error-subscribe-other-principal.request.json");
  s.replay.bind(recorded.at_pointer("/headers/Authorization").as_string().c_str(),
                mesos::basic_authorization(s.replay.mesos().credential()));
  s.replay.as_stranger = true;
  for (const char* trace :
       {"84-error-subscribe-without-credential", "84-error-subscribe-wrong-secret",
        "84-error-subscribe-other-scheme", "84-error-subscribe-other-principal",
        "84-error-teardown-without-credential", "84-error-operator-without-credential",
        "84-error-get-without-credential", "84-error-not-found-without-credential"}) {
    s.replay.call(trace);
  }
  EXPECT_TRUE(s.replay.mesos().master().core().frameworks().empty());
}

TEST(Conformance, AnAgentRefusesTheSameExecutorCalls) {
  Session s(kThird);
  s.subscribe("0000", {kSecond});
  launch_as(s, "t-r", "ex-r");
  const auto request = load_trace("traces/63-executor-call-heartbeat.request.json");
  s.replay.bind(request.at_pointer("/body/framework_id/value").as_string().c_str(),
                s.replay.mesos().master().core().frameworks().begin()->first.value);
  for (const char* trace :
       {"63-executor-call-heartbeat", "63-executor-call-no-executor",
        "63-executor-call-no-framework", "63-executor-call-update-no-uuid",
        "63-executor-call-update-staging", "63-executor-call-update-wrong-source"}) {
    s.replay.call(trace);
  }
}

}  // namespace
}  // namespace mysos::conformance
