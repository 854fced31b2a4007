// SPDX-License-Identifier: Apache-2.0
#pragma once
// For tests: what a scheduler was given and what it put out, as text that a reviewer reads as a story. Each input whose output
// is not empty is a block: a line with the time and the input, then a line for each record, call, order, event and reply. Of a
// record that was there before only the fields that changed are shown. Deterministic.
#include <string>

#include "core/state/records.h"
#include "core/state/scheduler_input.h"
#include "core/state/scheduler_output.h"

namespace mysos::scenario {

// "" where nothing was put out. `before`: the records without those of `out`.
std::string transcript_of(const SchedulerInput& input, const SchedulerOutput& out, const RecordTexts& before, Instant now);

}  // namespace mysos::scenario
