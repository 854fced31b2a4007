// SPDX-License-Identifier: Apache-2.0
#pragma once
// A string that is an identity of one kind, so that a TaskId never goes where a MemberId is asked for.
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
