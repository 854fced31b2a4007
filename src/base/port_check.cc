// SPDX-License-Identifier: Apache-2.0
#include "base/port_check.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/fd.h"

namespace mysos {

bool port_is_free(const std::string& address, std::uint16_t port) {
  const bool six = address.find(':') != std::string::npos;
  const Fd fd(::socket(six ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);  // closed connections are no hindrance
  if (six) {
    sockaddr_in6 at{};
    at.sin6_family = AF_INET6;
    at.sin6_port = htons(port);
    return ::inet_pton(AF_INET6, address.c_str(), &at.sin6_addr) == 1 &&
           ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0;
  }
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(port);
  return ::inet_pton(AF_INET, address.c_str(), &at.sin_addr) == 1 &&
         ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0;
}

}  // namespace mysos
