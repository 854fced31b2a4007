// SPDX-License-Identifier: Apache-2.0
#pragma once
// Tables of engines that a cluster does not allow. The servers refuse most of them, but not all: MariaDB does not check the
// engine of a partition, and an earlier version of Mysos allowed every engine. A list of all tables is too expensive for
// every second, so it is read after statements that make or change tables, and once a minute. Pure.
#include <cstdint>
#include <optional>
#include <string>

#include "base/time.h"
#include "mysql/flavour.h"
#include "mysql/server_guard.h"

namespace mysos::mysql {

class EngineLook {
 public:
  explicit EngineLook(const Flavour& flavour) : flavour_(flavour) {}

  // Its answer goes to due().
  [[nodiscard]] static std::string count_sql();
  [[nodiscard]] bool due(const Rows& counts, Instant now);
  [[nodiscard]] std::string list_sql() const { return flavour_.other_engines(); }
  void take(const Rows& tables);
  // What take() found, if anything.
  [[nodiscard]] const std::optional<Deviation>& found() const { return found_; }

 private:
  const Flavour& flavour_;
  std::optional<std::uint64_t> counted_;
  bool again_ = false;  // a statement is counted when it begins: its table may come later
  Instant listed_at_{};
  std::optional<Deviation> found_;
};

}  // namespace mysos::mysql
