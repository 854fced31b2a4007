// SPDX-License-Identifier: Apache-2.0
#pragma once
// A string as the identity of one kind of thing, so that a TaskId cannot be passed for a MemberId.
#include <compare>
#include <string>
#include <utility>

namespace mysos {

template <class Tag>
struct StrongId {
  std::string value;

  StrongId() = default;
  explicit StrongId(std::string text) : value(std::move(text)) {}
  [[nodiscard]] bool empty() const { return value.empty(); }
  [[nodiscard]] const std::string& str() const { return value; }
  auto operator<=>(const StrongId&) const = default;
};

}  // namespace mysos
