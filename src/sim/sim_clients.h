// SPDX-License-Identifier: Apache-2.0
#pragma once
// Writers. Each does one write at a time, waits for its answer or gives up, and looks for the
// primary as applications do: by asking the executors' /primary, or by trying servers. An
// acknowledgement to a client is a promise of the cluster (Truth records it at the server, when it is
// sent).
#include <functional>
#include <memory>
#include <vector>

#include "sim/truth.h"

namespace mysos::sim {

class SimClients {
 public:
  SimClients(Sim& sim, Truth& truth, Duration think);
  void add_writer(const ClusterId& cluster);
  [[nodiscard]] std::uint64_t told_ok() const { return told_ok_; }

 private:
  struct Writer {
    ClusterId cluster;
    Node node = kClientNode;
    bool asks = false;          // /primary first
    SimExecutor* at = nullptr;  // where the last write went well
    std::uint64_t attempt = 0;
    Instant gives_up = kNever;  // the attempt under way
    bool watched = false;       // for that: one timer is enough for all of its attempts
  };
  void turn(std::size_t writer);
  void watch(std::size_t writer);
  void write_to(std::size_t writer, SimExecutor& where);
  void finish(std::size_t writer, std::uint64_t attempt, bool ok);
  [[nodiscard]] SimExecutor* pick(const Writer& w);

  Sim& sim_;
  Truth& truth_;
  Duration think_;
  Prng prng_;
  std::vector<Writer> writers_;
  std::uint64_t next_write_ = 1;
  std::uint64_t told_ok_ = 0;
};

}  // namespace mysos::sim
