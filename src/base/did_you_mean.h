// SPDX-License-Identifier: Apache-2.0
#pragma once
// The name a person probably meant: for unknown flags, keys, versions, clusters.
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace mysos {

// Insertions, deletions, replacements and swaps of neighbours that turn one into the other, case
// aside.
std::size_t edit_distance(std::string_view a, std::string_view b);
// The nearest of `known`, if it is near enough to be a slip of the finger.
std::optional<std::string> nearest_name(std::string_view given, std::span<const std::string> known);
// " (did you mean 'members'?)", or "".
std::string did_you_mean(std::string_view given, std::span<const std::string> known);

}  // namespace mysos
