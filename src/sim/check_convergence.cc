// SPDX-License-Identifier: Apache-2.0
#include "sim/check_convergence.h"

#include <fmt/format.h>

#include <algorithm>

namespace mysos::sim {

namespace {

// A replica that users did harm to, and that is repaired by its data being rebuilt.
bool harmed(const Datadir& primary, const Datadir* data) {
  return data != nullptr && (data->broken || data->held_lock || data->reset || !primary.executed.contains(data->local));
}

}  // namespace

std::optional<std::string> not_converged(const Truth& truth, const ClusterTruth& cluster,
                                         const SchedulerCore& scheduler, Instant now,
                                         Instant acked_since) {
  const auto found = scheduler.state().clusters.find(cluster.id);
  if (cluster.deleting) {
    return found == scheduler.state().clusters.end()
               ? std::nullopt
               : std::optional<std::string>("it is still being deleted");
  }
  if (found == scheduler.state().clusters.end()) return "it is unknown";
  const Cluster& c = found->second;
  const auto view = scheduler.view(c.spec.name, now);
  if (!view) return "it cannot be shown";
  const auto said = [&](const std::string& what) {
    return fmt::format("{} (state {}, {} {} {}, waiting for: {})", what, enum_text(view->state),
                       to_string(c.epoch.pair), enum_text(c.epoch.mode),
                       c.epoch.electing ? "electing" : "", view->waiting_for);
  };
  if (c.epoch.electing || !c.epoch.primary) return said("there is no primary");
  const auto lost = static_cast<std::size_t>(
      std::ranges::count_if(c.members, [&](const Member& m) { return truth.lost(cluster, m.id); }));
  const EpochMode want = c.spec.members - lost > 1 ? EpochMode::kNormal : EpochMode::kSolo;
  // The last copy beside the primary's is not thrown away while another replica may come back: it stays as it is, and the
  // cluster degraded. A cluster of two never had another one. A copy whose binary logs were reset cannot acknowledge either.
  const bool last_copy = c.spec.members - lost == 2 && lost > 0;
  const bool solo = c.epoch.mode == EpochMode::kSolo;
  const bool kept_reset = last_copy && solo && std::ranges::any_of(c.members, [&](const Member& m) {
    const Datadir* data = m.id == c.epoch.primary || truth.lost(cluster, m.id) ? nullptr : truth.data_of(cluster, m.id);
    return data != nullptr && data->reset;
  });
  if (c.epoch.mode != want && !kept_reset) return said("the mode is not as wanted");
  bool kept_harmed = false;
  std::size_t following = 0;
  bool writable = false;
  const Datadir* primary = truth.data_of(cluster, *c.epoch.primary);
  if (primary == nullptr) return said("the primary has no data");
  if (primary->reset && c.spec.members - lost > 1) return said("the binary logs of the primary were reset");
  for (SimExecutor* e : truth.containers()) {
    if (e->spec().cluster != c.id || !e->server().accepting()) continue;
    if (e->spec().member == *c.epoch.primary) {
      writable = e->server().writable();
      continue;
    }
    const ServerSnapshot s = e->server().read();
    if (harmed(*primary, e->server().data())) {
      if (!last_copy) return said(e->spec().member.str() + " is not repaired");
      kept_harmed = true;
    } else if (!s.applier_running) {
      return said("the applier of " + e->spec().member.str() + " does not run");
    }
    const Place& at = c.find(*c.epoch.primary)->place();
    const bool follows =
        s.receiver_connected && s.receiver_host == at.ip && s.receiver_port == at.source_port();
    if (follows) ++following;
  }
  if (!writable) return said("the primary is not writable");
  const std::size_t others = c.spec.members - 1 - lost;
  if (following != others && !kept_reset) return said(fmt::format("{} of {} replicas follow", following, others));
  const std::size_t ackers =
      c.spec.flavour == Flavour::kMariadb ? std::min<std::size_t>(others, 2) : others;
  const bool shut = std::ranges::any_of(c.epoch.shut_out, [&](const MemberId& m) { return !truth.lost(cluster, m); });
  if ((c.epoch.ackers.size() != ackers || shut || !c.epoch.leaving.empty()) && !kept_reset) {
    return said(fmt::format("{} of {} ackers are named", c.epoch.ackers.size(), ackers));
  }
  if (cluster.last_ack <= acked_since) return said("no write was acknowledged since");
  if (kept_harmed && !kept_reset) return std::nullopt;
  if (view->state != (lost == 0 ? ClusterState::kHealthy : ClusterState::kDegraded)) return said("its state is not as wanted");
  if (view->state == ClusterState::kDegraded && view->waiting_for.empty()) return said("it does not say why it is degraded");
  return std::nullopt;
}

}  // namespace mysos::sim
