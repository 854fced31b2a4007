// SPDX-License-Identifier: Apache-2.0
#pragma once
// Who asked for something, and from where. A command carries it, and so does each event that the command makes.
#include <string>

namespace mysos {

struct Caller {
  std::string who = "mysos";  // the name of the caller's token; "mysos": Mysos acts without a request
  std::string from = {};      // the caller's address, without the port; "": the request did not come over the network
  bool operator==(const Caller&) const = default;
};
template <class Io>
void fields(Io& io, Caller& c) {
  io.required("who", c.who);
  io("from", c.from);
}

// "admin from 10.0.0.7"
inline std::string to_string(const Caller& caller) {
  return caller.from.empty() ? caller.who : caller.who + " from " + caller.from;
}

}  // namespace mysos
