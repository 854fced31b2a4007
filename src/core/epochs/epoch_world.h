// SPDX-License-Identifier: Apache-2.0
#pragma once
// A cluster as the planner of epochs sees it, for its tests: all in place, until a test says otherwise.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "core/epochs/planner.h"
#include "model/test_gtid.h"

namespace mysos {

inline MemberId id(int i) { return MemberId("c-" + std::to_string(i)); }

// A cluster with member 0 as primary of epoch 3 and everybody else following and acknowledging.
class EpochWorld {
 public:
  explicit EpochWorld(int members, Flavour flavour = Flavour::kMysql) {
    cluster.spec.flavour = flavour;
    cluster.epoch.pair = {3, 1};
    cluster.epoch.mode = members > 1 ? EpochMode::kNormal : EpochMode::kSolo;
    cluster.epoch.primary = id(0);
    cluster.epoch.floor = gtid("0-1-4");
    for (int i = 0; i < members; ++i) {
      if (i > 0) cluster.epoch.ackers.insert(id(i));
      MemberView v;
      v.id = id(i);
      v.host = "127.0.0.1";
      v.source_port = static_cast<std::uint16_t>(4000 + i);
      v.launched = v.connected = true;
      v.last_seen = now;
      v.report = MemberReport{};
      MemberReport& r = *v.report;
      r.member = v.id;
      r.promised = cluster.epoch.pair;
      r.server = ServerState::kRunning;
      r.executed = r.received = gtid("0-1-9");
      if (i == 0) {
        r.role = MemberRole::kPrimary;
        r.writable = r.user_ready = true;
        r.semi_sync_d = members > 1 ? 1 : 0;
        r.semi_sync_clients = static_cast<std::uint32_t>(members - 1);
      } else {
        follow(r);
      }
      views.push_back(std::move(v));
    }
  }
  void follow(MemberReport& r, bool acking = true) {
    r.role = MemberRole::kReplica;
    r.source = id(0);
    r.receiver_running = r.receiver_connected = r.applier_running = true;
    r.acking = acking;
  }
  MemberReport& r(int i) { return *views[static_cast<std::size_t>(i)].report; }
  MemberView& v(int i) { return views[static_cast<std::size_t>(i)]; }
  EpochDecision plan() { return plan_epoch(cluster, views, times, memory, now); }
  // Persists what the planner wants, as the scheduler does.
  EpochDecision persist() {
    EpochDecision d = plan();
    EXPECT_TRUE(d.next) << "waits for: " << d.waiting_for;
    if (d.next) cluster.epoch = *d.next;
    return d;
  }
  void crash_primary() {
    r(0).server = ServerState::kStarting;
    r(0).crashed = true;
    r(0).writable = false;
    r(0).role = MemberRole::kIdle;
    for (std::size_t i = 1; i < views.size(); ++i) views[i].report->receiver_connected = false;
  }
  void fence(int i) {
    r(i).promised = cluster.epoch.pair;
    r(i).role = MemberRole::kFenced;
    r(i).busy = false;
    r(i).receiver_running = r(i).receiver_connected = r(i).acking = r(i).writable = false;
  }
  template <class T>
  static std::optional<T> ordered(const EpochDecision& d, int i) {
    for (const auto& [member, o] : d.orders) {
      if (member == id(i) && std::holds_alternative<T>(o)) return std::get<T>(o);
    }
    return std::nullopt;
  }

  Cluster cluster;
  std::vector<MemberView> views;
  EpochTimes times;
  EpochMemory memory;
  Instant now{std::chrono::seconds(1000)};
};

}  // namespace mysos
