// SPDX-License-Identifier: Apache-2.0
#include "api/router.h"

#include <array>
#include <optional>

namespace mysos {
namespace {

struct Entry {
  std::string_view method;
  std::string_view pattern;
  RouteId id;
  Access access;
};

constexpr auto kRoutes = std::to_array<Entry>({
    {"GET", "/v1/clusters", RouteId::kListClusters, Access::kToken},
    {"POST", "/v1/clusters", RouteId::kCreateCluster, Access::kToken},
    {"GET", "/v1/clusters/{name}", RouteId::kShowCluster, Access::kToken},
    {"DELETE", "/v1/clusters/{name}", RouteId::kDeleteCluster, Access::kToken},
    {"GET", "/v1/clusters/{name}/members", RouteId::kMembers, Access::kToken},
    {"GET", "/v1/clusters/{name}/events", RouteId::kClusterEvents, Access::kToken},
    {"POST", "/v1/clusters/{name}/switchover", RouteId::kSwitchover, Access::kToken},
    {"POST", "/v1/clusters/{name}/failover", RouteId::kFailover, Access::kToken},
    {"POST", "/v1/clusters/{name}/promotion", RouteId::kPromotion, Access::kToken},
    {"GET", "/v1/clusters/{name}/credentials", RouteId::kCredentials, Access::kToken},
    {"POST", "/v1/clusters/{name}/credentials/rotate", RouteId::kRotateCredentials, Access::kToken},
    {"POST", "/v1/clusters/{name}/credentials/retire", RouteId::kRetireCredentials, Access::kToken},
    {"GET", "/v1/events", RouteId::kEvents, Access::kToken},
    {"GET", "/v1/versions", RouteId::kVersions, Access::kToken},
    {"GET", "/v1/agents", RouteId::kAgents, Access::kToken},
    {"GET", "/v1/orphans", RouteId::kListOrphans, Access::kToken},
    {"POST", "/v1/orphans/adopt", RouteId::kAdopt, Access::kToken},
    {"POST", "/v1/orphans/{name}/destroy", RouteId::kDestroyOrphan, Access::kToken},
    {"POST", "/v1/register", RouteId::kRegister, Access::kToken},
    {"GET", "/v1/openapi.json", RouteId::kOpenapi, Access::kOpen},
    {"POST", "/clusters/{name}", RouteId::kCottonCreate, Access::kCotton},
    {"DELETE", "/clusters/{name}", RouteId::kCottonDelete, Access::kCotton},
    {"GET", "/healthz", RouteId::kHealthz, Access::kOpen},
    {"GET", "/readyz", RouteId::kReadyz, Access::kOpen},
    {"GET", "/metrics", RouteId::kMetrics, Access::kMetrics},
    {"GET", "/", RouteId::kPage, Access::kOpen},
    {"GET", "/app.js", RouteId::kScript, Access::kOpen},
    {"GET", "/style.css", RouteId::kStyle, Access::kOpen},
    {"GET", "/icon.svg", RouteId::kIcon, Access::kOpen},
});

// What stands for {name} in the path ("" where the pattern has none); nullopt: no match.
std::optional<std::string_view> matched(std::string_view pattern, std::string_view path) {
  const auto open = pattern.find("{name}");
  if (open == std::string_view::npos)
    return pattern == path ? std::optional(std::string_view()) : std::nullopt;
  const auto tail = pattern.substr(open + 6);
  if (!path.starts_with(pattern.substr(0, open)) || !path.ends_with(tail)) return std::nullopt;
  if (path.size() <= open + tail.size()) return std::nullopt;
  const auto name = path.substr(open, path.size() - open - tail.size());
  return name.find('/') == std::string_view::npos ? std::optional(name) : std::nullopt;
}

}  // namespace

std::variant<Route, MethodNotAllowed, Error> match_route(std::string_view method,
                                                         std::string_view path) {
  if (method == "HEAD") method = "GET";
  std::string allow;
  for (const Entry& entry : kRoutes) {
    const auto name = matched(entry.pattern, path);
    if (!name) continue;
    if (entry.method == method) return Route{entry.id, entry.access, std::string(*name)};
    allow += (allow.empty() ? "" : ", ") + std::string(entry.method);
    if (entry.method == "GET") allow += ", HEAD";
  }
  if (!allow.empty()) return MethodNotAllowed{std::move(allow)};
  return Error{
      Errc::kNotFound,
      "there is nothing at " + std::string(path) + "; /v1/openapi.json lists what there is",
      {}};
}

}  // namespace mysos
