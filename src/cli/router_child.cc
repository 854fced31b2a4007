// SPDX-License-Identifier: Apache-2.0
#include "cli/router_child.h"

#include <unistd.h>


#include "base/backoff.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/log.h"
#include "base/process_record.h"
#include "discovery/haproxy.h"
#include "discovery/router_file.h"

namespace mysos::cli {
namespace {
constexpr Logger kLog{"router"};
constexpr Duration kGrace = std::chrono::seconds(10);
constexpr Duration kFirstBackoff = std::chrono::milliseconds(200);
constexpr Duration kMostBackoff = std::chrono::seconds(30);

std::string pid_file(const std::string& router_dir) { return router_dir + "/router.pid"; }

}  // namespace

Status note_router(const std::string& router_dir) {
  MYSOS_TRY(const std::uint64_t started, process_start_time(::getpid()));
  return write_file_atomic(pid_file(router_dir), to_json_text(ProcessRecord{::getpid(), started}) + "\n",
                           0600);
}

RouterChild::RouterChild(asio::any_io_executor executor, const ServerOptions& server,
                         std::string state_dir, std::string program)
    : server_(server),
      state_dir_(std::move(state_dir)),
      program_(std::move(program)),
      tasks_(std::move(executor)) {}

Status RouterChild::start() {
  MYSOS_TRY_VOID(discovery::HaProxy::find_program("haproxy"));
  tasks_.spawn("router process", keep());
  return {};
}

Status RouterChild::spawn() {
  ProcessOptions options;
  // Where it listens follows from the directory and the ports that are free; the token is in a file.
  options.argv = {program_, "router", "--dir", state_dir_, "--url",
                  "http://" + to_string(Endpoint{server_.listen, server_.port}), "--token-file",
                  state_dir_ + "/admin.token", "--status-port", "0", "--log-format",
                  server_.log_format == LogFormat::kJson ? "json" : "text"};
  options.cwd = "/";
  options.stdout_fd = STDERR_FILENO;
  options.stderr_fd = STDERR_FILENO;
  MYSOS_TRY(process_, Process::spawn(options));
  return {};
}

asio::awaitable<void> RouterChild::keep() {
  // One that a killed `mysos up` left behind: it may be of an older program.
  const auto noted = read_process_record(pid_file(discovery::router_dir(state_dir_)));
  if (noted) {
    if (auto old = Process::adopt(noted->pid, noted->start_time)) {
      (void)old->kill(SIGKILL);
      co_await old->wait_exit_for(kGrace);
    }
  }
  Backoff pauses{kFirstBackoff, kMostBackoff};
  while (true) {
    const Instant began = steady_now();
    const Status spawned = spawn();
    if (!spawned) kLog.warn("the router was not started: {}", spawned.error().message);
    if (spawned) {
      const ExitStatus ended = co_await process_->wait_exit();
      if (tasks_.cancelled()) co_return;  // it lives, and is stop()'s to end
      kLog.warn("the router ended ({}); it is started again", to_string(ended));
      process_.reset();
    }
    if (steady_now() - began > kMostBackoff) pauses.reset();
    co_await sleep_for(pauses.next());
  }
}

asio::awaitable<void> RouterChild::stop() {
  co_await tasks_.cancel_and_join();
  if (!process_) co_return;
  (void)process_->kill(SIGTERM);
  if (!co_await process_->wait_exit_for(kGrace)) (void)process_->kill(SIGKILL);
  process_.reset();
}

}  // namespace mysos::cli
