// SPDX-License-Identifier: Apache-2.0
// The events about replicas that run and are not sound.
#include "core/reporting/replication_events.h"

#include "core/reporting/report_world.h"

namespace mysos {
namespace {

using std::chrono::milliseconds;

class ReplicationEvents : public ReportWorld {
 protected:
  ReplicationEvents() {
    primary_ = report(kPrimary);
    primary_.role = MemberRole::kPrimary;
    primary_.writable = true;
    primary_.gtid_source = "0-1";
    primary_.executed = primary_.received = *GtidSet::parse("0-1-9");
    other_ = report(kOther);
    other_.role = MemberRole::kReplica;
    other_.source = kPrimary;
    other_.receiver_running = other_.receiver_connected = other_.applier_running = true;
    other_.executed = other_.received = *GtidSet::parse("0-1-9");
    give(primary_);
    table_.at(kPrimary).connected = true;
    give(other_);
  }
  using Told = std::vector<std::string>;
  // The events that this report is worth, as "kind: message".
  Told told(const MemberReport& r) {
    Told out;
    for (const Event& e : give(r)) out.push_back(std::string(enum_text(e.kind)) + ": " + e.message);
    return out;
  }

  MemberReport primary_, other_;
};

TEST_F(ReplicationEvents, AStallIsReportedWithItsCauseAndItsEnd) {
  other_.received = *GtidSet::parse("0-1-12");
  other_.applier_stalled_ms = 9900;
  EXPECT_EQ(told(other_), Told{});
  other_.applier_stalled_ms = 10'000;
  const std::string next = "; the next transaction is 0-1-10; it has executed nothing for 10 s";
  EXPECT_EQ(told(other_),
            Told{"applier_stalled: its applier is stalled: it works on one transaction" + next});
  other_.applier_stalled_ms = 10'100;
  EXPECT_EQ(told(other_), Told{});
  other_.applier_waits_for = "a row lock that no session holds";
  EXPECT_EQ(told(other_), Told{"applier_stalled: its applier is stalled: it waits for a row lock that no session "
                               "holds" + next});
  other_.applier_stalled_ms = 0;
  EXPECT_EQ(told(other_), Told{}) << "its server was started again: it has executed nothing yet";
  other_.executed = *GtidSet::parse("0-1-10");
  EXPECT_EQ(told(other_), Told{"applier_resumed: its applier continues"});
}

TEST_F(ReplicationEvents, AFencedMemberIsToldOfOnlyWhereSomethingStaysUnapplied) {
  other_.role = MemberRole::kFenced;
  other_.receiver_running = other_.receiver_connected = other_.applier_running = false;
  other_.applier_error = {1756, "worker threads are stopped"};
  EXPECT_EQ(told(other_), Told{});

  other_.received = *GtidSet::parse("0-1-12");
  EXPECT_EQ(told(other_), Told{"applier_stopped: its applier has stopped: error 1756: worker threads are stopped"});
}

TEST_F(ReplicationEvents, AnApplierThatStopsIsToldOnceInTheServersWords) {
  other_.applier_running = false;
  other_.applier_error = {1146, "Table 'd.t' doesn't exist"};
  EXPECT_EQ(told(other_), (Told{"applier_stopped: its applier has stopped: error 1146: Table 'd.t' doesn't exist"}));
  EXPECT_EQ(told(other_), Told{});
  other_.applier_error = {1032, "Can't find record"};
  EXPECT_EQ(told(other_), (Told{"applier_stopped: its applier has stopped: error 1032: Can't find record"}));
  other_.applier_running = true;
  other_.applier_restarts = 1;
  EXPECT_EQ(told(other_), Told{}) << "it may stop again";
  other_.applier_restarts = 0;
  EXPECT_EQ(told(other_), (Told{"applier_started: its applier runs again"}));
}

TEST_F(ReplicationEvents, AReceiverThatFailsIsToldOnceItLasts) {
  other_.receiver_connected = false;
  other_.receiver_error = {1045, "Access denied"};
  EXPECT_EQ(told(other_), Told{}) << "it may be let in in a moment";
  now_ += milliseconds(700);
  EXPECT_EQ(told(other_), (Told{"receiver_failed: it does not receive from c-0: error 1045: Access denied"}));
  EXPECT_EQ(told(other_), Told{});
}

TEST_F(ReplicationEvents, AReceiverThatGaveUpIsToldAtOnce) {
  other_.receiver_connected = other_.receiver_running = false;
  other_.receiver_error = {1236, "fatal"};
  EXPECT_EQ(told(other_), (Told{"receiver_failed: it does not receive from c-0: error 1236: fatal"}));
}

TEST_F(ReplicationEvents, WhatAUserWroteOnAReplicaIsToldOnceWhoeverReportsFirst) {
  other_.executed = other_.received = *GtidSet::parse("0-1-9,0-2-10");
  EXPECT_EQ(told(other_), (Told{"member_errant: somebody wrote on it while it followed c-0: only it holds 0-2-10"}));
  EXPECT_EQ(told(primary_), Told{});
}

}  // namespace
}  // namespace mysos
