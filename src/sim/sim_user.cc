// SPDX-License-Identifier: Apache-2.0
#include "sim/sim_user.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "sim/check_leaks.h"

namespace mysos::sim {
namespace {

constexpr Duration kLook = seconds(1);

}  // namespace

SimUser::SimUser(Sim& sim, Truth& truth, SimLeadership& schedulers, Prng& prng, Wishes wishes)
    : sim_(sim), truth_(truth), schedulers_(schedulers), prng_(prng), wishes_(wishes) {}

void SimUser::begin(Duration until) {
  const std::uint32_t clusters = prng_.chance(250) ? 2 : 1;
  for (std::uint32_t i = 0; i < clusters; ++i) create(i);
  const auto in_faults = [&] { return sim_.between(seconds(2), until); };
  for (std::uint32_t i = 0; i < clusters; ++i) {
    const std::string name = fmt::format("shop-{}", i);
    for (std::uint64_t n = prng_.below(3); n > 0; --n)
      sim_.after(in_faults(), [this, name] { switch_over(name); });
    if (prng_.chance(250)) sim_.after(in_faults(), [this, name] { fail_over(name); });
    if (prng_.chance(250)) sim_.after(in_faults(), [this, name] { prefer(name); });
    if (prng_.chance(250)) sim_.after(in_faults(), [this, name] { remove(name); });
  }
  heeds_ = prng_.chance(300);
  patience_ = sim_.between(seconds(4), seconds(25));
  look_after();
}

void SimUser::create(std::uint32_t index) {
  static constexpr std::uint32_t kSizes[] = {1, 2, 3, 3, 3, 5};
  ClusterSpec spec;
  spec.name = fmt::format("shop-{}", index);
  spec.members = wishes_.members.value_or(kSizes[prng_.below(std::size(kSizes))]);
  if (spec.members > wishes_.machines) spec.members = wishes_.machines;
  spec.flavour = wishes_.flavour.value_or(prng_.chance(500) ? Flavour::kMariadb : Flavour::kMysql);
  ask_for(spec, [this, index] { create(index); });
}

void SimUser::ask_for(const ClusterSpec& spec, std::function<void()> again) {
  command::Create in;
  in.spec = spec;
  in.spec.version = spec.flavour == Flavour::kMariadb ? "mariadb-10.11" : "mysql-9.7";
  in.spec.user = "shop";
  in.sealed_secrets = "sealed";
  in.token_hash = "hash";
  const RequestId request = next_request();
  if (!schedulers_.leader().alive()) return sim_.after(milliseconds(500), std::move(again));
  asked_[request] = in.spec.name;
  sim_.tell([&] {
    return fmt::format("user: create {} with {} x {}", in.spec.name, in.spec.members,
                       in.spec.version);
  });
  // A user whose request was lost asks again.
  sim_.after(seconds(3), [this, again = std::move(again), name = in.spec.name] {
    const bool known = std::ranges::any_of(
        truth_.clusters, [&](const auto& c) { return c.second.cluster.spec.name == name; });
    if (!known) again();
  });
  const std::string name = in.spec.name;
  schedulers_.leader().request(Command{request, {}, name, std::move(in)});
}

RequestId SimUser::next_request() { return RequestId(fmt::format("r{}", next_request_++)); }

void SimUser::ask(const std::string& name, command::Any what) {
  schedulers_.leader().request(Command{next_request(), {}, name, std::move(what)});
}

void SimUser::begin_late(Prng prng, Duration until) {
  late_ = prng;
  late_spec_.emplace();
  late_spec_->name = "late";
  late_spec_->members = static_cast<std::uint32_t>(1 + late_.below(3));
  late_spec_->flavour = late_.chance(500) ? Flavour::kMariadb : Flavour::kMysql;
  const auto latest = static_cast<std::uint64_t>(to_ms(until));
  sim_.after(milliseconds(static_cast<long>(late_.below(latest))), [this] { create_late(); });
  if (late_.chance(300)) tidy_up();
}

void SimUser::create_late() {
  ask_for(*late_spec_, [this] { create_late(); });
}

// Some of what no member owns is not wanted any more.
void SimUser::tidy_up() {
  sim_.after(seconds(2), [this] {
    const SchedulerCore* core = schedulers_.leader().core();
    const OrphansView seen = core == nullptr ? OrphansView{} : core->orphans();
    for (const OrphanVolume& v : seen.volumes) {
      if (v.fate != OrphanFate::kKept || v.volume.empty() || !late_.chance(300)) continue;
      sim_.tell([&] { return fmt::format("user: destroy the orphan {}", v.id); });
      const auto cluster = truth_.clusters.find(v.cluster);
      if (cluster != truth_.clusters.end() && cluster->second.adopted) continue;
      truth_.may_destroy.insert(v.volume);
      if (cluster != truth_.clusters.end()) cluster->second.deleting = true;  // nothing is promised any more
      ask(v.id, command::DestroyOrphan{});
      break;  // a scheduler may die of what it is asked
    }
    tidy_up();
  });
}

void SimUser::begin_adopting(Prng prng) {
  adopting_ = prng;
  adopts_ = adopting_.chance(700);
  if (adopts_) adopt_unknown();
}

// By its name, or by its id.
void SimUser::adopt_unknown() {
  sim_.after(seconds(2), [this] {
    for (const auto& [id, c] : truth_.clusters) {
      const std::string& name = c.cluster.spec.name;
      if (!wanted_back(truth_, c) || deleted(name) || !schedulers_.leader().alive() || !adopting_.chance(400)) continue;
      sim_.tell([&] { return fmt::format("user: adopt {}", name); });
      ask("", command::Adopt{adopting_.chance(500) ? name : id.value, ""});
      break;  // a scheduler may die of what it is asked
    }
    adopt_unknown();
  });
}

// As the store has it; null: there is none, or nobody to ask.
const Cluster* SimUser::known(const std::string& name) {
  if (!schedulers_.leader().alive()) return nullptr;
  const Cluster* found = schedulers_.leader().committed_state().find_by_name(name);
  return found == nullptr || found->members.empty() ? nullptr : found;
}

void SimUser::switch_over(const std::string& name) {
  const Cluster* c = known(name);
  if (c == nullptr) return;
  command::Switchover in;
  if (prng_.chance(500)) in.to = c->members[prng_.below(c->members.size())].id;
  sim_.tell([&] { return fmt::format("user: switch {} over to {}", name, in.to ? in.to->str() : "any"); });
  ask(name, std::move(in));
}

// Where there has been no primary for long, the operator would rather lose writes.
void SimUser::look_after() {
  sim_.after(kLook, [this] {
    const SchedulerCore* core = heeds_ ? schedulers_.leader().core() : nullptr;
    std::vector<std::string> given_up;  // asked for after the look: a scheduler may die of what it is asked
    for (const auto& [id, c] : truth_.clusters) {
      const std::string& name = c.cluster.spec.name;
      const auto view = core == nullptr || c.deleting ? std::nullopt : core->view(name, sim_.now());
      const bool serves = view && (view->state == ClusterState::kHealthy || view->state == ClusterState::kDegraded);
      if (!view || serves || (c.cluster.epoch.mode == EpochMode::kVirgin && !c.cluster.doubt)) {
        down_since_.erase(name);
      } else if (sim_.now() - down_since_.try_emplace(name, sim_.now()).first->second >= patience_) {
        down_since_.erase(name);
        given_up.push_back(name);
      }
    }
    for (const std::string& name : given_up) accept_loss(name);
    look_after();
  });
}

void SimUser::accept_loss(const std::string& name) {
  const Cluster* c = known(name);
  if (c == nullptr) return;
  command::Failover in;
  in.wanted.accept_loss = true;
  if (prng_.chance(200)) in.wanted.to = c->members[prng_.below(c->members.size())].id;
  sim_.tell([&] {
    return fmt::format("user: fail {} over to {}, whatever is lost", name, in.wanted.to ? in.wanted.to->str() : "any");
  });
  sim_.coverage.hit(Mark::kLossAccepted);
  ++truth_.clusters.at(c->id).losses_accepted;
  ask(name, std::move(in));
}

// An operator's failover, without evidence, that may lose nothing.
void SimUser::fail_over(const std::string& name) {
  const Cluster* c = known(name);
  if (c == nullptr) return;
  command::Failover in;
  if (prng_.chance(500)) in.wanted.to = c->members[prng_.below(c->members.size())].id;
  sim_.tell([&] { return fmt::format("user: fail {} over to {}", name, in.wanted.to ? in.wanted.to->str() : "any"); });
  sim_.coverage.hit(Mark::kFailoverAsked);
  ask(name, std::move(in));
}

void SimUser::prefer(const std::string& name) {
  const Cluster* c = known(name);
  if (c == nullptr) return;
  const MemberId member = c->members[prng_.below(c->members.size())].id;
  const Promotion wish = prng_.chance(500) ? Promotion::kPrefer : Promotion::kAvoid;
  sim_.tell([&] { return fmt::format("user: promotion of {} is to be '{}'", member.str(), enum_text(wish)); });
  ask(name, command::Promote{member, wish});
}

void SimUser::remove(const std::string& name) {
  const bool known = std::ranges::any_of(schedulers_.leader().committed_state().clusters, [&](const auto& c) {
    return c.second.spec.name == name && !c.second.deleting;
  });
  if (!schedulers_.leader().alive() || !known) return;
  sim_.tell([&] { return fmt::format("user: delete {}", name); });
  deletes_.insert(name);
  ask(name, command::Delete{});
  sim_.after(seconds(3), [this, name] { remove(name); });
}

void SimUser::replied(const Reply& reply) {
  const auto found = asked_.find(reply.request);
  sim_.tell([&] {
    return fmt::format("reply to {}{}: {}", reply.request.str(),
                       found == asked_.end() ? "" : " (" + found->second + ")",
                       reply.result ? reply.result->str() : reply.result.error().message);
  });
}

}  // namespace mysos::sim
