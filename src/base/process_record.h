// SPDX-License-Identifier: Apache-2.0
#pragma once
// A process as it is written down, so that it is found again by whoever comes after the one that started it: a pid alone may
// have gone to another by then. Process::adopt(pid, start_time) tells.
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
