// SPDX-License-Identifier: Apache-2.0
// What a simulated executor looks at (its server, whom it reaches), and whom it reports to.
#include <algorithm>
#include <charconv>
#include <string>
#include <utility>

#include "sim/checkers.h"
#include "sim/sim_executor.h"

namespace mysos::sim {
namespace {

constexpr Duration kWatchBeat = milliseconds(250);
constexpr Duration kPollSlow = milliseconds(100);
constexpr Duration kGuardEvery = seconds(1);
constexpr Duration kProbeSlow = seconds(1);
constexpr Duration kPollFast = milliseconds(5);

// "10.0.0.1" is that of machine 0.
std::uint32_t machine_of(std::string_view host) {
  std::uint32_t last = 0;
  std::from_chars(host.data() + host.rfind('.') + 1, host.data() + host.size(), last);
  return last - 1;
}

}  // namespace

void SimExecutor::poll_server() {
  later(pipeline_->core().poll_fast() ? kPollFast : kPollSlow, [this] {
    if (server_.answering() && !plan_) look();
    if (server_.accepting() && !server_.answering()) {
      shown_.reset();
      give(member_input::Unanswered{});
    }
    poll_server();
  });
}

// As executor/server_keeper.cc does.
void SimExecutor::push_stuck(ServerSnapshot& seen) {
  const bool push = stuck_.look(seen, server_.commits_waited(), server_.commits_acknowledged(), sim_.now());
  seen.commits_stuck = stuck_.hopeless();
  if (seen.commits_stuck) sim_.coverage.hit(Mark::kStuck);
  if (push) later(sim_.between(microseconds(200), milliseconds(2)), [this] { server_.push_commits(); });
}

void SimExecutor::look() {
  const Duration takes = sim_.between(microseconds(200), milliseconds(2));
  ServerSnapshot seen = server_.read();
  push_stuck(seen);
  // That nothing came to a receiver, or that an applier executed nothing, is news: how long is counted by such looks.
  if (shown_ == seen && !seen.receiver_running && seen.executed.contains(seen.received)) return;
  later(takes, [this, ended = steps_ended_, seen = std::move(seen), started = server_.starts()]() mutable {
    if (ended != steps_ended_ || plan_ || started != server_.starts() || !server_.accepting()) return;
    if (shown_ != seen) shown_ = seen;
    give(member_input::Snapshot{std::move(seen)});
  });
}

bool SimExecutor::sees_server() const {
  return pipeline_ && !freezer_.frozen() && !plan_ && pipeline_->promise() == nullptr &&
         shown_ && !shown_->logged.empty() && server_.answering();
}

// As executor/server_readers.cc does; nothing is told of an applier that waits for nothing, as long as it waited for nothing.
void SimExecutor::end_readers(Duration watched) {
  later(watched, [this, started = server_.starts()] {
    if (!server_.answering() || started != server_.starts()) return;
    const SimServer::Waits seen = server_.end_readers();
    if (!seen.ended && !seen.for_lock && !saw_wait_) return;
    saw_wait_ = seen.for_lock;
    if (seen.for_lock) sim_.coverage.hit(Mark::kApplierWaited);
    shown_.reset();
    give(member_input::ApplierLooked{.ended = seen.ended ? "sessions of users were ended" : "",
                                     .does = "waits",
                                     .waits_for = seen.for_lock ? "a lock that no session holds" : ""});
  });
}

std::optional<MemberIdentity> SimExecutor::identity() const {
  if (!pipeline_ || freezer_.frozen()) return std::nullopt;
  return MemberIdentity{spec_, volume_.secrets ? "sealed" : ""};
}

void SimExecutor::watch_beat() {
  later(kWatchBeat, [this] {
    look_around();
    if (pipeline_) probe_volume();
    if (pipeline_) guard();
    if (pipeline_) {
      const SharedValue<MemberReport> now = report();
      look_at(*now);
      report_to_watchers(now);
    }
    watch_beat();
  });
}

// Whom it is in touch with: its watchers, and the executors that the network lets it speak to.
void SimExecutor::look_around() {
  member_input::Contact now;
  now.scheduler =
      std::ranges::any_of(watchers_, [](const auto& w) { return !w->stream->broken(); });
  for (const Peer& peer : pipeline_->core().promise().peers) {
    const Node there = executor_node(machine_of(peer.host));
    const bool open = !sim_.network.is_cut(node(), there) && !sim_.network.is_cut(there, node());
    if (open) now.peers.insert(now.peers.end(), peer.member);
  }
  const bool in_touch = now.scheduler || (now.peers.size() + 1) * 2 > pipeline_->core().promise().peers.size() + 1;
  if (in_touch || plan_ || pipeline_->promise() != nullptr || !server_.answering()) {
    alone_since_.reset();
  } else if (!alone_since_) {
    alone_since_ = sim_.now();
  }
  if (!contact_ || contact_->scheduler != now.scheduler || contact_->peers != now.peers) {
    contact_ = now;
    give(std::move(now));
  }
}

void SimExecutor::look_at(const MemberReport& report) {
  check_isolation(sim_, report, alone_since_ ? sim_.now() - *alone_since_ : Duration{});
  if (report.isolated) sim_.coverage.hit(Mark::kIsolated);
  if (report.logs_reset) sim_.coverage.hit(Mark::kResetKnown);
  if (report.server_silent_ms > 0) sim_.coverage.hit(Mark::kServerSilent);
  if (report.source_silent_ms > 0 && report.receiver_connected) sim_.coverage.hit(Mark::kSourceSilent);
}

// As executor/volume_probe.h does.
void SimExecutor::probe_volume() {
  const SimDisk& disk = volume_.disk;
  std::string trouble;
  if (disk.stalled_until > sim_.now() && sim_.now() - disk.stalled_since >= kProbeSlow) {
    trouble = disk.full ? "no space is left on the volume" : "a write to the volume does not finish";
    sim_.coverage.hit(Mark::kWriteTrouble);
  }
  if (trouble == trouble_) return;
  trouble_ = trouble;
  give(member_input::VolumeProbed{std::move(trouble)});
}

// As executor/server_guarding.cc does.
void SimExecutor::guard() {
  if (sim_.now() < guards_at_ || plan_ || !server_.answering()) return;
  guards_at_ = sim_.now() + kGuardEvery;
  if (!server_.restore_accounts()) return;
  sim_.coverage.hit(Mark::kAccountRestored);
  give(member_input::Guarded{.repaired = {"an account that a member replicates with was gone"}});
}

void SimExecutor::report_to_watchers(const SharedValue<MemberReport>& report) {
  std::erase_if(watchers_, [](const auto& w) { return w->stream->broken(); });
  if (watchers_.empty() || writing_) return;
  for (const auto& w : watchers_) {
    sim_.network.send(w->stream, node(), kSchedulerNode, [w, report] { w->deliver(report); });
  }
}

bool SimExecutor::watch(const MemberId& member, std::shared_ptr<WatchConnection> connection) {
  if (!pipeline_ || member != spec_.member) return false;
  watchers_.push_back(std::move(connection));
  awake([this] { report_to_watchers(report()); });
  return true;
}

}  // namespace mysos::sim
