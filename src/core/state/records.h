// SPDX-License-Identifier: Apache-2.0
#pragma once
// The records that the durable state is made of: one text (JSON) under a kind and a key (docs/adr/0013-records.md).
//
// | kind | key | what it holds |
// |---|---|---|
// | framework | "state" | the framework id, and earlier ids |
// | spec | cluster id | what is wanted of the cluster, since when, whether it is being deleted, the index of its next member |
// | epoch | cluster id | who is primary, whether the record is in doubt, what an operator ordered, the next server id |
// | secrets | cluster id | the sealed accounts, the hash of the member token, how often the password was changed |
// | member | member id | whether a member leaves, what it was granted, and its stage |
// | orphan | resource id | what is done with a reservation that no member owns |
//
// Each record has the version of its kind in "v", and each field is required. A damaged or missing record, a record of a newer
// Mysos, and a record of an unknown kind are Errors. They never become a default. The parts of a cluster are separate
// records, so a step writes only the parts that it changed.
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/state/scheduler_state.h"

namespace mysos {

using RecordTexts = std::map<std::string, std::map<std::string, std::string>>;  // kind, key, JSON text
const std::map<std::string, std::string>& of_kind(const RecordTexts& records, const std::string& kind);

// The records that change a cluster from one form to another; nullptr: no cluster. Only differences are written.
std::vector<Record> cluster_records(const Cluster* before, const Cluster* after);
Record framework_record(const SchedulerState& state);
Record orphan_record(const std::string& resource_id, const OrphanWord* word);

// Puts one record into the state. The parts of a cluster may come in any order.
Status fold_record(SchedulerState& state, const Record& record);
// Whether each cluster of the state has all its parts, and each part belongs to a cluster.
Status check_complete(const SchedulerState& state, const RecordTexts& records);

// Version 0.1 had one record for a whole cluster (kind "cluster"), and its records had no version. Returns the records that
// convert such a store to the present form; none if nothing of 0.1 is left.
Result<std::vector<Record>> records_since_0_1(const RecordTexts& records);
// Converts records "spec" and "member" of version 1 to the present form (core/state/records_since_1.cc).
Result<std::vector<Record>> records_since_1(const RecordTexts& records);

// The state in the records of a store. `migration` must be durable before the scheduler acts on the state.
struct StoredState {
  SchedulerState state;
  std::vector<Record> migration;
};
Result<StoredState> read_state(RecordTexts records);

}  // namespace mysos
