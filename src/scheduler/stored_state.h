// SPDX-License-Identifier: Apache-2.0
#pragma once
// The state that a file holds, for those who only look: whether it can be read, and what is in it.
#include <string>

#include "core/records.h"

namespace mysos {

Result<SchedulerState> state_in_file(const std::string& database);

}  // namespace mysos
