// SPDX-License-Identifier: Apache-2.0
#pragma once
// Whether a server could listen at an address now. Nothing stays bound.
#include <cstdint>
#include <string>

namespace mysos {

// False also where the address is no IP address of this machine.
bool port_is_free(const std::string& address, std::uint16_t port);

}  // namespace mysos
