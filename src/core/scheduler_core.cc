// SPDX-License-Identifier: Apache-2.0
// One input at a time: what it tells is noted, what is due on Mesos' side is done, then each cluster that was touched is
// planned for until its planner comes to rest.
#include "core/scheduler_core.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/assert.h"
#include "base/overloaded.h"
#include "core/cluster_view.h"
#include "core/commands.h"
#include "core/epochs/outage_clock.h"
#include "core/orders.h"
#include "core/provisioning/adoption.h"
#include "core/provisioning/launching.h"
#include "core/provisioning/provisioner.h"
#include "core/provisioning/registration.h"
#include "core/reporting/reporting.h"
#include "core/reporting/server_events.h"
#include "core/state/doubt.h"
#include "core/state/server_ids.h"
#include "core/switchover.h"

namespace mysos {
namespace {

constexpr int kMaxPlanSteps = 32;  // of one cluster in one step
constexpr Duration kPlanPause = std::chrono::milliseconds(100);  // where a planner would go on for ever
constexpr std::uint64_t kOrderIdBits = 40;  // random start, so that answers to a process before are not mistaken

}  // namespace

struct SchedulerCore::Impl {
  // What is remembered of a cluster between two plans. Volatile.
  struct Mind {
    EpochMemory memory;
    std::string waiting_for;
    std::size_t held_back = 0;
    Instant wake = kNever;
    OutageClock clock;
    bool fresh = false;  // it has not served yet since it was made
  };

  Impl(SchedulerState recovered, SchedulerConfig settings, Prng prng, Instant now)
      : config(std::move(settings)),
        ledger(std::move(recovered), prng),
        provisioner(ledger, table_of(now), config),
        orders(ledger, config.order_deadline, 1 + (ledger.prng().next() >> (64 - kOrderIdBits))) {
    for (const auto& [id, cluster] : ledger.state().clusters) {
      minds[id].fresh = cluster.epoch.mode == EpochMode::kVirgin;
      wake(id, now);
    }
  }

  MemberTable& table_of(Instant now) {
    table.sync(ledger.state(), now);
    return table;
  }

  // ---- Mesos ----
  void take(const scheduler_input::FromMesos& in, Instant now) {
    if (registration.dismissed()) return;
    std::visit(Overloaded{
                   [&](const mesos::Subscribed& e) {
                     if (registration.on(e)) provisioner.subscribed(now);
                   },
                   [&](const mesos::Disconnected&) { registration.lost("the stream to the master has ended"); },
                   [&](const mesos::MasterError& e) { registration.on(e); },
                   [](const mesos::Heartbeat&) {},
                   [](const mesos::ExecutorMessage&) {},
                   [&](const auto& e) {
                     if (registration.acts()) provisioner.on(e, now);
                   },
               },
               in.event);
  }

  // ---- users ----
  void take(const Command& in, Instant now) {
    mysos::carry_out(in, {ledger, registration, provisioner, table, config}, now);
  }
  void take(const scheduler_input::Identified& in, Instant now) {
    if (registration.acts()) provisioner.identified(in, now);
  }

  // ---- members ----
  void take(const scheduler_input::Reported& in, Instant now) {
    MemberRow* row = reported(in.report, now);
    if (row != nullptr && !std::exchange(row->connected, true)) ledger.touch(row->cluster);
  }
  void take(const scheduler_input::WatchLost& in, Instant) {
    MemberRow* row = table.find(in.member);
    if (row == nullptr || !row->connected) return;
    row->connected = false;
    ledger.touch(row->cluster);
  }
  // An answer proves that the member lived a moment ago, not that its stream is up: only the stream makes it "connected".
  void take(const scheduler_input::OrderDone& in, Instant now) {
    orders.done(in.member, in.order, now);
    if (in.report) reported(in.report, now);
    if (const MemberRow* row = table.find(in.member)) ledger.touch(row->cluster);
  }
  void take(const scheduler_input::StatePutBack& in, Instant) { doubt_all_records(ledger, in.why); }
  void take(const scheduler_input::Tick&, Instant) {}

  MemberRow* reported(const SharedValue<MemberReport>& report, Instant now) {
    MemberRow* row = note_report(ledger, table, report, now);
    if (row != nullptr) provisioner.member_spoke(report->member, now);
    return row;
  }

  // ---- plans ----
  void plan_all(Instant now) {
    std::set<ClusterId> due = ledger.take_touched();
    for (const auto& [at, id] : wakes) {
      if (at > now) break;
      due.insert(id);
    }
    for (const ClusterId& id : due) plan(id, now);
    (void)ledger.take_touched();  // by the plans themselves, which have come to rest
    if (orders.size() > table.rows().size()) {
      orders.retain([&](const MemberId& m) { return table.find(m) != nullptr; });
    }
  }

  void plan(const ClusterId& id, Instant now) {
    const Cluster* cluster = ledger.find(id);
    wake(id, kNever);
    if (cluster == nullptr) {
      minds.erase(id);
      return;
    }
    const auto [found, made] = minds.try_emplace(id);
    Mind& mind = found->second;
    if (made) mind.fresh = !cluster->doubt;  // made just now, and not adopted
    mind.waiting_for.clear();
    if (cluster->deleting || !registration.acts()) return;
    const std::vector<MemberView> members = views_of(*cluster, table);
    if (mind.fresh && cluster->epoch.mode != EpochMode::kVirgin && serves(*cluster, members)) mind.fresh = false;
    for (int steps = 0; steps < kMaxPlanSteps; ++steps) {
      EpochDecision decision = plan_epoch(*cluster, members, config.times, mind.memory, now);
      for (const auto& [member, why] : decision.held_now) ledger.event(*cluster, member, {EventKind::kMemberHeldBack, why});
      mind.held_back = decision.held_back;
      // Nothing has begun: no member got an order, and clients wrote all the time.
      if (!decision.switchover_ends.empty()) give_up_switchover(ledger, ledger.edit(id), decision.switchover_ends);
      if (!decision.next) {
        carry_out(id, decision, members, now);
        return tell_outage(*cluster, members, now);
      }
      persist(id, std::move(decision), members, now);
    }
    wake(id, now + kPlanPause);
  }

  // An outage that has ended: how long writes were away, and where the time went.
  void tell_outage(const Cluster& cluster, const std::vector<MemberView>& members, Instant now) {
    const auto primary = std::ranges::find(members, cluster.epoch.primary.value_or(MemberId()), &MemberView::id);
    if (primary == members.end() || cluster.doubt) return;
    const bool open = primary->connected && primary->report && primary->report->writable && !primary->report->busy;
    const auto ended = minds.at(cluster.id).clock.saw({serves(cluster, members), open, primary->last_seen}, now);
    if (!ended) return;
    ledger.event(cluster, primary->id,
                 {EventKind::kFailoverEnded, describe(*ended), std::string(enum_text(ended->cause)), ended->took_ms});
  }

  void persist(const ClusterId& id, EpochDecision decision, const std::vector<MemberView>& members, Instant now) {
    Cluster& cluster = ledger.edit(id);
    Mind& mind = minds.at(id);
    if (decision.cause) mind.clock.election_began(*decision.cause, decision.failed_since, now);
    if (!decision.next->electing && cluster.epoch.electing) mind.clock.primary_chosen(now);
    MYSOS_ASSERT(decision.next->pair > cluster.epoch.pair, "no pair is used twice");
    const bool elected = cluster.epoch.electing && !decision.next->electing;
    cluster.epoch = *std::move(decision.next);
    const MemberId about = cluster.epoch.primary.value_or(MemberId());
    // An election that ends with another primary has overtaken the switchover, whatever it is called.
    if (elected) {
      cluster.switchover_to.reset();
      cluster.failover.reset();
      end_doubt(cluster, members, ledger.prng());
    }
    if (cluster.doubt) cluster.doubt->asking = cluster.epoch.pair.epoch;
    const std::string cause = decision.cause ? std::string(enum_text(*decision.cause)) : std::string();
    ledger.event(cluster, about, {decision.kind, std::move(decision.why), cause});
  }

  void carry_out(const ClusterId& id, const EpochDecision& decision, const std::vector<MemberView>& members, Instant now) {
    const Cluster& cluster = *ledger.find(id);
    Mind& mind = minds.at(id);
    mind.waiting_for = decision.waiting_for;
    Instant at = decision.revisit;
    for (const MemberView& view : members) {
      const bool bare = lacks_secrets(cluster, view);
      const auto wanted = std::ranges::find_if(decision.orders, [&](const auto& entry) { return entry.first == view.id; });
      std::optional<Order> order;
      if (wanted != decision.orders.end()) order = with_server_id(ledger, id, view, wanted->second, mind.waiting_for);
      if (!order) order = introduction(cluster, view);
      at = std::min(at, orders.want(view.id, bare, order, now));
    }
    wake(id, at);
  }

  // When the cluster is planned for again at the latest.
  void wake(const ClusterId& id, Instant at) {
    const auto mind = minds.find(id);
    if (mind == minds.end() || mind->second.wake == at) return;
    wakes.erase({mind->second.wake, id});
    mind->second.wake = at;
    if (at != kNever) wakes.emplace(at, id);
  }

  // ---- outside ----
  void step(const SchedulerInput& input, Instant now) {
    std::visit([&](const auto& in) { take(in, now); }, input);
    if (registration.subscribed() && now >= provisioner.next()) provisioner.advance(now);
    plan_all(now);
    ledger.seal();
  }

  [[nodiscard]] Instant next_deadline() const {
    const Instant at = registration.subscribed() ? provisioner.next() : kNever;
    return wakes.empty() ? at : std::min(at, wakes.begin()->first);
  }

  [[nodiscard]] ClusterView view_of(const Cluster& cluster) const {
    ClusterView view;
    view.cluster = &cluster;
    view.members = views_of(cluster, table);
    const auto mind = minds.find(cluster.id);
    view.state = state_of(cluster, view.members, mind != minds.end() && mind->second.fresh);
    if (mind != minds.end()) view.held_back = mind->second.held_back;
    view.waiting_for = registration.problem();
    if (!registration.acts()) {
      if (view.state == ClusterState::kFailingOver) view.state = ClusterState::kUnavailable;  // no failover will come
      view.state = state_beside(view.state, view.waiting_for);
      return view;
    }
    const std::string master = view.waiting_for.empty() ? "a Mesos master" : "a Mesos master (" + view.waiting_for + ")";
    view.waiting_for = cluster.doubt ? "" : provisioner.waiting_for(cluster);
    if (cluster.sealed_secrets.empty()) view.waiting_for = waits_for_secrets(cluster, table);
    if (!view.waiting_for.empty() && !registration.subscribed()) view.waiting_for = master + "; then " + view.waiting_for;
    if (view.waiting_for.empty() && mind != minds.end()) view.waiting_for = mind->second.waiting_for;
    view.state = state_beside(view.state, view.waiting_for);
    return view;
  }

  const SchedulerConfig config;
  Ledger ledger;
  Registration registration{ledger};
  MemberTable table;
  Provisioner provisioner;
  OrderDesk orders;
  std::map<ClusterId, Mind> minds;
  std::set<std::pair<Instant, ClusterId>> wakes;  // of the minds, soonest first
};

SchedulerCore::SchedulerCore(SchedulerState recovered, SchedulerConfig config, Prng prng, Instant now)
    : impl_(std::make_unique<Impl>(std::move(recovered), std::move(config), prng, now)) {}
SchedulerCore::~SchedulerCore() = default;

void SchedulerCore::step(const SchedulerInput& input, Instant now) { impl_->step(input, now); }
SchedulerOutput SchedulerCore::take_output() { return impl_->ledger.take(); }
Instant SchedulerCore::next_deadline() const { return impl_->next_deadline(); }
const SchedulerState& SchedulerCore::state() const { return impl_->ledger.state(); }
bool SchedulerCore::connected() const { return impl_->registration.subscribed(); }
bool SchedulerCore::removed() const { return impl_->registration.removed(); }
const std::string& SchedulerCore::mesos_problem() const { return impl_->registration.problem(); }

OrphansView SchedulerCore::orphans() const { return impl_->provisioner.orphans(); }

mesos::FrameworkInfo SchedulerCore::framework_info() const {
  return framework_of(impl_->config, impl_->ledger.state().framework);
}

std::vector<WatchTarget> SchedulerCore::watch_targets() const {
  std::vector<WatchTarget> out;
  for (const auto& [id, cluster] : impl_->ledger.state().clusters) {
    for (const Member& m : cluster.members) {
      if (m.stage != MemberStage::kLaunching && m.stage != MemberStage::kRunning) continue;
      if (cluster.sealed_secrets.empty()) continue;  // nobody knows yet what to show to its members
      out.push_back({m.id, id, m.task, m.place().ip, m.place().api_port});
    }
  }
  return out;
}

std::vector<ClusterView> SchedulerCore::views(Instant) const {
  std::vector<ClusterView> out;
  for (const auto& [id, cluster] : impl_->ledger.state().clusters) out.push_back(impl_->view_of(cluster));
  return out;
}

std::optional<ClusterView> SchedulerCore::view(const std::string& name, Instant) const {
  const Cluster* cluster = impl_->ledger.find_by_name(name);
  if (cluster == nullptr) return std::nullopt;
  return impl_->view_of(*cluster);
}

}  // namespace mysos
