// SPDX-License-Identifier: Apache-2.0
#pragma once
// What an executor observes around it: whether a scheduler watches it, which other members' executors answer, and whether its
// volume takes writes. Reports changes to the loop.
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/asio.h"
#include "base/http/client.h"
#include "base/task_group.h"
#include "core/member/member_core.h"
#include "executor/volume_probe.h"

namespace mysos {

inline constexpr Duration kPeerEvery = std::chrono::milliseconds(500);
inline constexpr Duration kPeerDeadline = std::chrono::seconds(1);

class Surroundings {
 public:
  struct Eyes {
    std::function<std::vector<Peer>()> peers;  // the members to watch
    std::function<bool()> watched;             // a scheduler has a stream of reports open
    std::function<void(MemberInput)> tell;
  };
  Surroundings(TaskGroup& tasks, std::string probe_dir, Eyes eyes);
  void start();

 private:
  asio::awaitable<void> look();
  asio::awaitable<void> ask(Peer peer);

  TaskGroup& tasks_;
  Eyes eyes_;
  VolumeProbe probe_;
  HttpClient client_;
  std::set<MemberId> asking_;   // at most one question under way to each
  std::set<MemberId> reached_;  // by the last answer
};

}  // namespace mysos
