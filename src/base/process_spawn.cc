// SPDX-License-Identifier: Apache-2.0
#include "base/process_spawn.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "base/descriptors.h"
#include "base/fs.h"

namespace mysos {
namespace {
constexpr int kFirstFree = 3;
constexpr mode_t kLogFileMode = 0640;

enum class Step { kCgroup, kLimit, kStreams, kGroups, kUser, kFolder, kParent, kExec };

const char* to_text(Step step) {
  switch (step) {
    case Step::kCgroup:
      return "join the cgroup";
    case Step::kLimit:
      return "set a resource limit";
    case Step::kStreams:
      return "connect its output";
    case Step::kGroups:
      return "set its groups";
    case Step::kUser:
      return "become the user";
    case Step::kFolder:
      return "enter the folder";
    case Step::kParent:
      return "follow its parent";
    case Step::kExec:
      return "run the program";
  }
  return "start";
}

struct Failure {
  Step step;
  int errno_value;
};

// Everything the child needs, made before the fork.
struct Plan {
  const ProcessOptions* options = nullptr;
  std::string program;
  std::vector<char*> argv;
  std::vector<std::string> env_text;
  std::vector<char*> env;
  Fd in;
  Fd out;
  Fd err;
  Fd report;
  pid_t parent = 0;
};

[[noreturn]] void give_up(const Plan& plan, Step step) {
  const Failure failure{step, errno};
  [[maybe_unused]] const ssize_t n = ::write(plan.report.get(), &failure, sizeof failure);
  ::_exit(127);
}

void check(bool good, const Plan& plan, Step step) {
  if (!good) give_up(plan, step);
}

void default_signals() {
  for (int signal = 1; signal < NSIG; ++signal)
    ::signal(signal, SIG_DFL);  // the unchangeable ones fail
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

void join_cgroup(const Plan& plan, const char* file) {
  const int fd = ::open(file, O_WRONLY | O_CLOEXEC);
  check(fd >= 0 && ::write(fd, "0", 1) == 1, plan, Step::kCgroup);  // 0 is whoever writes
  ::close(fd);
}

void become_user(const Plan& plan, const ProcessUser& user) {
  check(::setgroups(user.groups.size(), user.groups.data()) == 0, plan, Step::kGroups);
  check(::setresgid(user.gid, user.gid, user.gid) == 0, plan, Step::kGroups);
  check(::setresuid(user.uid, user.uid, user.uid) == 0, plan, Step::kUser);
}

void keep_only_streams(int report) {
  if (::close_range(kFirstFree, ~0U, CLOSE_RANGE_CLOEXEC) == 0) return;
  const long limit = ::sysconf(_SC_OPEN_MAX);
  for (int fd = kFirstFree; fd < limit; ++fd) {
    if (fd != report) ::close(fd);
  }
}

[[noreturn]] void become_program(const Plan& plan) {
  const ProcessOptions& options = *plan.options;
  default_signals();
  if (options.new_session) ::setsid();
  for (const auto& file : options.cgroup_procs) join_cgroup(plan, file.c_str());
  check(restore_descriptor_limit(), plan, Step::kLimit);
  for (const auto& limit : options.limits) {
    const rlimit value{limit.soft, limit.hard};
    check(::setrlimit(static_cast<__rlimit_resource_t>(limit.resource), &value) == 0, plan,
          Step::kLimit);
  }
  const bool connected = ::dup2(plan.in.get(), 0) == 0 && ::dup2(plan.out.get(), 1) == 1 &&
                         ::dup2(plan.err.get(), 2) == 2;
  check(connected, plan, Step::kStreams);
  if (options.user) become_user(plan, *options.user);
  if (!options.cwd.empty()) check(::chdir(options.cwd.c_str()) == 0, plan, Step::kFolder);
  if (options.parent_death_signal != 0) {  // after the change of user, which forgets it
    check(::prctl(PR_SET_PDEATHSIG, options.parent_death_signal) == 0, plan, Step::kParent);
    errno = ESRCH;
    check(::getppid() == plan.parent, plan, Step::kParent);
  }
  keep_only_streams(plan.report.get());
  ::execve(plan.program.c_str(), plan.argv.data(), plan.env.data());
  give_up(plan, Step::kExec);
}

// A copy out of the way of 0, 1 and 2.
Result<Fd> out_of_the_way(int fd) {
  Fd copy(::fcntl(fd, F_DUPFD_CLOEXEC, kFirstFree));
  if (!copy.valid())
    return std::unexpected(errno_error("use the descriptor", std::to_string(fd), errno));
  return copy;
}

Result<Fd> open_stream(const std::string& file, int flags) {
  const Fd fd(::open(file.c_str(), flags | O_CLOEXEC, kLogFileMode));
  if (!fd.valid()) return std::unexpected(errno_error("open", file, errno));
  return out_of_the_way(fd.get());
}

Result<Fd> output_stream(int given, const std::string& file) {
  if (given >= 0) return out_of_the_way(given);
  if (file.empty()) return open_stream("/dev/null", O_WRONLY);
  return open_stream(file, O_WRONLY | O_CREAT | O_APPEND);
}

Status connect_streams(const ProcessOptions& options, Plan& plan) {
  MYSOS_TRY(plan.in, options.stdin_fd >= 0 ? out_of_the_way(options.stdin_fd)
                                           : open_stream("/dev/null", O_RDONLY));
  MYSOS_TRY(plan.out, output_stream(options.stdout_fd, options.stdout_file));
  const bool own = options.stderr_fd >= 0 || !options.stderr_file.empty();
  MYSOS_TRY(plan.err, own ? output_stream(options.stderr_fd, options.stderr_file)
                          : out_of_the_way(plan.out.get()));
  return {};
}

Result<std::string> find_program(const ProcessOptions& options) {
  const std::string& name = options.argv.front();
  if (name.find('/') != std::string::npos) return name;
  std::string path = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin";
  if (options.env && options.env->contains("PATH")) {
    path = options.env->at("PATH");
  } else if (const char* ours = std::getenv("PATH"); ours != nullptr && !options.env) {
    path = ours;
  }
  for (std::size_t start = 0; start <= path.size();) {
    const std::size_t end = std::min(path.find(':', start), path.size());
    const std::string candidate = path.substr(start, end - start) + "/" + name;
    if (end > start && ::access(candidate.c_str(), X_OK) == 0) return candidate;
    start = end + 1;
  }
  return fail(Errc::kNotFound, "the program '" + name + "' is not in PATH (" + path + ")");
}

void set_environment(const ProcessOptions& options, Plan& plan) {
  if (options.env) {
    for (const auto& [name, value] : *options.env) plan.env_text.push_back(name + "=" + value);
    for (auto& text : plan.env_text) plan.env.push_back(text.data());
  } else {
    for (char** e = environ; *e != nullptr; ++e) plan.env.push_back(*e);
  }
  plan.env.push_back(nullptr);
}

Result<Plan> make_plan(const ProcessOptions& options) {
  if (options.argv.empty()) return fail(Errc::kInvalid, "there is no program to run");
  Plan plan;
  plan.options = &options;
  plan.parent = ::getpid();
  MYSOS_TRY(plan.program, find_program(options));
  for (const auto& arg : options.argv) plan.argv.push_back(const_cast<char*>(arg.c_str()));
  plan.argv.push_back(nullptr);
  set_environment(options, plan);
  MYSOS_TRY_VOID(connect_streams(options, plan));
  return plan;
}

void end_child(pid_t pid) {
  ::kill(pid, SIGKILL);
  while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
}

std::unexpected<Error> start_error(const Plan& plan, const Failure& failure) {
  const std::string doing =
      std::string("start ") + plan.argv[0] + ": cannot " + to_text(failure.step);
  const std::string on = failure.step == Step::kFolder ? plan.options->cwd : plan.program;
  return std::unexpected(errno_error(doing, on, failure.errno_value));
}
}  // namespace

Result<Spawned> spawn_child(const ProcessOptions& options) {
  MYSOS_TRY(Plan plan, make_plan(options));
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0)
    return std::unexpected(errno_error("start", plan.program, errno));
  const Fd listen(ends[0]);
  {
    const Fd low(ends[1]);
    MYSOS_TRY(plan.report, out_of_the_way(low.get()));
  }
  const pid_t pid = ::fork();
  if (pid < 0) return std::unexpected(errno_error("start", plan.program, errno));
  if (pid == 0) become_program(plan);

  plan.report.reset();
  Fd pidfd(open_pidfd(pid));
  if (!pidfd.valid()) {
    const int why = errno;
    end_child(pid);
    return std::unexpected(errno_error("watch", plan.program, why));
  }
  Failure failure{};
  ssize_t n = 0;
  do {
    n = ::read(listen.get(), &failure, sizeof failure);
  } while (n < 0 && errno == EINTR);
  if (n != 0) {
    end_child(pid);
    if (n != sizeof failure) failure = Failure{Step::kExec, EIO};
    return start_error(plan, failure);
  }
  return Spawned{pid, std::move(pidfd)};
}

}  // namespace mysos
