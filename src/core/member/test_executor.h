// SPDX-License-Identifier: Apache-2.0
#pragma once
// An executor for tests of MemberCore: its shell does at once what the core says, and tests look at what that was.
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "core/member/member_core.h"
#include "model/test_gtid.h"

namespace mysos {

class TestExecutor {
 public:
  explicit TestExecutor(bool relay_log_survives = true, MemberPromise promise = {}, bool secrets = true)
      : TestExecutor(config(relay_log_survives), std::move(promise), secrets) {}
  explicit TestExecutor(MemberConfig config, MemberPromise promise = {}, bool secrets = true)
      : core_(std::move(promise), std::move(config), secrets) {
    give(member_input::Tick{});
  }
  static MemberConfig config(bool relay_log_survives) {
    MemberConfig c;
    c.member = MemberId("c-0");
    c.relay_log_survives = relay_log_survives;
    return c;
  }
  virtual ~TestExecutor() = default;
  virtual MemberOutput give(const MemberInput& input) {
    core_.step(input, now);
    out = core_.take_output();
    if (out.promise) {
      EXPECT_GE(out.promise->pair, durable.pair) << "a promise never goes back";
      durable = *out.promise;
    }
    return out;
  }
  MemberOutput order(const Order& o) { return give(member_input::OrderGiven{++order_id, o}); }
  // mysqld is made and comes up, quiet.
  void start(const std::string& incarnation, ServerSnapshot seen = {}) {
    if (did(server_action::ReadRelay{})) {
      give(member_input::RelayRead{relay});
    } else if (report().server == ServerState::kPreparing) {
      give(member_input::DatadirReady{});
    }
    give(member_input::ServerUp{incarnation, "test", "1"});
    give(member_input::Snapshot{seen});
  }
  void end_plan(const ServerSnapshot& after) { give(member_input::PlanEnded{out.plan.value().id, std::nullopt, after}); }
  void fail_plan(const std::string& why, std::optional<ServerSnapshot> after = {}) {
    give(member_input::PlanEnded{out.plan.value().id, why, std::move(after)});
  }
  void make_primary(Pair pair = {1, 1}) {
    order(order::Promote{pair, 1, {}, {MemberId("c-1")}, {}});
    end_plan(serving());
  }
  static ServerSnapshot serving() {
    ServerSnapshot s;
    s.read_only = false;
    s.semi_sync_d = 1;
    return s;
  }
  MemberReport report() { return core_.report(); }
  [[nodiscard]] bool did(const ServerAction& action) const {
    return std::ranges::any_of(out.server, [&](const auto& a) { return a.index() == action.index(); });
  }
  [[nodiscard]] std::size_t step_index(const ServerStep& s) const {
    const auto& steps = out.plan.value().steps;
    return static_cast<std::size_t>(std::ranges::find(steps, s) - steps.begin());
  }
  // mysqld ends, and is about to be started again.
  void die() {
    give(member_input::ServerExited{"signal 9"});
    now += std::chrono::seconds(1);
    give(member_input::Tick{});
  }
  MemberCore& core() { return core_; }

  Instant now{};
  std::optional<GtidSet> relay = GtidSet{};  // what is left of the relay logs
  MemberPromise durable;
  MemberOutput out;
  std::uint64_t order_id = 0;

 private:
  MemberCore core_;
};

}  // namespace mysos
