// SPDX-License-Identifier: Apache-2.0
#pragma once
// The user and operator: creates, switches over and deletes clusters, as a seed draws it, and repeats lost requests.
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "sim/sim_leadership.h"
#include "sim/truth.h"

namespace mysos::sim {

class SimUser {
 public:
  struct Wishes {
    std::optional<std::uint32_t> members;  // none: the seed draws it
    std::optional<Flavour> flavour;
    std::uint32_t machines = 0;  // no cluster has more members
  };
  SimUser(Sim& sim, Truth& truth, SimLeadership& schedulers, Prng& prng, Wishes wishes);
  // Creates now, and asks for the rest between now and `until`.
  void begin(Duration until);
  // Asks for one more cluster, late, and later on for the destruction of what no cluster owns.
  void begin_late(Prng prng, Duration until);
  // Has clusters adopted that a state does not know, in most seeds.
  void begin_adopting(Prng prng);
  [[nodiscard]] bool adopts() const { return adopts_; }
  // From here on an operator always looks after the clusters.
  void faults_end() { heeds_ = true; }
  void looks_away(bool yes) { heeds_ = !yes; }
  void replied(const Reply& reply);
  [[nodiscard]] bool deleted(const std::string& name) const { return deletes_.contains(name); }

 private:
  void create(std::uint32_t index);
  void create_late();
  void ask_for(const ClusterSpec& spec, std::function<void()> again);
  void tidy_up();
  void adopt_unknown();
  void switch_over(const std::string& name);
  void fail_over(const std::string& name);
  void look_after();
  void accept_loss(const std::string& name);
  void prefer(const std::string& name);
  void remove(const std::string& name);
  const Cluster* known(const std::string& name);
  RequestId next_request();
  void ask(const std::string& name, command::Any what);

  Sim& sim_;
  Truth& truth_;
  SimLeadership& schedulers_;
  Prng& prng_;
  Wishes wishes_;
  std::uint64_t next_request_ = 1;
  std::map<RequestId, std::string> asked_;
  std::set<std::string> deletes_;  // asked for
  bool heeds_ = false;             // clusters without a primary
  Duration patience_{};            // ... before a loss is accepted
  std::map<std::string, Instant> down_since_;
  Prng late_{0};
  std::optional<ClusterSpec> late_spec_;
  Prng adopting_{0};
  bool adopts_ = false;
};

}  // namespace mysos::sim
