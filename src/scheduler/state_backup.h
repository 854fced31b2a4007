// SPDX-License-Identifier: Apache-2.0
#pragma once
// Copies the irreplaceable files of a state directory: state.db, secret.key, admin.token. The scheduler may run meanwhile.
// If a copy is put back, the next start notices that (marked_store.h).
#include <cstddef>
#include <string>

#include "base/result.h"

namespace mysos {

// Copies into `to`, a new directory of mode 0700, completely or not at all. Returns the number of clusters in it. kNotFound:
// `dir` is no state directory. kConflict: `to` exists. kUnavailable: the scheduler has not registered with Mesos yet, so a copy
// would not know its reservations.
Result<std::size_t> back_up_state(const std::string& dir, const std::string& to);
// Keeps the former state in DIR/state.replaced. kConflict: a scheduler runs on `dir`, or has another secret.key.
Result<std::size_t> restore_state(const std::string& from, const std::string& dir);

}  // namespace mysos
