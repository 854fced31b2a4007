// SPDX-License-Identifier: Apache-2.0
#pragma once
// The record of a process (pid and start time), by which a later process of ours finds it again. A pid alone may belong to
// another process by then. Process::adopt(pid, start_time) checks that.
#include <sys/types.h>

#include <cstdint>
#include <string>

#include "base/json.h"
#include "base/result.h"

namespace mysos {

struct ProcessRecord {
  pid_t pid = 0;
  std::uint64_t start_time = 0;
};
template <class Io>
void fields(Io& io, ProcessRecord& r) {
  io.required("pid", r.pid);
  io.required("start_time", r.start_time);
}
Result<ProcessRecord> read_process_record(const std::string& file);

}  // namespace mysos
