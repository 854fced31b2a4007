// SPDX-License-Identifier: Apache-2.0
#pragma once
// The inputs of the executor's brain (core/member/member_core.h): orders, news of its server, results of its shell.
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "model/member_report.h"
#include "model/order.h"
#include "model/server_step.h"

namespace mysos {

namespace member_input {
struct OrderGiven {
  std::uint64_t id = 0;
  Order order;
};                        // id comes back in an Answer
struct SecretsStored {
  std::uint64_t credentials = 0;
  bool sealed = true;
};                        // the shell has the accounts' secrets on disk: which of the user's passwords; whether sealed too
struct DatadirReady {};   // after MakeDatadir
struct DatadirFailed {
  std::string why;
};
struct RelayRead {
  std::optional<GtidSet> held;
};  // after ReadRelay; none: it cannot be told with certainty
struct SeedProgress {
  Bytes bytes{};
};  // of a copy: on disk so far
struct ErrantKept {
  std::string where;
};  // binlogs were moved there, relative to the volume
struct ServerAdopted {
  std::string incarnation;
};  // at start: a mysqld of ours is alive
struct ServerUp {
  std::string incarnation;
  std::string version;
  std::string server_id;
};  // accepts our connection; accounts are there
struct ServerExited {
  std::string how;
  bool out_of_memory = false;  // the kernel killed it at the limit of its container
};
struct Snapshot {
  ServerSnapshot server;
};  // a read that began after the last finished step
struct Unanswered {};  // a read of the server takes longer than it should
struct PlanEnded {
  std::uint64_t plan = 0;
  std::optional<std::string> failure;
  std::optional<ServerSnapshot> after;
};
struct UserReady {
  bool ready = false;
  std::uint64_t credentials = 0;
};               // primary: the user's account works, with which of its passwords
// A look at the server's accounts and settings ended: what could not be repaired, and what was.
struct Guarded {
  std::vector<std::string> tampered;
  std::vector<std::string> repaired;
};
// On a primary: whether somebody has changed the user's password in SQL.
struct PasswordSeen {
  bool changed = false;
};
// Whom the executor reaches now: a scheduler that watches it, and peers that answer.
struct Contact {
  bool scheduler = false;
  std::set<MemberId> peers;
};
// Something that the shell did or saw, to be reported once.
struct Noticed {
  NoticeKind kind = NoticeKind::kReaderEnded;
  std::string text;
};
struct EventsMinded {
  bool run = false;  // the clients' events run here
  std::string trouble;  // why some cannot
};
// After EndReaders: what the applier does, in the server's words, and the lock it waits for that no session holds. `ended`:
// whose sessions were ended, "" = nobody was in the way.
struct ApplierLooked {
  std::string ended, does, waits_for;
};
struct VolumeProbed {
  std::string trouble;
};               // "" = a write to the volume went through in time
struct Stop {};  // the task is killed: shut mysqld down and end
struct Tick {};
}  // namespace member_input
using MemberInput =
    std::variant<member_input::OrderGiven, member_input::SecretsStored, member_input::DatadirReady,
                 member_input::DatadirFailed, member_input::SeedProgress, member_input::ErrantKept,
                 member_input::RelayRead, member_input::ServerAdopted, member_input::ServerUp,
                 member_input::ServerExited, member_input::Snapshot, member_input::Unanswered,
                 member_input::PlanEnded, member_input::UserReady, member_input::Guarded, member_input::PasswordSeen,
                 member_input::Contact,
                 member_input::ApplierLooked, member_input::Noticed, member_input::EventsMinded, member_input::VolumeProbed,
                 member_input::Stop, member_input::Tick>;

}  // namespace mysos
