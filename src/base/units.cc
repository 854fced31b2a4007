// SPDX-License-Identifier: Apache-2.0
#include "base/units.h"

#include <array>
#include <cctype>
#include <charconv>
#include <cmath>

namespace mysos {
namespace {
constexpr std::string_view kUnits = "BKMGTP";
constexpr double kMaxBytes = 9e18;
}  // namespace

Result<Bytes> parse_bytes(std::string_view text) {
  const std::string shown(text);
  double number = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), number);
  std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  while (!unit.empty() && unit.front() == ' ') unit.remove_prefix(1);
  if (ec != std::errc{} || number < 0 || !std::isfinite(number) || unit.empty()) {
    return fail(Errc::kInvalid, "'" + shown + "' is no size: write a number and a unit, like 512MB or 1.5GB");
  }
  const char letter = static_cast<char>(std::toupper(static_cast<unsigned char>(unit.front())));
  const auto power = kUnits.find(letter);
  std::string rest;
  for (char c : unit.substr(1)) rest += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  const bool known = power != std::string_view::npos &&
                     (rest.empty() || (power > 0 && (rest == "B" || rest == "IB")));
  if (!known) {
    return fail(Errc::kInvalid, "'" + shown + "' has an unknown unit: use KB, MB, GB or TB");
  }
  const double bytes = number * std::pow(1024.0, static_cast<double>(power));
  if (bytes > kMaxBytes) return fail(Errc::kInvalid, "'" + shown + "' is too large");
  return Bytes{static_cast<std::uint64_t>(std::llround(bytes))};
}

std::string to_string(Bytes bytes) {
  static constexpr std::array<std::string_view, 5> kNames = {"B", "KB", "MB", "GB", "TB"};
  std::uint64_t n = bytes.value;
  std::size_t unit = 0;
  while (n != 0 && n % 1024 == 0 && unit + 1 < kNames.size()) {
    n /= 1024;
    ++unit;
  }
  return std::to_string(n) + std::string(kNames[unit]);
}

}  // namespace mysos
