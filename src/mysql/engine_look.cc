// SPDX-License-Identifier: Apache-2.0
#include "mysql/engine_look.h"

#include <fmt/format.h>

#include <cstdlib>

namespace mysos::mysql {
namespace {

constexpr Duration kListEvery = std::chrono::minutes(1);
constexpr std::size_t kMaxNamed = 3;
constexpr std::size_t kMaxName = 40;

// Users choose these names, and they are shown in an event.
std::string plain(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7f) c = '?';
  }
  return text.size() <= kMaxName ? text : text.substr(0, kMaxName) + "...";
}

}  // namespace

std::string EngineLook::count_sql() {
  return "SHOW GLOBAL STATUS WHERE Variable_name IN ('Com_create_table', 'Com_alter_table', 'Com_drop_table', "
         "'Com_rename_table', 'Com_create_sequence', 'Com_drop_db')";
}

bool EngineLook::due(const Rows& counts, Instant now) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) sum += std::strtoull(counts.text(i, "Value").c_str(), nullptr, 10);
  const bool changed = counted_ != sum;
  const bool due = changed || again_ || now >= listed_at_ + kListEvery;
  counted_ = sum;
  again_ = changed;
  if (due) listed_at_ = now;
  return due;
}

void EngineLook::take(const Rows& tables) {
  found_.reset();
  if (tables.empty()) return;
  std::string named;
  for (std::size_t i = 0; i < std::min(tables.size(), kMaxNamed); ++i) {
    named += fmt::format("{}{}.{} ({})", i == 0 ? "" : ", ", plain(tables.text(i, "db")), plain(tables.text(i, "name")),
                         plain(tables.text(i, "engine")));
  }
  if (tables.size() > kMaxNamed) named += fmt::format(" and {} more", tables.size() - kMaxNamed);
  found_ = Deviation{.what = "tables are not InnoDB: " + named};
}

}  // namespace mysos::mysql
