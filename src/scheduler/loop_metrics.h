// SPDX-License-Identifier: Apache-2.0
#pragma once
// The scheduler's metrics (docs/metrics.md). Labels are clusters and closed sets of words, never
// tasks.
#include <set>
#include <string>

#include "base/metrics.h"
#include "core/scheduler_core.h"

namespace mysos {

class LoopMetrics {
 public:
  void saw_mesos_event(const mesos::Event& event);
  void sent(const SchedulerOutput& output);
  void order_done(const std::optional<Error>& error);
  void committed(double seconds);
  void commit_failed();
  void dropped_input();
  struct Now {
    bool mesos_connected = false;
    bool framework_removed = false;
    std::size_t open_streams = 0;
    std::size_t queued_inputs = 0;
    double commit_waits_s = 0;
    bool store_failing = false;
    bool log_failing = false;
    std::uint64_t events_lost = 0;
    OrphansView orphans = {};
  };
  // Prometheus' text of this moment.
  std::string render(const std::vector<ClusterView>& clusters, const Now& now);

 private:
  Metrics registry_;
  Counter mesos_events_ =
      registry_.counter("mysos_mesos_events_total", "Events heard from the Mesos master, by type");
  Counter mesos_calls_ =
      registry_.counter("mysos_mesos_calls_total", "Calls made to the Mesos master");
  Counter orders_ = registry_.counter("mysos_orders_total", "Orders given to members, by kind");
  Counter orders_done_ =
      registry_.counter("mysos_orders_done_total", "Orders that ended, by result");
  Counter events_ = registry_.counter("mysos_events_total", "Events recorded, by kind");
  Counter failovers_ =
      registry_.counter("mysos_failovers_total", "Elections of a new primary begun, by cluster and cause");
  Histogram outage_seconds_ = registry_.histogram(
      "mysos_failover_seconds", "How long a cluster took no writes in a failover, by cause and step; step=total is all of it");
  Counter seedings_ = registry_.counter("mysos_seedings_total",
                                        "Copies of a member's data from another that ended, by cluster and result");
  Histogram seeding_seconds_ =
      registry_.histogram("mysos_seeding_seconds", "How long copies of a member's data took that were done");
  Counter commit_failures_ =
      registry_.counter("mysos_store_commit_failures_total", "Commits that the store refused");
  Counter dropped_ =
      registry_.counter("mysos_inputs_dropped_total", "Inputs dropped because too many waited");
  Histogram commit_seconds_ =
      registry_.histogram("mysos_store_commit_seconds", "Time of a commit to the store");
  Gauge clusters_ = registry_.gauge("mysos_clusters", "Clusters, by state");
  Gauge members_ = registry_.gauge("mysos_members", "Members, by stage");
  Gauge epoch_ = registry_.gauge("mysos_cluster_epoch", "Epoch of a cluster");
  Gauge in_doubt_ = registry_.gauge("mysos_cluster_in_doubt",
                                    "1 while the record of a cluster may be older than what its members did");
  Gauge writable_ =
      registry_.gauge("mysos_cluster_writable", "1 where clients can write to the cluster");
  Gauge volumes_ = registry_.gauge("mysos_cluster_volumes_not_writable",
                                   "Members whose volume is full or does not answer, by cluster");
  Gauge unsound_ = registry_.gauge("mysos_cluster_unsound_replicas",
                                   "Replicas that run and could not become the primary, by cluster");
  Gauge held_back_ = registry_.gauge("mysos_cluster_held_back_replicas",
                                     "Replicas that may not acknowledge yet, because their servers start again and again");
  Gauge connected_ =
      registry_.gauge("mysos_mesos_connected", "1 while subscribed to a Mesos master");
  Gauge removed_ = registry_.gauge("mysos_framework_removed",
                                   "1 after Mesos has removed this framework, until it is registered again");
  Gauge commit_waits_ = registry_.gauge("mysos_store_commit_waiting_seconds",
                                        "For how long the oldest commit has waited to be stored; 0 = none waits");
  Gauge store_failing_ = registry_.gauge("mysos_store_write_failing",
                                         "1 while the state cannot be stored, so decisions wait");
  Gauge log_failing_ = registry_.gauge("mysos_event_log_failing", "1 while events cannot be logged; decisions continue");
  Gauge events_lost_ =
      registry_.gauge("mysos_events_lost", "Events since the start that no log has, because it failed too long");
  Gauge orphan_volumes_ = registry_.gauge("mysos_orphan_volumes", "Volumes with our label that no member owns, by fate");
  Gauge unknown_tasks_ = registry_.gauge("mysos_unknown_tasks", "Tasks of ours that the state does not know");
  Gauge streams_ = registry_.gauge("mysos_member_streams", "Open watch streams to members");
  Gauge queued_ = registry_.gauge("mysos_inputs_queued", "Inputs that wait for the core");
  Gauge resident_ =
      registry_.gauge("mysos_process_resident_bytes", "Resident memory of this process");
  std::set<std::string> known_;  // clusters with series
};

}  // namespace mysos
