// SPDX-License-Identifier: Apache-2.0
// The mysos command.
#include <fmt/core.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <exception>

#include "cli/commands.h"
#include "executor/executor.h"

namespace mysos::cli {
namespace {

int told(const Status& status) {
  if (status) return 0;
  std::fflush(stdout);
  fmt::print(stderr, "mysos: {}\n", status.error().message);
  return exit_code(status.error().code);
}

int dispatch(const Say& say) {
  fmt::print("{}", say.text);
  return 0;
}
int dispatch(const Executor& executor) {
  return run_executor({.standalone = executor.standalone,
                       .spec_file = executor.spec_file,
                       .data_dir = executor.data_dir,
                       .mysql_roots = executor.mysql_roots,
                       .template_dir = executor.template_dir,
                       .mysql_user = executor.mysql_user});
}
// Each command may hold passwords: its memory is not written to a file when it crashes, and other processes of its user cannot
// read it. A limit alone does not stop a kernel that pipes core dumps to a program.
void keep_memory_private() {
  constexpr rlimit kNone{.rlim_cur = 0, .rlim_max = 0};
  (void)::setrlimit(RLIMIT_CORE, &kNone);
  (void)::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

template <class Command>
int dispatch(const Command& command) {
  return told(run(command));
}

}  // namespace
}  // namespace mysos::cli

int main(int argc, char** argv) {
  using namespace mysos;
  cli::keep_memory_private();
  try {
    const auto command = cli::parse_command_line({argv + 1, argv + argc});
    if (!command) return cli::told(std::unexpected(command.error()));
    return std::visit([](const auto& c) { return cli::dispatch(c); }, *command);
  } catch (const std::exception& error) {
    fmt::print(stderr, "mysos: unexpected: {}\n", error.what());
    return exit_code(Errc::kInternal);
  }
}
