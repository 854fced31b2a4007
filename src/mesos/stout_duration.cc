// SPDX-License-Identifier: Apache-2.0
#include "mesos/stout_duration.h"

#include <charconv>
#include <cmath>

namespace mysos::mesos {
namespace {
struct Unit {
  std::string_view name;
  double micros;
};
constexpr Unit kUnits[] = {{"weeks", 604800e6}, {"days", 86400e6}, {"hrs", 3600e6}, {"mins", 60e6},
                           {"secs", 1e6},       {"ms", 1e3},       {"us", 1},       {"ns", 1e-3}};
}  // namespace

Result<Duration> parse_stout_duration(std::string_view text) {
  double number = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  for (const Unit& u : kUnits) {
    if (ec != std::errc{} || u.name != unit) continue;
    const double micros = number * u.micros;
    if (!(micros >= 0 && micros < 9e15)) break;
    return Duration(std::llround(micros));
  }
  return fail(Errc::kInvalid, "\"" + std::string(text) + "\" is not a duration of Mesos");
}

std::string to_stout_text(Duration duration) {
  for (const Unit& u : kUnits) {
    const auto micros = static_cast<Duration::rep>(u.micros);
    if (micros > 0 && duration.count() >= micros && duration.count() % micros == 0) {
      return std::to_string(duration.count() / micros) + std::string(u.name);
    }
  }
  return "0ns";
}

}  // namespace mysos::mesos
