// SPDX-License-Identifier: Apache-2.0
#pragma once
// The state that a file holds, for those who only look: whether it can be read, and what is in it. The file stays as it is,
// also where an older version wrote it: that version can still read it.
#include <string>

#include "core/state/records.h"

namespace mysos {

Result<SchedulerState> state_in_file(const std::string& database);

}  // namespace mysos
