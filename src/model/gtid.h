// SPDX-License-Identifier: Apache-2.0
#pragma once
// A set of transactions, named by who first wrote them and their number there. Both flavours fit:
//   MySQL    "3e11fa47-...-562:1-5:8, 3e11...:tag:1"   source = server uuid (with its tag), numbers in intervals
//   MariaDB  "0-101-57,0-102-60"                       source = "domain-server", numbers 1..57
// MariaDB names only the last transaction of each writer. Reading that as "all of 1..57 by that writer" is right because
// Mysos grants each data directory a server id that is never used again (core/state/server_ids.h), in one domain with
// gtid_strict_mode: what a server id wrote is one line, and a member that holds its 57th holds those before. So an
// errant transaction is a number of its writer that the other does not have, on both flavours.
#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/shared_value.h"

namespace mysos {

class GtidSet {
 public:
  struct Interval {
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    auto operator<=>(const Interval&) const = default;
  };

  // Either text form; newlines and blanks are ignored, "" is the empty set.
  static Result<GtidSet> parse(std::string_view text);
  [[nodiscard]] std::string to_string() const;

  using Sources = std::map<std::string, std::vector<Interval>>;  // intervals sorted, disjoint, not adjacent

  [[nodiscard]] bool empty() const { return sources().empty(); }
  [[nodiscard]] bool contains(const GtidSet& part) const;
  [[nodiscard]] GtidSet united(const GtidSet& other) const;
  [[nodiscard]] GtidSet minus(const GtidSet& other) const;
  [[nodiscard]] std::uint64_t count() const;
  void add(const std::string& source, std::uint64_t first, std::uint64_t last);
  [[nodiscard]] const Sources& sources() const;
  bool operator==(const GtidSet& other) const { return sources_.shares(other.sources_) || sources() == other.sources(); }
  auto operator<=>(const GtidSet& other) const { return sources() <=> other.sources(); }

 private:
  SharedValue<Sources> sources_;  // sets are copied, and compared with their copies, far more often than changed
};

inline std::string to_text(const GtidSet& set) { return set.to_string(); }
inline Result<GtidSet> from_text(std::string_view text, GtidSet*) { return GtidSet::parse(text); }

}  // namespace mysos
