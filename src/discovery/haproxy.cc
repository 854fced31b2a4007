// SPDX-License-Identifier: Apache-2.0
#include "discovery/haproxy.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/write.hpp>
#include <cstdlib>

#include "base/clock.h"
#include "base/find_process.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/log.h"
#include "base/process_record.h"

namespace mysos::discovery {
namespace {
constexpr Logger kLog{"haproxy"};
constexpr Duration kPoll = std::chrono::milliseconds(20);
constexpr std::size_t kMaxLine = 8000;  // HAProxy reads a command line of up to 16 kB

// What HAProxy complained of, in one line.
std::string complaint(const std::string& text) {
  std::string out;
  for (std::size_t from = 0; from < text.size();) {
    const std::size_t end = std::min(text.find('\n', from), text.size());
    const std::string line = text.substr(from, end - from);
    from = end + 1;
    if (line.find("[ALERT]") != std::string::npos) out += (out.empty() ? "" : "; ") + line;
  }
  constexpr std::size_t kMost = 1000;
  return out.substr(0, kMost);
}

}  // namespace

HaProxy::HaProxy(std::string program, std::string dir)
    : program_(std::move(program)), dir_(std::move(dir)) {}

Result<std::string> HaProxy::find_program(const std::string& name) {
  std::vector<std::string> tried{name};
  if (name.find('/') == std::string::npos) {
    const char* path = std::getenv("PATH");
    std::string folders = path != nullptr ? path : "";
    folders += ":/usr/sbin:/usr/local/sbin:/sbin";
    tried.clear();
    for (std::size_t from = 0; from < folders.size();) {
      const std::size_t end = std::min(folders.find(':', from), folders.size());
      if (end > from) tried.push_back(folders.substr(from, end - from) + "/" + name);
      from = end + 1;
    }
  }
  for (const std::string& file : tried) {
    if (::access(file.c_str(), X_OK) == 0) return file;
  }
  return fail(Errc::kNotFound, "there is no program " + name +
                                   ": apt install haproxy, or say where it is with --haproxy");
}

bool HaProxy::adopt() {
  const auto known = read_process_record(pid_file());
  auto found = known ? Process::adopt(known->pid, known->start_time) : std::unexpected(known.error());
  if (!found) found = find_unrecorded();
  if (!found) return false;
  process_ = *std::move(found);
  return true;
}

// Of a router that died before it could write the process down. Workers have the command line of their master.
Result<Process> HaProxy::find_unrecorded() const {
  const std::vector<FoundProcess> all = find_processes(socket_word(), {::geteuid()});
  for (const FoundProcess& one : all) {
    if (std::ranges::find(all, one.parent, &FoundProcess::pid) != all.end()) continue;
    const auto start_time = process_start_time(one.pid);
    if (!start_time) continue;  // it has just ended
    const std::uint64_t started = *start_time;
    MYSOS_TRY_VOID(write_file_atomic(pid_file(), to_json_text(ProcessRecord{one.pid, started}) + "\n", 0600));
    kLog.info("found process {}, which no router had written down", one.pid);
    return Process::adopt(one.pid, started);
  }
  return fail(Errc::kNotFound, "no HAProxy of this folder runs");
}

bool HaProxy::alive() { return process_ && !process_->try_wait(); }

asio::awaitable<Status> HaProxy::write_files(std::string config, std::string states) {
  MYSOS_CO_TRY_VOID(write_file_atomic(state_file(), states, 0600));
  const std::string candidate = config_file() + ".new";
  MYSOS_CO_TRY_VOID(write_file_atomic(candidate, config, 0600));
  ProcessOptions check;
  check.argv = {program_, "-c", "-f", candidate};
  MYSOS_CO_TRY(const auto checked, co_await async_run_command(std::move(check), kHaProxyStart));
  if (!checked.status.ok()) {
    co_return fail(Errc::kInvalid, "HAProxy refuses its configuration " + candidate + ": " +
                                       complaint(checked.err + checked.out));
  }
  co_return write_file_atomic(config_file(), config, 0600);
}

asio::awaitable<Status> HaProxy::start(std::string config, std::string states) {
  MYSOS_CO_TRY_VOID(co_await write_files(std::move(config), std::move(states)));
  MYSOS_CO_TRY_VOID(remove_file(socket()));
  MYSOS_CO_TRY_VOID(remove_file(log_file()));
  ProcessOptions options;
  options.argv = {program_, "-W", "-S", socket_word(), "-f", config_file()};
  options.env.emplace();
  (*options.env)["PATH"] = "/usr/sbin:/usr/bin:/sbin:/bin";  // ours may hold a token
  options.cwd = "/";
  options.stdout_file = log_file();
  MYSOS_CO_TRY(process_, Process::spawn(options));
  const ProcessRecord pid{process_->pid(), process_->start_time()};
  MYSOS_CO_TRY_VOID(write_file_atomic(pid_file(), to_json_text(pid) + "\n", 0600));
  auto up = co_await wait_for_worker({});
  if (up) {
    kLog.info("started as process {}, configuration {}", process_->pid(), config_file());
    co_return Status();
  }
  const auto log = read_file(log_file(), kMaxHaProxyLog);
  co_await stop();
  co_return fail(Errc::kUnavailable, "HAProxy did not start: " + up.error().message + "; " +
                                         complaint(log ? *log : ""));
}

// Until the master tells of a worker that is not one of these.
asio::awaitable<Result<Workers>> HaProxy::wait_for_worker(std::vector<long> not_these) {
  const Instant until = steady_now() + kHaProxyStart;
  std::string last = "no answer yet";
  while (steady_now() < until) {
    if (!alive()) co_return fail(Errc::kUnavailable, "its process has ended");
    // While the master replaces itself nobody listens at its socket.
    auto seen = co_await workers();
    if (seen && seen->failed > 0 && !not_these.empty())
      co_return fail(Errc::kUnavailable, "the new worker did not start");
    if (seen && seen->current != 0 && std::ranges::find(not_these, seen->current) == not_these.end())
      co_return *std::move(seen);
    if (!seen) last = seen.error().message;
    co_await sleep_for(kPoll);
  }
  co_return fail(Errc::kTimeout, "no new worker in time: " + last);
}

asio::awaitable<Status> HaProxy::reload(std::string config, std::string states) {
  MYSOS_CO_TRY(const Workers before, co_await workers());
  MYSOS_CO_TRY_VOID(co_await write_files(std::move(config), std::move(states)));
  if (const auto log = read_file(log_file(), kMaxHaProxyLog); !log) {
    if (::truncate(log_file().c_str(), 0) != 0) kLog.warn("cannot truncate {}", log_file());
  }
  // The master replaces itself at once: its answer, if one comes at all, says nothing.
  (void)co_await send("reload\n");
  std::vector<long> known = before.old;
  known.push_back(before.current);
  auto after = co_await wait_for_worker(std::move(known));
  if (after) co_return Status();
  co_return fail(after.error().code, "HAProxy did not reload, the configuration before is in force: " +
                                         after.error().message + "; " + log_file() + " says more");
}

asio::awaitable<Result<std::string>> HaProxy::ask(std::vector<std::string> commands, long worker) {
  const std::string prefix = worker == 0 ? "@1 " : "@!" + std::to_string(worker) + " ";
  std::string out;
  std::string line;
  for (std::size_t i = 0; i < commands.size(); ++i) {
    line += (line.empty() ? "" : "; ") + prefix + commands[i];
    if (i + 1 < commands.size() && line.size() < kMaxLine) continue;
    MYSOS_CO_TRY(const std::string answer, co_await send(line + "\n"));
    out += answer;
    line.clear();
  }
  co_return out;
}

asio::awaitable<Result<Workers>> HaProxy::workers() {
  MYSOS_CO_TRY(const std::string text, co_await send("show proc\n"));
  co_return parse_workers(text);
}

asio::awaitable<Result<std::string>> HaProxy::send(std::string line) {
  const auto executor = co_await asio::this_coro::executor;
  asio::local::stream_protocol::socket peer(executor);
  Deadline deadline(executor, kHaProxyAnswer, [&peer] {
    error_code ignored;
    peer.close(ignored);
  });
  const auto broken = [&](const char* doing, error_code ec) {
    if (deadline.expired()) return fail(Errc::kTimeout, "HAProxy did not answer in time");
    return fail(Errc::kUnavailable, std::string(doing) + " " + socket() + ": " + ec.message());
  };
  const auto [connected] =
      co_await peer.async_connect(asio::local::stream_protocol::endpoint(socket()), use_tuple);
  if (connected) co_return broken("connect to", connected);
  const auto [unsent, sent] = co_await asio::async_write(peer, asio::buffer(line), use_tuple);
  if (unsent) co_return broken("write to", unsent);
  error_code ignored;
  peer.shutdown(asio::local::stream_protocol::socket::shutdown_send, ignored);
  std::string answer;
  std::array<char, 16384> buffer{};
  while (true) {
    const auto [ec, size] = co_await peer.async_read_some(asio::buffer(buffer), use_tuple);
    answer.append(buffer.data(), size);
    if (ec == asio::error::eof) co_return answer;
    if (ec) co_return broken("read from", ec);
    if (answer.size() > kMaxHaProxyAnswer)
      co_return fail(Errc::kTooLarge, "HAProxy's answer has no end");
  }
}

asio::awaitable<void> HaProxy::stop() {
  constexpr Duration kGrace = std::chrono::seconds(5);
  if (!process_) co_return;
  (void)process_->kill(SIGTERM);
  if (!co_await process_->wait_exit_for(kGrace)) {
    // Its workers end when they see that their master has.
    (void)process_->kill_group(SIGKILL);
    co_await process_->wait_exit_for(kGrace);
  }
  process_.reset();
  (void)remove_file(pid_file());
}

}  // namespace mysos::discovery
