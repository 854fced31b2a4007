// SPDX-License-Identifier: Apache-2.0
#include "scheduler/loop_metrics.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>

#include "base/fs.h"
#include "core/cluster_view.h"

namespace mysos {
namespace {

// In the order of mesos::Event.
constexpr std::array<const char*, std::variant_size_v<mesos::Event>> kEventNames{
    "subscribed",       "heartbeat", "offers",  "rescind", "update",
    "update_operation", "message",   "failure", "error",   "disconnected"};

double resident_bytes() {
  const auto statm = read_file("/proc/self/statm", 4096);
  unsigned long total = 0;
  unsigned long resident = 0;
  if (!statm || std::sscanf(statm->c_str(), "%lu %lu", &total, &resident) != 2) return 0;
  return static_cast<double>(resident) * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

std::size_t volumes_not_writable(const ClusterView& view) {
  return static_cast<std::size_t>(std::ranges::count_if(view.members, [](const MemberView& v) {
    return v.connected && v.report && !v.report->write_trouble.empty();
  }));
}

bool is_writable(const ClusterView& view) {
  const MemberView* primary = known_primary(view);
  return primary != nullptr && primary->report && primary->connected && primary->report->writable &&
         primary->report->write_trouble.empty();
}

}  // namespace

void LoopMetrics::saw_mesos_event(const mesos::Event& event) {
  mesos_events_.inc({{"type", kEventNames[event.index()]}});
}

void LoopMetrics::sent(const SchedulerOutput& output) {
  if (!output.calls.empty()) mesos_calls_.inc({}, static_cast<double>(output.calls.size()));
  for (const SentOrder& order : output.orders)
    orders_.inc({{"order", std::string(order_name(order.order))}});
  for (const Event& event : output.events) {
    events_.inc({{"kind", std::string(enum_text(event.kind))}});
    if (event.kind == EventKind::kFailoverStarted) failovers_.inc({{"cluster", event.cluster}, {"cause", event.cause}});
    if (event.kind == EventKind::kSeedingDone) {
      seedings_.inc({{"cluster", event.cluster}, {"result", "done"}});
      seeding_seconds_.observe(static_cast<double>(event.took_ms.at("total")) / 1000);
    }
    if (event.kind == EventKind::kSeedingFailed) seedings_.inc({{"cluster", event.cluster}, {"result", "failed"}});
    if (event.kind != EventKind::kFailoverEnded) continue;
    for (const auto& [step, ms] : event.took_ms) {
      outage_seconds_.observe(static_cast<double>(ms) / 1000, {{"cause", event.cause}, {"step", step}});
    }
  }
}

void LoopMetrics::order_done(const std::optional<Error>& error) {
  orders_done_.inc({{"result", error ? std::string(to_string(error->code)) : "ok"}});
}

void LoopMetrics::committed(double seconds) { commit_seconds_.observe(seconds); }
void LoopMetrics::commit_failed() { commit_failures_.inc(); }
void LoopMetrics::dropped_input() { dropped_.inc(); }

std::string LoopMetrics::render(const std::vector<ClusterView>& clusters, const Now& now) {
  std::map<std::string, double> states;
  std::map<std::string, double> stages;
  for (const auto& name : enum_names(ClusterState{})) states[std::string(name.text)] = 0;
  for (const auto& name : enum_names(MemberStage{})) stages[std::string(name.text)] = 0;
  std::set<std::string> present;
  for (const ClusterView& view : clusters) {
    const std::string& name = view.cluster->spec.name;
    present.insert(name);
    ++states[std::string(enum_text(view.state))];
    for (const Member& member : view.cluster->members)
      ++stages[std::string(enum_text(member.stage))];
    epoch_.set(static_cast<double>(known_pair(view).epoch), {{"cluster", name}});
    in_doubt_.set(view.cluster->doubt ? 1 : 0, {{"cluster", name}});
    writable_.set(is_writable(view) ? 1 : 0, {{"cluster", name}});
    volumes_.set(static_cast<double>(volumes_not_writable(view)), {{"cluster", name}});
    held_back_.set(static_cast<double>(view.held_back), {{"cluster", name}});
    unsound_.set(static_cast<double>(unsound_replicas(view)), {{"cluster", name}});
  }
  for (const std::string& name : known_) {
    if (!present.contains(name)) registry_.forget("cluster", name);
  }
  known_ = std::move(present);
  for (const auto& [state, count] : states) clusters_.set(count, {{"state", state}});
  for (const auto& [stage, count] : stages) members_.set(count, {{"stage", stage}});
  connected_.set(now.mesos_connected ? 1 : 0);
  removed_.set(now.framework_removed ? 1 : 0);
  commit_waits_.set(now.commit_waits_s);
  store_failing_.set(now.store_failing ? 1 : 0);
  std::map<std::string, double> fates;
  for (const auto& name : enum_names(OrphanFate{})) fates[std::string(name.text)] = 0;
  for (const OrphanVolume& orphan : now.orphans.volumes) {
    if (!orphan.volume.empty()) ++fates[std::string(enum_text(orphan.fate))];
  }
  log_failing_.set(now.log_failing ? 1 : 0);
  events_lost_.set(static_cast<double>(now.events_lost));
  for (const auto& [fate, count] : fates) orphan_volumes_.set(count, {{"fate", fate}});
  unknown_tasks_.set(static_cast<double>(now.orphans.tasks.size()));
  streams_.set(static_cast<double>(now.open_streams));
  queued_.set(static_cast<double>(now.queued_inputs));
  resident_.set(resident_bytes());
  return registry_.render();
}

}  // namespace mysos
