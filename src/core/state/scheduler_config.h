// SPDX-License-Identifier: Apache-2.0
#pragma once
// The configuration of the scheduler's brain, fixed at its start.
#include <string>
#include <vector>

#include "base/time.h"
#include "core/epochs/planner.h"
#include "model/cluster.h"
#include "model/resources.h"

namespace mysos {

struct SchedulerConfig {
  std::string framework_name = "mysos";
  std::string role = "mysos";
  std::string principal = "mysos";
  std::string user = "root";             // containers run as; mysqld drops to its own
  std::string executor_command;          // "exec /path/mysos executor"
  Labels executor_env;
  std::string webui_url;
  std::string key_id;                    // names the secret.key that encrypts the clusters' secrets
  std::string bind = "127.0.0.1";        // "" = the agent's address from the offer
  std::vector<VersionInfo> versions;     // the available versions; the first is the default
  EpochTimes times;
  Duration decline_for = std::chrono::hours(1);
  Duration orphan_grace = std::chrono::minutes(2);
  Duration order_deadline = std::chrono::seconds(10);
  Duration kill_grace = std::chrono::seconds(30);
  Duration relaunch_min = std::chrono::seconds(1);
  Duration relaunch_max = std::chrono::minutes(1);
  Duration implicit_reconcile = std::chrono::minutes(15);
};

}  // namespace mysos
