// SPDX-License-Identifier: Apache-2.0
#include "api/router.h"

#include <optional>

namespace mysos {
namespace {

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

std::variant<Route, MethodNotAllowed, Error> match_route(const std::vector<Operation>& operations, std::string_view method,
                                                         std::string_view path) {
  if (method == "HEAD") method = "GET";
  std::string allow;
  for (const Operation& operation : operations) {
    const auto name = matched(operation.path, path);
    if (!name) continue;
    if (operation.method == method) return Route{&operation, std::string(*name)};
    allow += (allow.empty() ? "" : ", ") + operation.method;
    if (operation.method == "GET") allow += ", HEAD";
  }
  if (!allow.empty()) return MethodNotAllowed{std::move(allow)};
  return Error{
      Errc::kNotFound,
      "there is nothing at " + std::string(path) + "; /v1/openapi.json lists all paths",
      {}};
}

}  // namespace mysos
