// SPDX-License-Identifier: Apache-2.0
#pragma once
// Finds the operation of a request, by method and path. Pure.
#include <string>
#include <string_view>
#include <variant>

#include "api/operation.h"

namespace mysos {

struct Route {
  const Operation* operation = nullptr;
  std::string name;  // the value of {name}
};
struct MethodNotAllowed {
  std::string allow;
};

// The first match. A HEAD counts as a GET.
std::variant<Route, MethodNotAllowed, Error> match_route(const std::vector<Operation>& operations, std::string_view method,
                                                         std::string_view path);

}  // namespace mysos
