// SPDX-License-Identifier: Apache-2.0
// What MemberCore notes of each look at its server: also what has not moved since the look before, and for how long.
#include <tuple>
#include <utility>

#include "core/member/member_core.h"

namespace mysos {
namespace {

// What the server that shows this has written itself. MySQL adds a tag to the name of the server.
std::uint64_t own_writes(const ServerSnapshot& s) {
  std::uint64_t count = 0;
  for (const auto& [source, intervals] : s.executed.sources()) {
    if (source != s.gtid_source && !source.starts_with(s.gtid_source + ":")) continue;
    for (const GtidSet::Interval& i : intervals) count += i.last - i.first + 1;
  }
  return count;
}

}  // namespace

// Whether there is anything to report.
bool MemberCore::note_read(Running& r, const ServerSnapshot& read, Instant now) {
  const auto told = [&] {
    return std::tuple(r.source.told_ms(), r.server.told_ms(), r.applier.told_ms(), r.receipt.lasted() < kReceivesWithin);
  };
  const auto told_before = told();
  if (promise_.seeded) {  // else these data are about to be thrown away, and what is seen is not true of the next ones
    note_copied(read);
    note_reset(read);
    note_own_writes(r, read);
  }
  r.server.heard(now);
  const ServerSnapshot& was = r.seen;
  const bool attached = read.receiver_connected && !was.receiver_connected;
  const bool another = read.receiver_host != was.receiver_host || read.receiver_port != was.receiver_port;
  const bool heard = !r.read || !read.receiver_running || attached || another || read.heard != was.heard;
  heard ? r.source.heard(now) : r.source.nothing(now);
  const bool receives = r.read && read.receiver_running && read.heard.position != was.heard.position;
  receives ? r.receipt.heard(now) : r.receipt.nothing(now);
  const bool moves = !r.read || read.executed != was.executed || read.executed.contains(read.received);
  moves ? r.applier.heard(now) : r.applier.nothing(now);
  if (moves) r.wait.moved();
  r.heard = r.heard || (was.receiver_connected && read.receiver_connected && read.heard != was.heard);
  note_refusal(r, read);
  r.seen.heard = read.heard;  // by itself it is no news
  const bool news = !r.read || r.seen != read || told_before != told();
  r.seen = read;
  r.read = true;
  return news;
}

void MemberCore::note_refusal(Running& r, const ServerSnapshot& read) {
  if (read.binlog_gone) {
    r.refused = server_life::Refused{read.received, read.receiver_host, read.receiver_port};
    return;
  }
  if (!r.refused) return;
  // The position in the source's binlog may change when a receiver starts, too.
  const bool sent = r.seen.receiver_connected && read.receiver_connected && read.heard.heartbeats > r.seen.heard.heartbeats;
  const bool another = read.receiver_host != r.refused->host || read.receiver_port != r.refused->port;
  if (sent || another || read.received != r.refused->received) r.refused.reset();
}

// A replica that is read-only executes what its source sends, and that bears the names of others.
void MemberCore::note_own_writes(const Running& r, const ServerSnapshot& read) {
  const ServerSnapshot& was = r.seen;
  const bool replica = r.role == MemberRole::kReplica && r.settled && !r.plan && r.read;
  if (!replica || data_.written_on || read.gtid_source.empty() || read.gtid_source != was.gtid_source) return;
  if (read.executed == was.executed || own_writes(read) <= own_writes(was)) return;
  data_.written_on = true;
  out_.report_changed = true;
}

// Only a reset takes anything out of what a server knows it has written; a crash does not, since each commit is durable
// first. From then on the server cannot say which transactions its data hold, and gives names away that others have had: it
// can neither follow, nor tell an election what it acknowledged.
void MemberCore::note_reset(const ServerSnapshot& read) {
  const GtidSet was = std::exchange(data_.logged, read.logged);
  if (promise_.logs_reset || read.logged.contains(was)) return;
  const GtidSet gone = was.minus(read.logged);
  MemberPromise next = promise_;
  forget_names(next);
  save(next);
  notice(NoticeKind::kBinlogsChanged, "somebody reset its binary logs: its server no longer knows " +
                                          std::to_string(gone.count()) + " transaction(s), " + gone.to_string());
}

void MemberCore::forget_names(MemberPromise& next) {
  next.logs_reset = true;
  if (promise_.role != MemberRole::kPrimary) {
    next.amnesiac = true;
    next.known.reset();
  }
  out_.server.emplace_back(server_action::EndCopies{});  // a copy would lack the names, too
}

// The first look at data that were copied. A donor whose binary logs were reset after the order for the copy has given its data
// without the names of their transactions. Replication would send all of them again.
void MemberCore::note_copied(const ServerSnapshot& read) {
  if (promise_.copy_holds.empty()) return;
  MemberPromise next = promise_;
  const GtidSet lacks = std::exchange(next.copy_holds, {}).minus(read.executed);
  if (!lacks.empty()) forget_names(next);
  save(next);
  if (lacks.empty()) return;
  notice(NoticeKind::kBinlogsChanged, "the binary logs of the member that it copied were reset meanwhile: the copy lacks the " +
                                          std::string("GTIDs of ") + std::to_string(lacks.count()) + " transaction(s), " +
                                          lacks.to_string());
}

void MemberCore::take(const member_input::Unanswered& /*in*/, Instant now) {
  Running* r = server();
  if (r == nullptr) return;
  const std::uint32_t before = r->server.told_ms();
  r->server.nothing(now);
  out_.report_changed |= before != r->server.told_ms();
  if (!r->read) return;
  // What is told to stop may keep the server from saying how it is.
  if (!r->seen.executed.contains(r->seen.received)) r->applier.nothing(now);
  look_after_readers(*r, now);
}

}  // namespace mysos
