// SPDX-License-Identifier: Apache-2.0
#pragma once
// A scheduler for tests of the embedded Mesos: a SchedulerClient, what it has heard, and the calls
// that tests make often. It acknowledges every update, remembers offers as they come and go.
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <deque>
#include <map>

#include "base/test_loop.h"
#include "local/local_mesos.h"
#include "mesos/scheduler_client.h"

namespace mysos::local {

class TestScheduler {
 public:
  TestScheduler(TestLoop& loop, const LocalMesos& mesos)
      : loop_(loop),
        client(
            loop.io.get_executor(), options_for(mesos), [this] { return info; },
            [this](const mesos::Event& e) { on(e); }, Prng(7)) {
    if (const passwd* me = ::getpwuid(::geteuid())) info.user = me->pw_name;
    info.name = "test";
    info.role = "mysos";
    info.principal = "mysos";
    info.failover_timeout_s = 600;
    info.checkpoint = true;
    info.capabilities = {"MULTI_ROLE", "RESERVATION_REFINEMENT", "PARTITION_AWARE",
                         "TASK_KILLING_STATE"};
  }

  static mesos::SchedulerClientOptions options_for(const LocalMesos& mesos) {
    mesos::SchedulerClientOptions options;
    options.masters = {mesos.master_endpoint()};
    options.authorization = mesos::basic_authorization(mesos.credential());
    options.backoff_first = std::chrono::milliseconds(5);
    options.backoff_most = std::chrono::milliseconds(50);
    return options;
  }

  void on(const mesos::Event& e) {
    events.push_back(e);
    if (const auto* s = std::get_if<mesos::Subscribed>(&e)) info.id = s->framework;
    if (std::holds_alternative<mesos::Disconnected>(e)) offers.clear();
    if (const auto* o = std::get_if<mesos::Offers>(&e)) {
      for (const auto& offer : o->offers) offers[offer.id] = offer;
    }
    if (const auto* r = std::get_if<mesos::Rescind>(&e)) offers.erase(r->offer);
    if (const auto* f = std::get_if<mesos::Failure>(&e)) failures.push_back(*f);
    if (const auto* m = std::get_if<mesos::ExecutorMessage>(&e)) messages.push_back(m->data);
    if (const auto* u = std::get_if<mesos::UpdateOperation>(&e)) {
      operations.push_back(*u);
      if (!u->uuid.empty())
        client.send(mesos::AcknowledgeOperation{u->operation, u->uuid, u->agent});
    }
    if (const auto* u = std::get_if<mesos::Update>(&e)) {
      updates.push_back(*u);
      if (!u->uuid.empty()) client.send(mesos::Acknowledge{*u->agent, u->task, u->uuid});
    }
  }

  // The newest state of a task, once it is `state`; nullptr when that does not happen.
  const mesos::Update* await_state(const std::string& task, mesos::TaskState state) {
    const mesos::Update* found = nullptr;
    loop_.run_until([&] {
      for (const auto& u : updates) {
        if (u.task.value == task && u.state == state) found = &u;
      }
      return found != nullptr;
    });
    return found;
  }
  // An offer of the agent (any: "") that has this much; takes it out of `offers`.
  std::optional<mesos::Offer> await_offer(std::int64_t cpus_milli, const AgentId& agent = {}) {
    std::optional<mesos::Offer> found;
    loop_.run_until([&] {
      for (const auto& [id, offer] : offers) {
        const bool fits =
            offer.resources.milli("cpus") >= cpus_milli && (agent.empty() || offer.agent == agent);
        if (fits && !found) found = offer;
      }
      return found.has_value();
    });
    if (found) offers.erase(found->id);
    return found;
  }

  TestLoop& loop_;
  mesos::FrameworkInfo info;
  std::deque<mesos::Event> events;
  std::deque<mesos::Update> updates;
  std::deque<mesos::UpdateOperation> operations;
  std::deque<mesos::Failure> failures;
  std::deque<std::string> messages;
  std::map<OfferId, mesos::Offer> offers;
  mesos::SchedulerClient client;
};

}  // namespace mysos::local
