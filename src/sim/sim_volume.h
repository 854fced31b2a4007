// SPDX-License-Identifier: Apache-2.0
#pragma once
// The content of a member's volume, which survives all its processes. A volume is made empty and
// ends with its DESTROY. It may be lost; then an empty one replaces it (SimAgent).
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/member/member_core.h"
#include "model/gtid.h"
#include "model/ids.h"
#include "model/log_position.h"
#include "sim/sim_disk.h"

namespace mysos::sim {

// A set of transactions by their numbers in Sim::txns.
class TxnSet {
 public:
  [[nodiscard]] bool has(TxnId t) const { return t < bits_.size() && bits_[t]; }
  void add(TxnId t) {
    if (t >= bits_.size()) bits_.resize(t + 64, false);
    bits_[t] = true;
  }
  void remove(TxnId t) {
    if (has(t)) bits_[t] = false;
  }

 private:
  std::vector<bool> bits_;
};

struct Datadir {
  std::uint64_t generation = 0;
  std::uint64_t serial = 0;   // for the checkers: which data directory of this world it is
  std::uint32_t server_id = 0;
  std::string gtid_source;    // left part of the GTIDs of its own transactions
  std::vector<TxnId> binlog;  // executed, in order
  std::size_t purged = 0;     // of these the first are data only: a copy has no binlog of what was before it
  TxnSet in_binlog;
  std::vector<TxnId> unsynced;  // written to the binlog, and lost where the power is
  std::deque<TxnId> relay;  // received, not applied
  std::size_t relay_unsynced = 0;  // of these the last are lost where the power is
  TxnSet held;              // binlog and relay
  GtidSet executed;
  GtidSet received;               // contains executed
  std::uint64_t last_number = 0;  // MariaDB numbers one line for all writers; MySQL each its own
  bool user = false;              // the user's account is there
  std::map<MemberId, bool> accounts;  // replication accounts of the others: locked?
  std::uint64_t file = 0;             // of the binlog: another one with each start
  LogPosition received_end;           // in its source's binlog (MySQL)
  bool broken = false;                // what comes next cannot be applied: its table is gone, say
  bool held_lock = false;             // a prepared transaction holds a lock that its applier will want
  bool stops_once = false;            // what comes next stops its applier, and can be applied at the second try
  bool reset = false;                 // somebody reset its binary logs: the names of what is before that are gone
  GtidSet local;                      // a user wrote that here while it was a replica
  std::string source_host;            // "" = follows nobody
  std::uint16_t source_port = 0;
};

struct SimVolume {
  MemberPromise promise;
  bool secrets = false;
  std::optional<Datadir> data;
  SimDisk disk;
  // For the checkers only.
  ClusterId cluster;         // whose member was launched on it
  bool thrown_away = false;  // data were, and no others are there yet
  Pair obeyed;               // the highest pair it ever said yes to
  bool lost = false;         // nobody can reach what is on it
  bool replacement = false;  // empty, where one was lost that its cluster knew
};

}  // namespace mysos::sim
