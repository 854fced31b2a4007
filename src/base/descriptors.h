// SPDX-License-Identifier: Apache-2.0
#pragma once
// How many descriptors this process may have open. A server raises the limit to what the system allows, once, when it starts;
// programs that it starts get the limit it was started with, since a high one is not good for all of them.
#include <cstdint>

namespace mysos {

void raise_descriptor_limit();
std::uint64_t descriptor_limit();  // now
// In a child, between fork and exec: what was in force before raise_descriptor_limit(). Safe there. False: it failed.
bool restore_descriptor_limit();

}  // namespace mysos
