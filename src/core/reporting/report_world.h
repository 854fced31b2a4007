// SPDX-License-Identifier: Apache-2.0
#pragma once
// For tests of the events that reports cause: a cluster "shop" with a primary and a replica, and a scheduler that gets their
// reports.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/reporting/reporting.h"

namespace mysos {

class ReportWorld : public testing::Test {
 protected:
  inline static const MemberId kPrimary{"c-0"};
  inline static const MemberId kOther{"c-1"};

  ReportWorld() { table_.sync(ledger_.state(), now_); }

  static SchedulerState state() {
    Cluster c;
    c.id = ClusterId("c");
    c.spec.name = "shop";
    c.epoch.pair = {3, 1};
    c.epoch.mode = EpochMode::kNormal;
    c.epoch.primary = kPrimary;
    c.sealed_secrets = "first";
    for (const MemberId& id : {kPrimary, kOther}) {
      Member m;
      m.id = id;
      m.stage = MemberStage::kRunning;
      m.task = TaskId("t");
      m.volume_name = "v";
      c.members.push_back(m);
    }
    SchedulerState s;
    s.clusters[c.id] = c;
    return s;
  }
  static MemberReport report(const MemberId& id) {
    MemberReport r;
    r.member = id;
    r.task = TaskId("t");
    r.volume = "v";
    r.executor = "e";
    r.promised = {3, 1};
    r.server = ServerState::kRunning;
    return r;
  }
  // The events that this report causes.
  std::vector<Event> give(MemberReport r) {
    r.seq = ++seq_;
    note_report(ledger_, table_, r, now_);
    return ledger_.take().events;
  }
  const Cluster& cluster() { return *ledger_.find(ClusterId("c")); }

  Instant now_{std::chrono::seconds(100)};
  Ledger ledger_{state(), Prng(1)};
  MemberTable table_;
  std::uint64_t seq_ = 0;
};

}  // namespace mysos
