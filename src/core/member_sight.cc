// SPDX-License-Identifier: Apache-2.0
// What MemberCore notes of each look at its server: also what has not moved since the look before, and for how long.
#include <tuple>
#include <utility>

#include "core/member_core.h"

namespace mysos {

// Whether there is anything to report.
bool MemberCore::note_read(const ServerSnapshot& read, Instant now) {
  Running& r = *running_;
  const auto told = [&] { return std::tuple(r.source.told_ms(), r.server.told_ms(), r.applier.told_ms()); };
  const auto told_before = told();
  r.server.heard(now);
  const ServerSnapshot& was = r.seen;
  const bool attached = read.receiver_connected && !was.receiver_connected;
  const bool another = read.receiver_host != was.receiver_host || read.receiver_port != was.receiver_port;
  const bool heard = !r.read || !read.receiver_running || attached || another || read.heard != was.heard;
  heard ? r.source.heard(now) : r.source.nothing(now);
  const bool moves = !r.read || read.executed != was.executed || read.executed.contains(read.received);
  moves ? r.applier.heard(now) : r.applier.nothing(now);
  if (moves) r.wait.moved();
  r.heard = r.heard || (was.receiver_connected && read.receiver_connected && read.heard != was.heard);
  r.seen.heard = read.heard;  // by itself it is no news
  const bool news = !r.read || r.seen != read || told_before != told();
  r.seen = read;
  r.read = true;
  return news;
}

void MemberCore::take(const member_input::Unanswered& /*in*/, Instant now) {
  if (!running_) return;
  const std::uint32_t before = running_->server.told_ms();
  running_->server.nothing(now);
  out_.report_changed |= before != running_->server.told_ms();
  if (!running_->read) return;
  // What is told to stop may keep the server from saying how it is.
  if (!running_->seen.executed.contains(running_->seen.received)) running_->applier.nothing(now);
  look_after_readers(now);
}

}  // namespace mysos
