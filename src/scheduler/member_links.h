// SPDX-License-Identifier: Apache-2.0
#pragma once
// The connections to the members' executors: a watch stream to each target, opened again by itself
// (kWatchRetryFirst, doubling to kWatchRetryMost), and the orders under way. News goes
// to the sink as inputs of the core. Invariant: each order ends in exactly one OrderDone; the loss
// of a member's stream is reported once until the stream is back. Belongs to the thread of the
// io_context.
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "base/prng.h"
#include "base/task_group.h"
#include "core/scheduler_core.h"
#include "member/member_client.h"
#include "scheduler/cluster_secrets.h"

namespace mysos {

inline constexpr Duration kWatchOpenDeadline = std::chrono::seconds(2);
inline constexpr Duration kWatchRetryFirst = std::chrono::milliseconds(50);
inline constexpr Duration kWatchRetryMost = std::chrono::seconds(1);

class MemberLinks {
 public:
  using Sink = std::function<void(SchedulerInput)>;
  using SecretsOf = std::function<Result<ClusterSecrets>(const ClusterId&)>;
  using SetupOf = std::function<Result<json::object>(const ClusterId&)>;  // the secrets for a Setup of its members
  MemberLinks(TaskGroup& tasks, Sink sink, SecretsOf secrets_of, SetupOf setup_of, Prng prng);
  ~MemberLinks();

  // Closes links to other members, opens links to new ones.
  void watch(const std::vector<WatchTarget>& targets);
  void send(SentOrder order);
  void close() { watch({}); }
  [[nodiscard]] std::size_t open_streams() const;

 private:
  struct Link;
  asio::awaitable<void> follow(std::shared_ptr<Link> link);
  asio::awaitable<void> carry(std::shared_ptr<Link> link, SentOrder order);
  void done(const SentOrder& order, Result<MemberReport> answer);

  TaskGroup& tasks_;
  Sink sink_;
  SecretsOf secrets_of_;
  SetupOf setup_of_;
  Prng prng_;
  std::map<MemberId, std::shared_ptr<Link>> links_;  // shared with the tasks that use them
};

}  // namespace mysos
