// SPDX-License-Identifier: Apache-2.0
// Commits of a simulated server: written, durable, sent, acknowledged, and only then answered.
#include <algorithm>
#include <utility>

#include "sim/sim_server.h"

namespace mysos::sim {

void SimServer::write(std::uint64_t write, std::function<void(bool)> reply) {
  if (freezer_.frozen())
    return awake([this, write, reply = std::move(reply)] { this->write(write, reply); });
  const bool refused = !accepting_ || read_only_ || turning_read_only_ || holding_commits_;
  if (refused || !data_->user) return reply(false);
  const TxnId txn = number_own(write);
  world_.begun(*this, txn);
  commit(txn, false, std::move(reply));
}

void SimServer::ensure_user(std::function<void()> ready) {
  if (!accepting_) return;
  if (data_->user) return ready();
  // Waits until somebody may write; our own session, so read-only must be off all the same (no
  // write under super_read_only).
  if (read_only_ || turning_read_only_ || freezer_.frozen()) {
    later(milliseconds(50), [this, ready = std::move(ready)] { ensure_user(ready); });
    return;
  }
  commit(number_own(0), true, [ready = std::move(ready)](bool) { ready(); });
}

void SimServer::commit(TxnId txn, bool own, std::function<void(bool)> reply) {
  flushing_.push_back({.txn = txn, .own = own, .reply = std::move(reply)});
  data_->unsynced.push_back(txn);
  flush();
}

// Enough ackers may be there and hold what is waited for, and they say nothing of what they held when they connected: a
// further commit makes them speak, where there is room for one.
void SimServer::push_commits() {
  if (!accepting_ || read_only_ || turning_read_only_ || freezer_.frozen()) return;
  sim_.coverage.hit(Mark::kPushed);
  commit(number_own(kNobodysWrite), true, [](bool) {});
}

// MariaDB: one group waits for its acknowledgements, the next is in the binlog, and no other gets there.
bool SimServer::no_room() const {
  return identity_.flavour == Flavour::kMariadb && !pending_.empty() && pending_.front().group != pending_.back().group;
}

// One fsync for all that was written when it began. What is durable is sent, and waits for its
// acknowledgements.
void SimServer::flush() {
  if (syncing_ || flushing_.empty() || no_room()) return;
  syncing_ = true;
  if (disk_.stalled_until > sim_.now()) sim_.coverage.hit(Mark::kDiskStalled);
  later(disk_.sync(sim_), [this, group = flushing_.size()] {
    syncing_ = false;
    ++groups_;
    for (std::size_t i = 0; i < group; ++i) {
      hold(flushing_[i].txn, true);
      flushing_[i].position = data_->binlog.size();
      flushing_[i].group = groups_;
      pending_.push_back(std::move(flushing_[i]));
    }
    const auto end = static_cast<std::ptrdiff_t>(group);
    flushing_.erase(flushing_.begin(), flushing_.begin() + end);
    data_->unsynced.erase(data_->unsynced.begin(), data_->unsynced.begin() + end);
    pump();
    settle_commits();
  });
}

void SimServer::settle_commits() {
  if (data_ == nullptr) return;
  const bool eager = sim_.mutation == Mutation::kAckWithoutAcker;
  std::vector<Pending> ready;
  std::erase_if(pending_, [&](Pending& p) {
    if (!eager && d_ > 0 && p.acked_by.size() < d_) return false;
    ready.push_back(std::move(p));
    return true;
  });
  if (d_ > 0) commits_acknowledged_ += ready.size();
  show_soon(ready);
  for (Pending& p : ready) {
    if (p.session) release(p);
  }
  if (!ready.empty()) poke();
  flush();
}

// Its client is told OK.
void SimServer::release(Pending& commit) {
  if (!commit.own) {
    sim_.coverage.hit(commit.acked_by.empty() ? Mark::kAckSolo : Mark::kAckByReplica);
    world_.released(*this, commit.txn, commit.acked_by);
  }
  commit.reply(true);
}

}  // namespace mysos::sim
