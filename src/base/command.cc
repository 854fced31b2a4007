// SPDX-License-Identifier: Apache-2.0
// Commands that are run to their end. Their output goes to memory files: no pipe that fills,
// nothing to read along.
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>

#include "base/fs_internal.h"
#include "base/process.h"

namespace mysos {
namespace {
constexpr int kReapMs = 200;
constexpr Duration kDyingTime = std::chrono::seconds(5);

Result<Fd> memory_file(const char* name) {
  Fd fd(::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd.valid()) return std::unexpected(errno_error("make", "a memory file", errno));
  return fd;
}

// Cannot grow over the limit; where the output ends is where the shared offset stands.
Result<Fd> output_file(const char* name) {
  MYSOS_TRY(Fd fd, memory_file(name));
  const bool limited = ::ftruncate(fd.get(), static_cast<off_t>(kMaxCommandOutput)) == 0 &&
                       ::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK) == 0;
  if (!limited) return std::unexpected(errno_error("make", "a memory file", errno));
  return fd;
}

Result<Fd> input_file(const std::string& input) {
  MYSOS_TRY(Fd fd, memory_file("input"));
  MYSOS_TRY_VOID(write_all(fd.get(), input, "a memory file"));
  if (::lseek(fd.get(), 0, SEEK_SET) < 0)
    return std::unexpected(errno_error("read", "a memory file", errno));
  return fd;
}

std::string written_to(const Fd& fd) {
  const off_t end = ::lseek(fd.get(), 0, SEEK_CUR);
  std::string text(static_cast<std::size_t>(std::max<off_t>(end, 0)), '\0');
  const ssize_t n = ::pread(fd.get(), text.data(), text.size(), 0);
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
  return text;
}

// A command that nobody waits for any more (its caller was cancelled) is killed with all it
// started.
struct KillUnlessEnded {
  Process& process;
  ~KillUnlessEnded() {
    if (process.try_wait() || !process.kill_group(SIGKILL)) return;
    pollfd p{process.pidfd(), POLLIN, 0};
    ::poll(&p, 1, kReapMs);
    process.try_wait();
  }
};
}  // namespace

asio::awaitable<Result<CommandResult>> async_run_command(ProcessOptions options, Duration timeout,
                                                         std::string input) {
  MYSOS_CO_TRY(const Fd out, output_file("stdout"));
  MYSOS_CO_TRY(const Fd err, output_file("stderr"));
  Fd in;
  if (!input.empty()) {
    MYSOS_CO_TRY(in, input_file(input));
  }
  options.stdin_fd = in.get();
  options.stdout_fd = out.get();
  options.stderr_fd = err.get();
  options.new_session = true;
  MYSOS_CO_TRY(Process process, Process::spawn(options));
  const KillUnlessEnded guard{process};
  const auto status = co_await process.wait_exit_for(timeout);
  if (!status) {
    (void)process.kill_group(SIGKILL);
    co_await process.wait_exit_for(kDyingTime);
    co_return fail(Errc::kTimeout, options.argv.front() + " did not end within " +
                                       std::to_string(to_ms(timeout)) + " ms and was killed");
  }
  co_return CommandResult{*status, written_to(out), written_to(err)};
}

Result<CommandResult> run_command(ProcessOptions options, Duration timeout, std::string input) {
  asio::io_context io;
  Result<CommandResult> result = fail(Errc::kInternal, "the command was not run");
  const auto run = [&]() -> asio::awaitable<void> {
    result = co_await async_run_command(std::move(options), timeout, std::move(input));
  };
  asio::co_spawn(io, run(), [](const std::exception_ptr& failure) {
    if (failure) std::rethrow_exception(failure);
  });
  io.run();
  return result;
}

}  // namespace mysos
