// SPDX-License-Identifier: Apache-2.0
#pragma once
// Tries again until it works, with pauses that grow.
#include "base/asio.h"
#include "base/backoff.h"

namespace mysos {

// Tries until `attempt`, which makes an awaitable<bool>, says true.
template <class Attempt>
asio::awaitable<void> insist(Backoff pauses, Attempt attempt) {
  while (!co_await attempt()) co_await sleep_for(pauses.next());
}

}  // namespace mysos
