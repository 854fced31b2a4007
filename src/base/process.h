// SPDX-License-Identifier: Apache-2.0
#pragma once
// Processes, by pidfd: a handle never refers to another process, even if the pid is reused. A
// child starts with default signals, no inherited descriptors but 0, 1, 2, and what ProcessOptions
// say. Destroying a Process object does not kill the process, so a restarted executor can find its
// mysqld again by adopt(pid, start_time).
#include <sys/resource.h>
#include <sys/types.h>

#include <csignal>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/asio.h"
#include "base/fd.h"
#include "base/result.h"

namespace mysos {

inline constexpr std::size_t kMaxCommandOutput = std::size_t{16} << 20;

struct ProcessUser {
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups = {};  // supplementary groups
  std::string home = {};
};
// From the system's accounts; kNotFound says which is missing.
Result<ProcessUser> find_user(const std::string& name);

struct ResourceLimit {
  int resource = 0;  // RLIMIT_NOFILE...
  rlim_t soft = 0;
  rlim_t hard = 0;
};

struct ProcessOptions {
  std::vector<std::string> argv;  // argv[0] without a slash is looked up in PATH
  std::optional<std::map<std::string, std::string>>
      env;  // the whole environment; ours where not given
  std::string cwd = {};
  std::optional<ProcessUser> user = {};  // drops to it, groups included, for good
  std::string stdout_file = {};          // appended to; "" = /dev/null
  std::string stderr_file = {};          // "" = where stdout goes
  int stdin_fd = -1;                     // -1 = /dev/null; these three are borrowed for the call
  int stdout_fd = -1;                    // wins over stdout_file
  int stderr_fd = -1;
  bool new_session = true;      // setsid: terminal signals do not reach it
  int parent_death_signal = 0;  // sent when the *thread* that spawned it ends
  std::vector<ResourceLimit> limits = {};
  std::vector<std::string> cgroup_procs =
      {};  // files the child writes itself into before it becomes argv
};

struct ExitStatus {
  enum class Kind { kExited, kSignaled, kGone };  // kGone: not our child, so nobody tells us how
  Kind kind = Kind::kGone;
  int value = 0;  // exit code, or signal
  [[nodiscard]] bool ok() const { return kind == Kind::kExited && value == 0; }
  auto operator<=>(const ExitStatus&) const = default;
};
std::string to_string(const ExitStatus& status);  // "exit code 1", "signal 9 (Killed)", "gone"

class Process {
 public:
  static Result<Process> spawn(const ProcessOptions& options);
  // The process `pid`, if it still is the one that started at start_time; kNotFound otherwise.
  static Result<Process> adopt(pid_t pid, std::uint64_t start_time);

  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] std::uint64_t start_time() const {
    return start_time_;
  }  // /proc/PID/stat, field 22
  [[nodiscard]] int pidfd() const { return pidfd_.get(); }

  // kNotFound when it has ended already.
  Status kill(int signal) const;
  // Also what it started: only where new_session made it the leader of its group. kNotFound once it
  // has been reaped.
  Status kill_group(int signal) const;
  // How it ended, if it has; reaps a child.
  std::optional<ExitStatus> try_wait();
  // Ends with the process. Cancelling the wait does not affect the process. Do not move or destroy
  // the object meanwhile.
  asio::awaitable<ExitStatus> wait_exit();
  // nullopt when it still runs after `at_most`.
  asio::awaitable<std::optional<ExitStatus>> wait_exit_for(Duration at_most);

 private:
  Process(pid_t pid, Fd pidfd, std::uint64_t start_time)
      : pid_(pid), pidfd_(std::move(pidfd)), start_time_(start_time) {}
  pid_t pid_ = 0;
  Fd pidfd_;
  std::uint64_t start_time_ = 0;
  std::optional<ExitStatus> ended_;
};

// Field 22 of /proc/PID/stat; kNotFound when there is no such process, or only its zombie.
Result<std::uint64_t> process_start_time(pid_t pid);

struct CommandResult {
  ExitStatus status;
  std::string
      out;  // up to kMaxCommandOutput; a command that writes more gets an error from write()
  std::string err;
};

// Runs a command to its end; its output and stdin (`input`) are ours. kTimeout kills its whole
// session. A command that fails is not an Error: look at status.
Result<CommandResult> run_command(ProcessOptions options, Duration timeout, std::string input = {});
asio::awaitable<Result<CommandResult>> async_run_command(ProcessOptions options, Duration timeout,
                                                         std::string input = {});

}  // namespace mysos
