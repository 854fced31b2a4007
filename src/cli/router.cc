// SPDX-License-Identifier: Apache-2.0
// `mysos router`: HAProxy in front of the clusters, until it is asked to end.
#include <arpa/inet.h>

#include <boost/asio/signal_set.hpp>
#include <csignal>

#include "base/descriptors.h"
#include "base/log.h"
#include "cli/api_client.h"
#include "cli/commands.h"
#include "cli/router_child.h"
#include "discovery/router_loop.h"

namespace mysos::cli {
namespace {
constexpr Logger kLog{"router"};

Result<discovery::RouterOptions> router_options(const Router& command) {
  discovery::RouterOptions options;
  MYSOS_TRY(options.api, find_url(command.client));
  in6_addr address{};
  if (::inet_pton(AF_INET, command.listen.c_str(), &address) != 1 &&
      ::inet_pton(AF_INET6, command.listen.c_str(), &address) != 1) {
    return fail(Errc::kInvalid, "--listen must be an IP address, not '" + command.listen + "'",
                "listen");
  }
  MYSOS_TRY(options.ports, discovery::parse_port_range(command.ports));
  options.token = [client = command.client] { return find_token(client); };
  options.dir = discovery::router_dir(command.dir);
  options.program = command.haproxy;
  options.listen = command.listen;
  options.max_lag_s = command.max_lag_s;
  options.status_port = command.status_port;
  return options;
}

}  // namespace

Status run(const Router& command) {
  std::signal(SIGPIPE, SIG_IGN);
  raise_descriptor_limit();
  MYSOS_TRY_VOID(log_init({.level = command.log_level, .format = command.log_format}));
  MYSOS_TRY(auto options, router_options(command));
  MYSOS_TRY_VOID(find_token(command.client));
  const std::string dir = options.dir;
  asio::io_context io(1);
  discovery::RouterLoop router(io.get_executor(), std::move(options));
  MYSOS_TRY_VOID(router.open());
  MYSOS_TRY_VOID(note_router(dir));
  kLog.info("status and metrics at http://127.0.0.1:{}/status and /metrics", router.status_port());
  asio::signal_set signals(io, SIGINT, SIGTERM);
  signals.async_wait([&](error_code ec, int number) {
    if (ec) return;
    kLog.info("{}: stopping", number == SIGINT ? "interrupted" : "asked to end");
    router.end();
  });
  TaskGroup tasks(io.get_executor());
  const auto whole = [&]() -> asio::awaitable<void> {
    co_await router.serve();
    signals.cancel();
  };
  tasks.spawn("router", whole());
  io.run();
  return {};
}

}  // namespace mysos::cli
