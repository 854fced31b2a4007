// SPDX-License-Identifier: Apache-2.0
#pragma once
// Which hosts a server answers for, and which web pages may send requests to it.
//
// An attacker can make the name of his own web page resolve to our address (DNS rebinding). Then the browser takes the page and
// this server for the same site. But the request has the page's name, so Host must be an IP address, localhost, the name of
// this machine, or a name that an operator allowed. The Origin of a page must have the host and port of Host (a TLS proxy may
// have changed scheme and port), or a host that an operator allowed. So pages of other sites are refused.
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

// nullopt: the request is allowed; else 421 or 403.
std::optional<HttpRefusal> refuse_host(const HttpHostPolicy& policy, const HttpHeaders& headers);

}  // namespace mysos
