// SPDX-License-Identifier: Apache-2.0
#pragma once
// The fork and what the child does until it becomes another program: only system calls, on memory
// prepared before. Used by process.cc only.
#include <sys/syscall.h>

#include "base/process.h"

namespace mysos {

// By number: the <sys/pidfd.h> of glibc 2.36 forgets extern "C".
inline int open_pidfd(pid_t pid) { return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)); }
inline int signal_pidfd(int pidfd, int signal) {
  return static_cast<int>(::syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0));
}

struct Spawned {
  pid_t pid = 0;
  Fd pidfd = {};
};
// Returns once the child has become argv; otherwise the Error says which step failed, and there is
// no child.
Result<Spawned> spawn_child(const ProcessOptions& options);

}  // namespace mysos
