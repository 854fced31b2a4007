// SPDX-License-Identifier: Apache-2.0
#pragma once
// Who is connected to a TCP port of this machine, as the kernel lists it (/proc/net/tcp and tcp6) for the network namespace
// of this process.
#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "base/result.h"

namespace mysos {

// "10.0.0.7:41200" or "fd00::7:41200", the form in which MySQL and MariaDB show the host of a session. An IPv4 address that
// is mapped into IPv6 is shown as IPv4.
using TcpPeers = std::set<std::string>;

// The peers of `port` in the text of one of the two files. A connection that only the peer has closed counts.
TcpPeers tcp_peers_in(std::string_view table, std::uint16_t port);
// Reads both files: takes milliseconds on a machine with many connections.
Result<TcpPeers> tcp_peers(std::uint16_t port);

}  // namespace mysos
