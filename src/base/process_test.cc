// SPDX-License-Identifier: Apache-2.0
#include "base/process.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/descriptors.h"
#include "base/fs.h"
#include "base/task_group.h"
#include "base/test_dir.h"
#include "base/test_loop.h"

namespace mysos {
namespace {
using namespace std::chrono_literals;
using Kind = ExitStatus::Kind;

ProcessOptions shell(std::string script) { return {.argv = {"/bin/sh", "-c", std::move(script)}}; }
ProcessOptions sleeper() { return {.argv = {"sleep", "1000"}}; }

ExitStatus ended(Process& process) {
  TestLoop loop;
  ExitStatus status;
  const auto wait = [&]() -> asio::awaitable<void> { status = co_await process.wait_exit(); };
  loop.run(wait());
  return status;
}

TEST(Process, TellsHowItEnded) {
  Process three = Process::spawn(shell("exit 3")).value();
  EXPECT_EQ(ended(three), (ExitStatus{Kind::kExited, 3}));
  EXPECT_EQ(three.try_wait(), (ExitStatus{Kind::kExited, 3}));
  EXPECT_EQ(three.kill(SIGTERM).error().code, Errc::kNotFound);
  Process killed = Process::spawn(sleeper()).value();
  EXPECT_EQ(killed.try_wait(), std::nullopt);
  EXPECT_TRUE(killed.kill(SIGKILL));
  EXPECT_EQ(ended(killed), (ExitStatus{Kind::kSignaled, SIGKILL}));
  EXPECT_EQ(to_string(*killed.try_wait()), "signal 9 (Killed)");
}

TEST(Process, AProgramThatCannotStartIsAnError) {
  const auto missing = Process::spawn({.argv = {"/no/such/program"}});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Errc::kNotFound);
  EXPECT_NE(missing.error().message.find("/no/such/program"), std::string::npos);
  EXPECT_EQ(Process::spawn({.argv = {"no-such-program"}}).error().code, Errc::kNotFound);
  const auto nowhere = Process::spawn({.argv = {"/bin/true"}, .cwd = "/no/such/folder"});
  EXPECT_NE(nowhere.error().message.find("cannot enter the folder /no/such/folder"),
            std::string::npos)
      << nowhere.error().message;
  ProcessOptions no_cgroup = {.argv = {"/bin/true"}, .cgroup_procs = {"/no/such/cgroup.procs"}};
  EXPECT_NE(Process::spawn(no_cgroup).error().message.find("join the cgroup"), std::string::npos);
}

TEST(Process, AppendsToItsLogFilesAndHasTheGivenEnvironment) {
  const TestDir dir;
  ASSERT_TRUE(append_file(dir / "log", "before\n"));
  ProcessOptions options = shell("echo $A; pwd; echo oops >&2; cat");
  options.env = std::map<std::string, std::string>{{"A", "b c"}};
  options.cwd = dir.path();
  options.stdout_file = dir / "log";
  Process process = Process::spawn(options).value();
  EXPECT_TRUE(ended(process).ok());
  EXPECT_EQ(read_file(dir / "log").value(), "before\nb c\n" + dir.path() + "\noops\n");
}

TEST(Process, InheritsNoDescriptorsAndNoSignalSettings) {
  const Fd leak(::open("/dev/null", O_RDONLY));  // not close-on-exec
  ASSERT_GE(leak.get(), 3);
  const auto before = ::signal(SIGPIPE, SIG_IGN);
  // ls itself opens the folder as one more.
  const auto result = run_command(
      {.argv = {"/bin/sh", "-c", "ls /proc/self/fd | wc -l; grep SigIgn /proc/self/status"}}, 10s);
  ::signal(SIGPIPE, before);
  EXPECT_EQ(result.value().out, "4\nSigIgn:\t0000000000000000\n");
}

TEST(Process, JoinsItsCgroupsAndTakesItsLimits) {
  const TestDir dir;
  ASSERT_TRUE(append_file(dir / "cgroup.procs", ""));
  ProcessOptions options = shell("ulimit -n");
  options.limits = {{RLIMIT_NOFILE, 77, 77}};
  options.cgroup_procs = {dir / "cgroup.procs"};
  const auto result = run_command(options, 10s);
  EXPECT_EQ(result.value().out, "77\n");
  EXPECT_EQ(read_file(dir / "cgroup.procs").value(), "0");
}

TEST(Process, DropsToAUserForGood) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can become another user";
  const auto nobody = find_user("nobody");
  ASSERT_TRUE(nobody);
  ProcessOptions options = shell("id -u; id -G; grep CapEff /proc/self/status");
  options.user = *nobody;
  options.user->groups = {nobody->gid};
  const auto result = run_command(options, 10s);
  EXPECT_EQ(result.value().out, std::to_string(nobody->uid) + "\n" + std::to_string(nobody->gid) +
                                    "\nCapEff:\t0000000000000000\n");
  EXPECT_EQ(find_user("no-such-user").error().code, Errc::kNotFound);
}

TEST(Process, IsAdoptedOnlyIfItIsStillTheSame) {
  Process child = Process::spawn(sleeper()).value();
  EXPECT_GT(child.start_time(), 0U);
  EXPECT_EQ(process_start_time(child.pid()).value(), child.start_time());

  Process adopted = Process::adopt(child.pid(), child.start_time()).value();
  EXPECT_EQ(Process::adopt(child.pid(), child.start_time() + 1).error().code, Errc::kNotFound);

  ASSERT_TRUE(adopted.kill(SIGKILL));
  EXPECT_EQ(ended(child).kind, Kind::kSignaled);
  EXPECT_EQ(ended(adopted).kind, Kind::kGone);  // reaped by its parent already
  EXPECT_EQ(Process::adopt(child.pid(), child.start_time()).error().code, Errc::kNotFound);
}

TEST(Process, AnAdoptedStrangerIsKilledAndSeenGone) {
  // The shell leaves a grandchild behind, which is no child of ours.
  const auto left = run_command(shell("setsid sleep 1000 >/dev/null 2>&1 & echo $!"), 10s);
  const pid_t pid = std::stoi(left.value().out);
  Process stranger = Process::adopt(pid, process_start_time(pid).value()).value();
  EXPECT_EQ(stranger.try_wait(), std::nullopt);
  ASSERT_TRUE(stranger.kill(SIGKILL));
  TestLoop loop;
  const auto wait = [&]() -> asio::awaitable<void> {
    const auto status = co_await stranger.wait_exit();
    EXPECT_EQ(status.kind, Kind::kGone);
  };
  loop.run(wait());
}

TEST(Process, DiesWithItsParentWhereAsked) {
  const TestDir dir;
  const pid_t middle = ::fork();
  if (middle == 0) {
    ProcessOptions options = sleeper();
    options.parent_death_signal = SIGKILL;
    const auto child = Process::spawn(options);
    const bool told = child && write_file_atomic(dir / "pid", std::to_string(child->pid()));
    ::_exit(told ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(middle, &status, 0), middle);
  ASSERT_EQ(status, 0);
  const pid_t pid = std::stoi(read_file(dir / "pid").value());
  TestLoop loop;
  EXPECT_TRUE(loop.run_until([&] { return !process_start_time(pid); }));
}

TEST(Process, AWaitMayEndBeforeTheProcess) {
  TestLoop loop;
  Process process = Process::spawn(sleeper()).value();
  std::optional<ExitStatus> early = ExitStatus{};
  const auto wait = [&]() -> asio::awaitable<void> {
    early = co_await process.wait_exit_for(10ms);
  };
  loop.run(wait());
  EXPECT_EQ(early, std::nullopt);
  EXPECT_TRUE(process.kill_group(SIGKILL));
  EXPECT_EQ(ended(process).kind, Kind::kSignaled);
  EXPECT_FALSE(process.kill_group(SIGKILL));
}

TEST(Command, GivesOutputAndTakesInput) {
  const auto result = run_command(shell("cat; echo err >&2; exit 2"), 10s, "some input");
  EXPECT_EQ(result.value().out, "some input");
  EXPECT_EQ(result.value().err, "err\n");
  EXPECT_EQ(result.value().status, (ExitStatus{Kind::kExited, 2}));
  EXPECT_EQ(run_command(shell("cat"), 10s).value().out, "");
}

TEST(Command, ThatTakesTooLongIsKilledWithItsChildren) {
  const TestDir dir;
  ProcessOptions options = shell("sleep 1000 & echo $! > pid; wait");
  options.cwd = dir.path();
  const auto result = run_command(options, 300ms);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Errc::kTimeout);
  const pid_t pid = std::stoi(read_file(dir / "pid").value());
  TestLoop loop;
  EXPECT_TRUE(loop.run_until([&] { return !process_start_time(pid); }));
}

TEST(Command, OutputIsLimited) {
  const auto result = run_command(shell("head -c 20000000 /dev/zero"), 20s);
  EXPECT_LE(result.value().out.size(), kMaxCommandOutput);
  EXPECT_FALSE(result.value().status.ok());
}

TEST(Command, IsKilledWhenItsCallerIsCancelled) {
  const TestDir dir;
  TestLoop loop;
  const auto run = [&]() -> asio::awaitable<void> {
    ProcessOptions options = shell("echo $$ > pid.new; mv pid.new pid; exec sleep 1000");
    options.cwd = dir.path();
    (void)co_await async_run_command(options, 1h);
  };
  const auto test = [&]() -> asio::awaitable<void> {
    TaskGroup group(loop.io.get_executor());
    group.spawn("command", run());
    EXPECT_TRUE(co_await eventually([&] { return path_exists(dir / "pid"); }));
    co_await group.cancel_and_join();
  };
  loop.run(test());
  EXPECT_FALSE(process_start_time(std::stoi(read_file(dir / "pid").value())));
}

TEST(Command, GetsTheLimitOfOpenFilesThatWeWereStartedWith) {
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  limit.rlim_cur = 512;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);

  raise_descriptor_limit();

  EXPECT_EQ(descriptor_limit(), limit.rlim_max);
  EXPECT_EQ(run_command(shell("ulimit -n"), 10s).value().out, "512\n");
}

}  // namespace
}  // namespace mysos
