// SPDX-License-Identifier: Apache-2.0
#pragma once
// The answer of a server to one statement, as text: what the wire carries. A statement that returns no rows has no
// columns. Values are looked up by the column's name, since servers add columns in the middle.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mysos::mysql {

struct Rows {
  std::vector<std::string> columns;
  std::vector<std::vector<std::optional<std::string>>> rows;
  std::uint64_t affected = 0;

  [[nodiscard]] bool empty() const { return rows.empty(); }
  [[nodiscard]] std::size_t size() const { return rows.size(); }
  // "" for NULL, and for a column or a row that is not there.
  [[nodiscard]] std::string text(std::size_t row, std::string_view column) const;
  [[nodiscard]] std::string text(std::size_t row, std::size_t column) const;
  [[nodiscard]] std::optional<std::int64_t> number(std::size_t row, std::string_view column) const;
};

// 'text' as an SQL string, "`name`" as an SQL name. Right in every sql_mode but NO_BACKSLASH_ESCAPES, which our sessions
// never have (Session clears sql_mode).
std::string quote(std::string_view text);
std::string quote_name(std::string_view name);
// 'user'@'host'
std::string quote_account(std::string_view user, std::string_view host);

}  // namespace mysos::mysql
