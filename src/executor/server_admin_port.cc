// SPDX-License-Identifier: Apache-2.0
// ServerKeeper keeps the admin port for Mysos' own accounts (mysql/port_guard.h): it looks once a second who is connected.
#include "base/clock.h"
#include "base/log.h"
#include "base/pool_work.h"
#include "base/tcp_peers.h"
#include "executor/server_run.h"

namespace mysos {
namespace {

constexpr Logger kLog{"server"};

}  // namespace

asio::awaitable<void> ServerKeeper::guard_port(RunPtr run) {
  while (run_ == run) {
    co_await sleep_for(kPortLookEvery);
    if (run_ == run) co_await guard_port_once(run);
  }
}

// The server is asked only where somebody is connected: on a replica nobody is, as a rule.
asio::awaitable<void> ServerKeeper::guard_port_once(RunPtr run) {
  const auto peers = co_await run_on_pool(pools_.sockets, [port = layout_.admin_port] { return tcp_peers(port); });
  if (run_ != run || (peers && peers->empty())) co_return;
  if (!peers) co_return kLog.warn("the connections to the admin port cannot be listed: {}", peers.error().message);
  const auto found = co_await run->port_guard.look(*peers, kReadDeadline);
  if (run_ != run || !found) co_return;  // who reads the server says why
  if (found->logged_in.empty() && found->not_logged_in.empty()) co_return;
  if (run->busy) co_return;  // a plan is at work: the next look sees them again
  const Turn turn(*run);
  const Status ended = co_await run->port_guard.end(*found, kMendDeadline);
  if (!ended) kLog.warn("clients at the admin port cannot all be ended: {}", ended.error().message);
  if (run_ == run && ended) tell_strangers(run, *found);
}

void ServerKeeper::tell_strangers(const RunPtr& run, const mysql::Strangers& ended) {
  if (run->strangers_told != Instant{} && steady_now() - run->strangers_told < kTellStrangersEvery) return;
  run->strangers_told = steady_now();
  std::string who;
  for (const std::string& user : ended.users) who += (who.empty() ? "'" : ", '") + user + "'";
  const std::string sessions = who.empty() ? "connections without a login" : "sessions of " + who;
  const std::string what = sessions + " held places at the admin port, which is for Mysos' own accounts";
  tell_(member_input::Guarded{run->still_wrong, {what}});
}

}  // namespace mysos
