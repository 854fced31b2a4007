// SPDX-License-Identifier: Apache-2.0
#pragma once
// A copy of what cannot be made again of a state directory: state.db, secret.key, admin.token. The scheduler may run while it
// is made. A state that is put back is noticed as such at the next start (marked_store.h).
#include <cstddef>
#include <string>

#include "base/result.h"

namespace mysos {

// Into `to`, a new directory of mode 0700: it is there whole or not at all. Returns how many clusters are in it. kNotFound:
// `dir` is no state directory. kConflict: `to` exists. kUnavailable: the scheduler has not registered with Mesos yet, so a copy
// would not know whose the reservations are.
Result<std::size_t> back_up_state(const std::string& dir, const std::string& to);
// The state that was there is kept in DIR/state.replaced. kConflict: a scheduler runs on `dir`, or has another secret.key.
Result<std::size_t> restore_state(const std::string& from, const std::string& dir);

}  // namespace mysos
