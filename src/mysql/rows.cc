// SPDX-License-Identifier: Apache-2.0
#include "mysql/rows.h"

#include <algorithm>
#include <charconv>

namespace mysos::mysql {

std::string Rows::text(std::size_t row, std::size_t column) const {
  if (row >= rows.size() || column >= rows[row].size()) return {};
  return rows[row][column].value_or("");
}

std::string Rows::text(std::size_t row, std::string_view column) const {
  const auto found = std::ranges::find(columns, column);
  if (found == columns.end()) return {};
  return text(row, static_cast<std::size_t>(found - columns.begin()));
}

std::optional<std::int64_t> Rows::number(std::size_t row, std::string_view column) const {
  const std::string value = text(row, column);
  std::int64_t out = 0;
  const auto [end, ec] = std::from_chars(value.data(), value.data() + value.size(), out);
  if (ec != std::errc{} || end != value.data() + value.size()) return std::nullopt;
  return out;
}

std::string quote(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    switch (c) {
      case '\'': out += "''"; break;
      case '\\': out += "\\\\"; break;
      case '\0': out += "\\0"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\x1a': out += "\\Z"; break;
      default: out += c;
    }
  }
  return out + "'";
}

std::string quote_name(std::string_view name) {
  std::string out = "`";
  for (const char c : name) {
    if (c == '`') out += '`';
    out += c;
  }
  return out + "`";
}

std::string quote_account(std::string_view user, std::string_view host) { return quote(user) + "@" + quote(host); }

}  // namespace mysos::mysql
