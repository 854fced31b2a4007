// SPDX-License-Identifier: Apache-2.0
#include "mysql/server_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <algorithm>
#include <set>

#include "base/clock.h"
#include "base/find_process.h"
#include "base/fs.h"
#include "base/process_record.h"
#include "base/secret.h"
#include "mysql/datadir.h"

namespace mysos::mysql {
namespace {

constexpr std::size_t kMaxSocketPath = sizeof(sockaddr_un::sun_path) - 1;
constexpr Duration kReadyPoll = std::chrono::milliseconds(5);
constexpr Duration kConnectTimeout = std::chrono::seconds(2);
constexpr std::size_t kLogTail = 1500;
constexpr rlim_t kOpenFiles = 65536;

std::string config_word(const ServerLayout& layout) { return "--defaults-file=" + layout.config; }

// Also a server whose executor died before it could write down the pid. It runs as us, until it has become the owner of its
// data.
std::vector<FoundProcess> find_servers(const ServerLayout& layout) {
  std::set<uid_t> users{::geteuid()};
  struct stat st{};
  if (::lstat(layout.datadir.c_str(), &st) == 0) users.insert(st.st_uid);
  return find_processes(config_word(layout), users);
}

Status write_owned(const std::string& path, const std::string& content, const std::optional<ProcessUser>& user) {
  MYSOS_TRY_VOID(write_file_atomic(path, content, 0600));
  if (user && ::lchown(path.c_str(), user->uid, user->gid) != 0) return std::unexpected(errno_error("chown", path, errno));
  return {};
}

// Others may pass through the member's folder to what they own, and list nothing.
constexpr mode_t kPassableDir = 0711;

// Servers may run as another user than before.
Status hand_over_files(const ServerLayout& at, const std::optional<ProcessUser>& user) {
  if (::chmod(at.dir.c_str(), kPassableDir) != 0) return std::unexpected(errno_error("close", at.dir, errno));
  for (const std::string& path : {at.datadir, at.files_dir, at.temp_dir, at.error_log}) {
    MYSOS_TRY_VOID(hand_over(path, user));
  }
  // It may be in /tmp, where anybody can have made it; what is in it is made again.
  struct stat st{};
  const bool foreign = user && ::lstat(at.run_dir.c_str(), &st) == 0 && st.st_uid != user->uid;
  return foreign ? remove_tree(at.run_dir) : Status();
}

Status write_files(const ServerSpec& spec, const Secrets& secrets) {
  const ServerLayout& at = spec.layout;
  MYSOS_TRY_VOID(hand_over_files(at, spec.user));
  MYSOS_TRY_VOID(make_owned_dir(at.run_dir, spec.user, 0700));
  MYSOS_TRY_VOID(make_owned_dir(at.files_dir, spec.user, 0700));
  MYSOS_TRY_VOID(make_owned_dir(at.temp_dir, spec.user, 0700));
  const ConfigInput in{.memory = spec.memory,
                       .cpus = spec.cpus,
                       .port = spec.port,
                       .bind_address = spec.bind_address,
                       .admin_port = at.admin_port,
                       .report_host = spec.report_host,
                       .server_id = spec.server_id,
                       .datadir = at.datadir,
                       .socket = at.socket,
                       .error_log = at.error_log,
                       .pid_file = at.pid_file,
                       .init_file = at.init_file,
                       .temp_dir = at.temp_dir,
                       .files_dir = at.files_dir,
                       .any_engine = spec.any_engine,
                       .user_settings = spec.user_settings};
  MYSOS_TRY(const std::string config, server_config(spec.distribution, in));
  MYSOS_TRY_VOID(write_owned(at.config, config, spec.user));
  MYSOS_TRY_VOID(write_owned(at.init_file, init_sql(flavour(spec.distribution.kind), secrets), spec.user));
  if (!path_exists(at.error_log)) MYSOS_TRY_VOID(write_owned(at.error_log, "", spec.user));
  return {};
}

}  // namespace

ServerLayout server_layout(const std::string& dir) {
  ServerLayout out;
  out.dir = dir;
  out.datadir = dir + "/data";
  out.temp_dir = dir + "/tmp";
  out.run_dir = dir + "/run";
  if ((out.run_dir + "/mysqld.sock.lock").size() > kMaxSocketPath) {
    out.run_dir = "/tmp/mysos-" + hash_token(dir).substr(0, 16);
  }
  out.socket = out.run_dir + "/mysqld.sock";
  out.pid_file = out.run_dir + "/mysqld.pid";
  out.init_file = out.run_dir + "/accounts.sql";
  out.config = dir + "/my.cnf";
  out.error_log = dir + "/error.log";
  out.state_file = dir + "/server.json";
  out.files_dir = dir + "/files";
  return out;
}

SessionTarget admin_target(const ServerLayout& layout, const Secrets& secrets) {
  return {.socket = layout.socket,
          .host = layout.admin_host,
          .port = layout.admin_port,
          .user = std::string(kAdminAccount),
          .password = secrets.admin_password};
}

Result<ServerProcess> ServerProcess::start(const ServerSpec& spec, const Secrets& secrets) {
  const ServerLayout& at = spec.layout;
  if (const auto running = find_servers(at); !running.empty()) {
    return fail(Errc::kConflict, fmt::format("a server of {} already runs, with pid {}", at.dir, running.front().pid));
  }
  MYSOS_TRY_VOID(write_files(spec, secrets));
  ProcessOptions options{.argv = {spec.distribution.server, config_word(at)}};
  options.cwd = at.datadir;
  options.user = spec.user;
  options.stdout_file = at.error_log;
  options.limits = {{RLIMIT_CORE, 0, 0}};
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0) {
    options.limits.push_back({RLIMIT_NOFILE, std::min(files.rlim_max, kOpenFiles), files.rlim_max});
  }
  options.cgroup_procs = spec.cgroup_procs;
  auto process = Process::spawn(options);
  if (!process) return std::unexpected(std::move(process).error().with_context("start " + spec.distribution.server));
  const ProcessRecord state{.pid = process->pid(), .start_time = process->start_time()};
  if (auto written = write_file_atomic(at.state_file, to_json_text(state), 0600); !written) {
    (void)process->kill(SIGKILL);
    return std::unexpected(std::move(written).error());
  }
  return ServerProcess(*std::move(process), at);
}

std::optional<ServerProcess> ServerProcess::adopt(const ServerLayout& layout) {
  const auto noted = read_process_record(layout.state_file);
  const std::vector<FoundProcess> running = find_servers(layout);
  for (const FoundProcess& found : running) {
    if (!noted || found.pid != noted->pid) continue;
    if (auto process = Process::adopt(noted->pid, noted->start_time)) return ServerProcess(*std::move(process), layout);
  }
  if (running.empty()) return std::nullopt;
  const pid_t pid = running.front().pid;
  const auto started = process_start_time(pid);
  if (!started) return std::nullopt;
  auto process = Process::adopt(pid, *started);
  if (!process) return std::nullopt;
  (void)write_file_atomic(layout.state_file, to_json_text(ProcessRecord{.pid = pid, .start_time = *started}), 0600);
  return ServerProcess(*std::move(process), layout);
}

std::string ServerProcess::incarnation() const { return fmt::format("{}-{}", process_.pid(), process_.start_time()); }

std::string ServerProcess::last_words() const {
  const Fd fd(::open(layout_.error_log.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return {};
  const off_t size = ::lseek(fd.get(), 0, SEEK_END);
  std::string text(std::min<std::size_t>(kLogTail, size > 0 ? static_cast<std::size_t>(size) : 0), '\0');
  const ssize_t n = ::pread(fd.get(), text.data(), text.size(), size - static_cast<off_t>(text.size()));
  text.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  return text;
}

asio::awaitable<Status> ServerProcess::wait_ready(Secrets secrets, Duration at_most) {
  const Instant until = steady_now() + at_most;
  const auto executor = co_await asio::this_coro::executor;
  std::string last;
  for (;;) {
    if (const auto ended = process_.try_wait()) {
      co_return fail(Errc::kIo, fmt::format("the server ended ({}) before it served: {}", to_string(*ended), last_words()));
    }
    if (path_exists(layout_.socket)) {
      Session session(executor, admin_target(layout_, secrets));
      const auto connected = co_await session.connect(std::min(kConnectTimeout, until - steady_now()));
      if (connected) break;
      last = connected.error().message;
      if (connected.error().code == Errc::kUnauthorized) co_return std::unexpected(connected.error());
    }
    if (steady_now() >= until) {
      co_return fail(Errc::kTimeout, fmt::format("the server does not serve yet: {}: {}", last, last_words()));
    }
    co_await sleep_for(kReadyPoll);
  }
  co_return remove_file(layout_.init_file);
}

asio::awaitable<ExitStatus> ServerProcess::shutdown(Duration grace) {
  (void)process_.kill(SIGTERM);
  const auto ended = co_await process_.wait_exit_for(grace);
  if (ended) co_return *ended;
  (void)process_.kill(SIGKILL);
  co_return co_await process_.wait_exit();
}

}  // namespace mysos::mysql
