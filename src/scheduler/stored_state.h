// SPDX-License-Identifier: Apache-2.0
#pragma once
// Reads the state in a file without changing it: whether it can be read, and what is in it. A file of an older version
// stays readable for that version.
#include <string>

#include "core/state/records.h"

namespace mysos {

Result<SchedulerState> state_in_file(const std::string& database);

}  // namespace mysos
