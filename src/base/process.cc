// SPDX-License-Identifier: Apache-2.0
#include "base/process.h"

#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <sys/wait.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <cerrno>
#include <cstring>
#include <sstream>

#include "base/fs.h"
#include "base/process_spawn.h"

namespace mysos {
namespace {
constexpr int kMaxGroups = 1024;
constexpr int kStartTimeAfterName =
    19;  // field 22; the name is field 2, what follows starts with field 3

struct StatLine {
  char state = '?';
  std::uint64_t start_time = 0;
};

// proc(5): "pid (name) state ppid ..."; the name may hold anything, also ")".
Result<StatLine> read_stat(pid_t pid) {
  const std::string path = "/proc/" + std::to_string(pid) + "/stat";
  const auto missing = [&] {
    return fail(Errc::kNotFound, "there is no process " + std::to_string(pid));
  };
  const auto text = read_file(path);
  if (!text) return missing();
  const auto name_end = text->rfind(')');
  if (name_end == std::string::npos) return missing();
  std::istringstream rest(text->substr(name_end + 1));
  StatLine line;
  rest >> line.state;
  std::string skipped;
  for (int i = 1; i < kStartTimeAfterName; ++i) rest >> skipped;
  rest >> line.start_time;
  if (!rest) return missing();
  return line;
}

bool is_over(const StatLine& line) { return line.state == 'Z' || line.state == 'X'; }

bool readable(int fd) {
  pollfd p{fd, POLLIN, 0};
  return ::poll(&p, 1, 0) > 0;
}
}  // namespace

Result<ProcessUser> find_user(const std::string& name) {
  std::string buffer(std::size_t{64} * 1024, '\0');
  passwd entry{};
  passwd* found = nullptr;
  const int why = ::getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
  if (found == nullptr) {
    if (why != 0) return std::unexpected(errno_error("look up the user", name, why));
    return fail(Errc::kNotFound, "there is no user '" + name + "' on this machine");
  }
  ProcessUser user{.uid = entry.pw_uid, .gid = entry.pw_gid, .home = entry.pw_dir};
  user.groups.resize(kMaxGroups);
  int count = kMaxGroups;
  if (::getgrouplist(name.c_str(), entry.pw_gid, user.groups.data(), &count) < 0) {
    return fail(Errc::kTooLarge, "the user '" + name + "' is in too many groups");
  }
  user.groups.resize(static_cast<std::size_t>(count));
  return user;
}

std::string to_string(const ExitStatus& status) {
  switch (status.kind) {
    case ExitStatus::Kind::kExited:
      return "exit code " + std::to_string(status.value);
    case ExitStatus::Kind::kSignaled: {
      const char* name = ::sigdescr_np(status.value);
      return "signal " + std::to_string(status.value) +
             (name != nullptr ? " (" + std::string(name) + ")" : "");
    }
    case ExitStatus::Kind::kGone:
      return "gone";
  }
  return "gone";
}

Result<std::uint64_t> process_start_time(pid_t pid) {
  MYSOS_TRY(const StatLine line, read_stat(pid));
  if (is_over(line)) return fail(Errc::kNotFound, "process " + std::to_string(pid) + " has ended");
  return line.start_time;
}

Result<Process> Process::spawn(const ProcessOptions& options) {
  MYSOS_TRY(Spawned child, spawn_child(options));
  const auto line = read_stat(child.pid);  // there until we reap it, as a zombie at least
  return Process(child.pid, std::move(child.pidfd), line ? line->start_time : 0);
}

Result<Process> Process::adopt(pid_t pid, std::uint64_t start_time) {
  Fd pidfd(open_pidfd(pid));
  if (!pidfd.valid()) {
    if (errno == ESRCH) return fail(Errc::kNotFound, "there is no process " + std::to_string(pid));
    return std::unexpected(errno_error("watch", "process " + std::to_string(pid), errno));
  }
  // The handle was opened first: if the process behind the pid is still the old one now, it was
  // then.
  MYSOS_TRY(const std::uint64_t now, process_start_time(pid));
  if (now != start_time) {
    return fail(Errc::kNotFound, "process " + std::to_string(pid) + " is a different process now");
  }
  return Process(pid, std::move(pidfd), start_time);
}

Status Process::kill(int signal) const {
  if (ended_) return fail(Errc::kNotFound, "process " + std::to_string(pid_) + " has ended");
  if (signal_pidfd(pidfd_.get(), signal) == 0) return {};
  if (errno == ESRCH)
    return fail(Errc::kNotFound, "process " + std::to_string(pid_) + " has ended");
  return std::unexpected(errno_error("signal", "process " + std::to_string(pid_), errno));
}

Status Process::kill_group(int signal) const {
  // Until the leader has been reaped, its pid, and so the group's, is nobody else's.
  MYSOS_TRY_VOID(kill(0));
  if (::kill(-pid_, signal) == 0) return {};
  if (errno == ESRCH) return fail(Errc::kNotFound, "no process group " + std::to_string(pid_));
  return std::unexpected(errno_error("signal", "process group " + std::to_string(pid_), errno));
}

std::optional<ExitStatus> Process::try_wait() {
  if (ended_) return ended_;
  siginfo_t info{};
  const int result = ::waitid(P_PIDFD, static_cast<id_t>(pidfd_.get()), &info, WEXITED | WNOHANG);
  if (result == 0 && info.si_pid == 0) return std::nullopt;
  if (result == 0) {
    const bool exited = info.si_code == CLD_EXITED;
    ended_ = ExitStatus{exited ? ExitStatus::Kind::kExited : ExitStatus::Kind::kSignaled,
                        info.si_status};
  } else if (readable(pidfd_.get())) {  // no child of ours
    ended_ = ExitStatus{};
  }
  return ended_;
}

asio::awaitable<ExitStatus> Process::wait_exit() {
  const auto status = co_await wait_exit_for(Duration::max());
  co_return status.value_or(ExitStatus{});
}

asio::awaitable<std::optional<ExitStatus>> Process::wait_exit_for(Duration at_most) {
  if (const auto status = try_wait()) co_return status;
  const auto executor = co_await asio::this_coro::executor;
  asio::posix::stream_descriptor ending(executor, ::dup(pidfd_.get()));
  const Deadline deadline(executor, at_most, [&ending] { ending.close(); });
  while (!deadline.expired()) {
    const auto [ec] =
        co_await ending.async_wait(asio::posix::stream_descriptor::wait_read, use_tuple);
    if (const auto status = try_wait()) co_return status;
    if (ec) break;
  }
  co_return std::nullopt;
}

}  // namespace mysos
