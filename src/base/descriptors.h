// SPDX-License-Identifier: Apache-2.0
#pragma once
// The limit of open descriptors of this process. A server raises it to the system's maximum once, at its start. Programs that
// it starts get the original limit, because a high limit is bad for some of them.
#include <cstdint>

namespace mysos {

void raise_descriptor_limit();
std::uint64_t descriptor_limit();  // now
// In a child, between fork and exec: restores the limit from before raise_descriptor_limit(). Async-signal-safe. False: failed.
bool restore_descriptor_limit();

}  // namespace mysos
