// SPDX-License-Identifier: Apache-2.0
#include "base/http/host_policy.h"

#include <unistd.h>

#include <algorithm>
#include <array>

namespace mysos {
namespace {

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::ranges::any_of(names, [&](const std::string& known) { return iequals(known, name); });
}

// The host of "https://shop.example:8443"; nullopt for "null" and everything else.
std::optional<std::string_view> authority_of(std::string_view origin) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (origin.starts_with(scheme)) return origin.substr(scheme.size());
  }
  return std::nullopt;
}

bool may_ask(const HttpHostPolicy& policy, std::string_view origin, std::string_view host) {
  const auto authority = authority_of(origin);
  if (!authority) return false;
  if (iequals(*authority, host)) return true;
  const auto page = parse_http_host(*authority);
  return page && contains(policy.allowed, page->name);
}

}  // namespace

HttpHostPolicy host_policy(std::vector<std::string> allowed) {
  HttpHostPolicy policy{.own = {"localhost"}, .allowed = std::move(allowed)};
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) == 0 && name[0] != '\0') {
    const std::string whole(name.data());
    policy.own.push_back(whole);
    policy.own.push_back(whole.substr(0, whole.find('.')));
  }
  return policy;
}

std::optional<HttpRefusal> refuse_host(const HttpHostPolicy& policy, const HttpHeaders& headers) {
  const auto text = headers.get("Host");
  const auto host = parse_http_host(text);
  if (!host || (!host->is_address && !contains(policy.own, host->name) && !contains(policy.allowed, host->name))) {
    const std::string name = host ? host->name : std::string(text);
    return HttpRefusal{421, "this server does not answer for the host '" + name +
                                "'; use its IP address, or allow the name with --allowed-host where the server is started"};
  }
  if (headers.has("Origin") && !may_ask(policy, headers.get("Origin"), text)) {
    return HttpRefusal{403, "web pages of '" + std::string(headers.get("Origin")) +
                                "' may not use this server; its own pages may, and those of hosts named by --allowed-host"};
  }
  return std::nullopt;
}

}  // namespace mysos
