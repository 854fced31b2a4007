// SPDX-License-Identifier: Apache-2.0
#pragma once
// Which hosts a server answers for, and which web pages may send requests to it.
//
// A web page of an attacker can give its own name our address (DNS rebinding): then the browser takes the page and this server
// for the same site. The name gives the page away, so Host must be an IP address, localhost, the name of this machine, or a
// name that an operator allowed. A page of another site is told by its Origin, which must be that of this server (scheme and
// port aside a TLS proxy may have changed: the host and port of Host) or of a host that an operator allowed.
#include <optional>
#include <string>
#include <vector>

#include "base/http/request_head.h"

namespace mysos {

struct HttpHostPolicy {
  std::vector<std::string> own;      // names of this machine
  std::vector<std::string> allowed;  // names that an operator allowed, as of a reverse proxy
};
HttpHostPolicy host_policy(std::vector<std::string> allowed);  // `own` from gethostname(2)

// nullopt: the request may go on; else 421 or 403.
std::optional<HttpRefusal> refuse_host(const HttpHostPolicy& policy, const HttpHeaders& headers);

}  // namespace mysos
