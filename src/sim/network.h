// SPDX-License-Identifier: Apache-2.0
#pragma once
// The network between the parts of a simulated world. Nodes are numbers; a cut is between two of
// them, in both directions or in one. Datagram: may be late, lost, doubled, out of order. Stream: in
// order or broken; a loss breaks it, and both ends learn that later (TCP). Cuts are checked when a
// message is sent and when it arrives, so a cut also stops messages under way.
#include <cstdint>
#include <memory>
#include <vector>

#include "base/prng.h"
#include "sim/event_queue.h"

namespace mysos::sim {

using Node = std::uint32_t;

struct NetworkFaults {
  Duration delay_min = std::chrono::microseconds(100);
  Duration delay_max = std::chrono::milliseconds(2);
  std::uint64_t loss =
      0;  // per mille of datagrams, and of stream messages (which breaks the stream)
  std::uint64_t duplicate = 0;  // per mille of datagrams
  std::uint64_t slow = 0;       // per mille: up to slow_max late
  Duration slow_max = std::chrono::seconds(3);
};

// One direction of one connection.
class Stream {
 public:
  [[nodiscard]] bool broken() const { return broken_; }
  void close() { broken_ = true; }

 private:
  friend class Network;
  Instant last_{};
  bool broken_ = false;
};

class Network {
 public:
  Network(EventQueue& queue, Prng prng, std::size_t nodes)
      : queue_(queue), prng_(prng), nodes_(nodes), cut_(nodes * nodes, 0), lag_(nodes * nodes) {}

  void set_faults(const NetworkFaults& faults) { faults_ = faults; }
  void cut(Node from, Node to) { cut_[from * nodes_ + to] = 1; }
  void heal(Node a, Node b) { cut_[a * nodes_ + b] = cut_[b * nodes_ + a] = 0; }
  void heal_all() {
    cut_.assign(cut_.size(), 0);
    lag_.assign(lag_.size(), Duration{});
  }
  // Everything that way is late by this much more.
  void lag(Node from, Node to, Duration more) { lag_[from * nodes_ + to] = more; }
  [[nodiscard]] bool is_cut(Node from, Node to) const { return cut_[from * nodes_ + to] != 0; }

  template <class F>
  void send(Node from, Node to, const F& deliver) {
    if (from != to && (is_cut(from, to) || prng_.chance(faults_.loss))) return;
    fly(from, to, delay(), deliver);
    if (from == to || !prng_.chance(faults_.duplicate)) return;
    fly(from, to, prng_.chance(500) ? delay() : between(faults_.delay_max, faults_.slow_max),
        deliver);
  }
  // Shared: what flies holds its stream.
  template <class F>
  void send(const std::shared_ptr<Stream>& stream, Node from, Node to, F deliver) {
    if (stream->broken_) return;
    if (from != to && (is_cut(from, to) || prng_.below(10000) < faults_.loss)) {
      stream->broken_ = true;
      return;
    }
    const Instant at = std::max(stream->last_, queue_.now() + delay() + lag_[from * nodes_ + to]);
    stream->last_ = at;
    queue_.at(at, [this, stream, from, to, deliver = std::move(deliver)]() mutable {
      if (stream->broken_) return;
      if (from != to && is_cut(from, to)) {
        stream->broken_ = true;
        return;
      }
      deliver();
    });
  }

 private:
  Duration between(Duration low, Duration high) {
    return low + Duration(static_cast<Duration::rep>(
                     prng_.below(static_cast<std::uint64_t>((high - low).count()) + 1)));
  }
  Duration delay() {
    return prng_.chance(faults_.slow) ? between(faults_.delay_max, faults_.slow_max)
                                      : between(faults_.delay_min, faults_.delay_max);
  }
  template <class F>
  void fly(Node from, Node to, Duration takes, const F& deliver) {
    queue_.after(takes + lag_[from * nodes_ + to], [this, from, to, deliver] {
      if (from == to || !is_cut(from, to)) deliver();
    });
  }

  EventQueue& queue_;
  Prng prng_;
  std::size_t nodes_;
  std::vector<char> cut_;
  std::vector<Duration> lag_;
  NetworkFaults faults_;
};

}  // namespace mysos::sim
