// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the scheduler tells people: one event for each thing that happened. docs/events.md has a row for each kind; tools/tidy
// compares the two.
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/json.h"
#include "model/caller.h"
#include "model/epoch.h"
#include "model/ids.h"

namespace mysos {

enum class EventKind {
  // Mesos and the scheduler
  kFrameworkRegistered, kMasterConnected, kMasterDisconnected, kFrameworkRemoved, kFrameworkRetired, kFrameworkDismissed,
  kFrameworkUnknown, kOperationFailed, kStoreRecovered, kEventsLost, kStateMigrated, kStatePutBack,
  // Clusters
  kClusterCreated, kClusterDeleting, kClusterDeleted, kClusterAdopted, kClusterUnknown, kBootstrapStarted,
  // Members and their places
  kMemberPlaced, kMemberLaunched, kMemberRunning, kMemberStopped, kMemberDown, kMemberUnreachable, kMemberMoved,
  kMemberReleased, kPortsChanged, kPlacementAbandoned, kVolumeMissing, kVolumeLost, kVolumeBack, kVolumeNotWritable,
  kVolumeWritable, kTaskFound, kTaskUnknown, kStrayTaskKilled,
  // Orphans
  kOrphanFound, kOrphanReleased, kOrphanDestroyAsked, kOrphanDestroyed, kMemberFound, kSecretsFound, kSecretsUnreadable,
  // Old records
  kRecordDoubted, kRecordAsked, kRecordRenewed,
  // Failover and switchover
  kFailoverStarted, kPrimaryChosen, kFailoverEnded, kFailoverRequested, kFailoverForced, kSwitchoverRequested,
  kSwitchoverStarted, kSwitchoverDone, kSwitchoverFailed, kPromotionSet,
  // Acknowledgements
  kAckerAdded, kAckerLeaving, kAckerDropped, kMemberHeldBack, kMemberLetIn, kAcksRaising, kAcksRaised, kAcksNotRaised,
  kAcksLowered, kCertificationStarted, kSoloEntered, kSoloLeaving, kSoloLeft,
  // Servers and replication
  kServerEnded, kMemberErrant, kErrantKept, kApplierStopped, kApplierStarted, kApplierStalled, kApplierResumed,
  kReceiverFailed, kBinlogsChanged, kReaderEnded, kNamesRenewed, kRebuildStarted, kRebuildEnded, kSeedingStarted,
  kSeedingFailed, kSeedingDone, kEventsStarted, kEventsStopped, kEventsFailed,
  // Accounts and settings
  kServerRepaired, kServerTampered, kCredentialsRotated, kCredentialsRetired, kCredentialsApplied, kCredentialsRead,
  kPasswordChanged,
};
constexpr auto enum_names(EventKind) {
  using enum EventKind;
  return std::to_array<EnumName<EventKind>>({
    // Mesos and the scheduler
    {kFrameworkRegistered, "framework_registered"}, {kMasterConnected, "master_connected"},
    {kMasterDisconnected, "master_disconnected"}, {kFrameworkRemoved, "framework_removed"},
    {kFrameworkRetired, "framework_retired"}, {kFrameworkDismissed, "framework_dismissed"},
    {kFrameworkUnknown, "framework_unknown"}, {kOperationFailed, "operation_failed"}, {kStoreRecovered, "store_recovered"},
    {kEventsLost, "events_lost"}, {kStateMigrated, "state_migrated"}, {kStatePutBack, "state_put_back"},
    // Clusters
    {kClusterCreated, "cluster_created"}, {kClusterDeleting, "cluster_deleting"}, {kClusterDeleted, "cluster_deleted"},
    {kClusterAdopted, "cluster_adopted"}, {kClusterUnknown, "cluster_unknown"}, {kBootstrapStarted, "bootstrap_started"},
    // Members and their places
    {kMemberPlaced, "member_placed"}, {kMemberLaunched, "member_launched"}, {kMemberRunning, "member_running"},
    {kMemberStopped, "member_stopped"}, {kMemberDown, "member_down"}, {kMemberUnreachable, "member_unreachable"},
    {kMemberMoved, "member_moved"}, {kMemberReleased, "member_released"}, {kPortsChanged, "ports_changed"},
    {kPlacementAbandoned, "placement_abandoned"}, {kVolumeMissing, "volume_missing"}, {kVolumeLost, "volume_lost"},
    {kVolumeBack, "volume_back"}, {kVolumeNotWritable, "volume_not_writable"}, {kVolumeWritable, "volume_writable"},
    {kTaskFound, "task_found"}, {kTaskUnknown, "task_unknown"}, {kStrayTaskKilled, "stray_task_killed"},
    // Orphans
    {kOrphanFound, "orphan_found"}, {kOrphanReleased, "orphan_released"}, {kOrphanDestroyAsked, "orphan_destroy_asked"},
    {kOrphanDestroyed, "orphan_destroyed"}, {kMemberFound, "member_found"}, {kSecretsFound, "secrets_found"},
    {kSecretsUnreadable, "secrets_unreadable"},
    // Old records
    {kRecordDoubted, "record_doubted"}, {kRecordAsked, "record_asked"}, {kRecordRenewed, "record_renewed"},
    // Failover and switchover
    {kFailoverStarted, "failover_started"}, {kPrimaryChosen, "primary_chosen"}, {kFailoverEnded, "failover_ended"},
    {kFailoverRequested, "failover_requested"}, {kFailoverForced, "failover_forced"},
    {kSwitchoverRequested, "switchover_requested"}, {kSwitchoverStarted, "switchover_started"},
    {kSwitchoverDone, "switchover_done"}, {kSwitchoverFailed, "switchover_failed"}, {kPromotionSet, "promotion_set"},
    // Acknowledgements
    {kAckerAdded, "acker_added"}, {kAckerLeaving, "acker_leaving"}, {kAckerDropped, "acker_dropped"},
    {kMemberHeldBack, "member_held_back"}, {kMemberLetIn, "member_let_in"}, {kAcksRaising, "acks_raising"},
    {kAcksRaised, "acks_raised"}, {kAcksNotRaised, "acks_not_raised"}, {kAcksLowered, "acks_lowered"},
    {kCertificationStarted, "certification_started"}, {kSoloEntered, "solo_entered"}, {kSoloLeaving, "solo_leaving"},
    {kSoloLeft, "solo_left"},
    // Servers and replication
    {kServerEnded, "server_ended"}, {kMemberErrant, "member_errant"}, {kErrantKept, "errant_kept"},
    {kApplierStopped, "applier_stopped"}, {kApplierStarted, "applier_started"}, {kApplierStalled, "applier_stalled"},
    {kApplierResumed, "applier_resumed"}, {kReceiverFailed, "receiver_failed"}, {kBinlogsChanged, "binlogs_changed"},
    {kReaderEnded, "reader_ended"}, {kNamesRenewed, "names_renewed"}, {kRebuildStarted, "rebuild_started"},
    {kRebuildEnded, "rebuild_ended"}, {kSeedingStarted, "seeding_started"}, {kSeedingFailed, "seeding_failed"},
    {kSeedingDone, "seeding_done"}, {kEventsStarted, "events_started"}, {kEventsStopped, "events_stopped"},
    {kEventsFailed, "events_failed"},
    // Accounts and settings
    {kServerRepaired, "server_repaired"}, {kServerTampered, "server_tampered"}, {kCredentialsRotated, "credentials_rotated"},
    {kCredentialsRetired, "credentials_retired"}, {kCredentialsApplied, "credentials_applied"},
    {kCredentialsRead, "credentials_read"}, {kPasswordChanged, "password_changed"},
  });
}

// Somebody has to look at it: nothing that Mysos does by itself will end it.
constexpr bool is_alarm(EventKind kind) { return kind == EventKind::kClusterUnknown || kind == EventKind::kOrphanFound; }

// One line of what happened and why; the audit trail, the event stream and the CLI show it.
struct Event {
  EventKind kind{};
  ClusterId cluster_id;  // "" where it concerns none; the log is kept by it
  std::string cluster;   // name
  std::string member;
  std::string message;  // one sentence with the reason
  Pair pair;
  std::string cause;                            // of a failover (core/epochs/planner.h, FailoverCause)
  std::map<std::string, std::int64_t> took_ms;  // of a failover that has ended: by step, and the "total"
  std::optional<Caller> by = {};                // of what a command does: who gave it
  bool operator==(const Event&) const = default;
};
template <class Io>
void fields(Io& io, Event& e) {
  io("kind", e.kind);
  io("cluster", e.cluster);
  io("member", e.member);
  io("message", e.message);
  io("pair", e.pair);
  io("cause", e.cause);
  io("took_ms", e.took_ms);
  io("by", e.by);
}

}  // namespace mysos
