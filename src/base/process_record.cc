// SPDX-License-Identifier: Apache-2.0
#include "base/process_record.h"

#include "base/fs.h"

namespace mysos {
namespace {
constexpr std::size_t kMaxRecord = 4096;
}  // namespace

Result<ProcessRecord> read_process_record(const std::string& file) {
  MYSOS_TRY(const std::string text, read_file(file, kMaxRecord));
  return from_json_text<ProcessRecord>(text);
}

}  // namespace mysos
