// SPDX-License-Identifier: Apache-2.0
// How a simulated member gets its data: empty, or as a copy of another member's, which takes its time and may be cut off: its
// executor dies, the donor dies, is cut off or ends the copies that are made of it.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "sim/sim_executor.h"

namespace mysos::sim {
namespace {

constexpr Duration kLook = milliseconds(100);
constexpr Duration kSilence = seconds(3);

// MySQL's uuid is made with the data directory; here it follows from the server id.
void name_data(Datadir& made, Sim& sim, const MemberSpec& spec, const server_action::MakeDatadir& action) {
  made.generation = action.generation;
  made.serial = ++sim.datadirs_made;
  made.server_id = action.server_id;
  made.gtid_source = spec.flavour == Flavour::kMariadb
                         ? fmt::format("0-{}", action.server_id)
                         : fmt::format("{:08x}-0000-4000-8000-{:012x}", action.server_id, spec.index);
}

}  // namespace

struct SimExecutor::Copying {
  server_action::MakeDatadir action;
  SimServer* donor = nullptr;
  std::string donor_incarnation;
  std::uint64_t donor_copies_ended = 0;
  std::uint64_t epoch = 0;  // promised so far
  Duration left{};
  Duration silent{};
  bool breaks = false;  // its connection, at the end
  bool primary_dies = false;  // meanwhile
};

void SimExecutor::make_datadir(const server_action::MakeDatadir& action) {
  if (volume_.data) {
    world_.throws_away(spec_.cluster, spec_.member, *volume_.data);
    volume_.thrown_away = volume_.thrown_away || !volume_.data->received.empty();
    sim_.coverage.hit(Mark::kRebuild);
    sim_.tell([&] { return fmt::format("{} throws its data away", spec_.member.str()); });
    if (action.errant.count() > 0) {
      sim_.coverage.hit(Mark::kErrantKept);
      give(member_input::ErrantKept{fmt::format("errant/{}", action.errant_generation)});
    }
  }
  volume_.data.reset();
  if (action.donor) return copy_of(action);
  later(sim_.between(milliseconds(60), milliseconds(120)), [this, action] {
    Datadir made;
    name_data(made, sim_, spec_, action);
    volume_.data = std::move(made);
    volume_.thrown_away = false;
    world_.rebuilt(spec_.cluster, spec_.member);
    give(member_input::DatadirReady{});
  });
}

// An executor that dies before it has seen a reset says so all the same (docs/simulation.md).
void SimExecutor::own_up_to_reset() {
  MemberPromise& promise = volume_.promise;
  if (!volume_.data || !volume_.data->reset || promise.logs_reset) return;
  promise.logs_reset = true;
  if (promise.role == MemberRole::kPrimary) return;
  promise.amnesiac = true;
  promise.known.reset();
}

void SimExecutor::copy_of(const server_action::MakeDatadir& action) {
  auto copy = std::make_shared<Copying>();  // shared with the looks at it, of which one is always to come
  copy->action = action;
  copy->donor = world_.server_at(action.donor->host, action.donor->port);
  copy->epoch = pipeline_->core().promise().pair.epoch;
  copy->left = sim_.between(milliseconds(300), sim_.prng.chance(500) ? seconds(3) : seconds(25));
  copy->breaks = sim_.prng.chance(200);
  copy->primary_dies = sim_.prng.chance(300);
  if (copy->donor != nullptr) {
    copy->donor_incarnation = copy->donor->incarnation();
    copy->donor_copies_ended = copy->donor->copies_ended();
  }
  copy_on(copy);
}

SimServer* SimExecutor::primary_of(const Copying& copy) {
  const Datadir& donor = *copy.donor->data();
  return donor.source_host.empty() ? copy.donor : world_.server_at(donor.source_host, donor.source_port);
}

// Somebody purges the binlogs of the primary meanwhile: who is away then cannot replay what it misses.
void SimExecutor::make_room(const Copying& copy) {
  SimServer* primary = primary_of(copy);
  if (primary == nullptr || sim_.calm) return;
  sim_.tell([&] { return fmt::format("{} binlogs are purged", primary->identity().member.str()); });
  primary->purge_logs();
}

void SimExecutor::copy_on(const std::shared_ptr<Copying>& copy) {
  later(kLook, [this, copy] {
    const SimServer* from = copy->donor;
    if (std::exchange(copy->epoch, pipeline_->core().promise().pair.epoch) < pipeline_->core().promise().pair.epoch) {
      sim_.coverage.hit(Mark::kSeedUnderElection);
    }
    const auto cut_off = [&](std::string why) {
      sim_.coverage.hit(Mark::kSeedCutOff);
      sim_.tell([&] { return fmt::format("{} copy is cut off: {}", spec_.member.str(), why); });
      give(member_input::DatadirFailed{std::move(why)});
    };
    if (from == nullptr || !from->accepting() || from->incarnation() != copy->donor_incarnation) {
      return cut_off("the donor is gone");
    }
    if (from->copies_ended() != copy->donor_copies_ended) return cut_off("the donor ended it");
    SimServer* primary = primary_of(*copy);
    if (primary != nullptr && primary != from && std::exchange(copy->primary_dies, false) && !sim_.calm) {
      primary->crash("killed while another is copied");
    }
    const Node there = server_node(from->identity().machine);
    const bool reaches =
        from->answering() && !sim_.network.is_cut(there, node()) && !sim_.network.is_cut(node(), there);
    copy->silent = reaches ? Duration{} : copy->silent + kLook;
    if (copy->silent >= kSilence) return cut_off("nothing comes from the donor");
    if (reaches) copy->left -= kLook;
    if (copy->left > Duration{}) {
      if (reaches) give(member_input::SeedProgress{mib(1)});
      return copy_on(copy);
    }
    if (copy->breaks && !sim_.calm) return cut_off("the connection broke");
    sim_.coverage.hit(Mark::kSeeded);
    make_room(*copy);
    Datadir made = *from->data();
    name_data(made, sim_, spec_, copy->action);
    made.purged = made.binlog.size();
    made.unsynced.clear();
    made.relay.clear();
    made.held = made.in_binlog;
    made.received = made.executed;
    made.received_end = {};
    made.last_number = 0;
    if (spec_.flavour == Flavour::kMariadb) {
      for (const TxnId t : made.binlog) made.last_number = std::max(made.last_number, sim_.txns[t].number);
    }
    made.stops_once = made.reset = false;
    // Of a server that was reset meanwhile: what it did not name is sent again, and cannot be applied twice.
    made.broken = from->data()->reset;
    made.local = {};
    made.source_host.clear();
    made.source_port = 0;
    sim_.tell([&] {
      return fmt::format("{} has copied {}: {}", spec_.member.str(), from->identity().member.str(),
                         made.executed.to_string());
    });
    volume_.data = std::move(made);
    volume_.thrown_away = false;
    world_.rebuilt(spec_.cluster, spec_.member);
    give(member_input::DatadirReady{});
  });
}

}  // namespace mysos::sim
