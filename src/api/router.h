// SPDX-License-Identifier: Apache-2.0
#pragma once
// Which handler a request is for: method and path against the table of routes. Pure. kNotFound for
// a path that nobody serves; for a path with other methods the Error is replaced by the list of
// those (405 with Allow).
#include <string>
#include <string_view>
#include <variant>

#include "base/result.h"

namespace mysos {

enum class RouteId {
  kListClusters,
  kCreateCluster,
  kShowCluster,
  kDeleteCluster,
  kMembers,
  kClusterEvents,
  kSwitchover,
  kFailover,
  kPromotion,
  kCredentials,
  kRotateCredentials,
  kRetireCredentials,
  kEvents,
  kVersions,
  kAgents,
  kRegister,
  kListOrphans,
  kDestroyOrphan,
  kAdopt,
  kOpenapi,
  kCottonCreate,
  kCottonDelete,
  kHealthz,
  kReadyz,
  kMetrics,
  kPage,
  kScript,
  kStyle,
  kIcon,
};

// Who may come in.
enum class Access { kOpen, kToken, kCotton, kMetrics };

struct Route {
  RouteId id;
  Access access;
  std::string name;  // what stands for {name}
};
struct MethodNotAllowed {
  std::string allow;
};

// A HEAD is matched as a GET.
std::variant<Route, MethodNotAllowed, Error> match_route(std::string_view method,
                                                         std::string_view path);

}  // namespace mysos
