// SPDX-License-Identifier: Apache-2.0
#pragma once
// The letters that HTTP is written in (RFC 9110, section 5.6), and one header field. For the other files of this folder.
#include <algorithm>
#include <expected>
#include <string_view>

namespace mysos {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_alnum(char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
constexpr bool is_visible(char c) { return c > 0x20 && c < 0x7f; }  // in ASCII
constexpr char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

constexpr bool is_token(std::string_view text) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !text.empty() &&
         std::ranges::all_of(text, [&](char c) { return is_alnum(c) || kMarks.find(c) != std::string_view::npos; });
}

// A text as a field's value holds it. Bytes above ASCII are let through: they mean nothing to HTTP.
constexpr bool is_field_text(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte == '\t' || (byte >= 0x20 && byte != 0x7f);
  });
}

constexpr std::string_view trim_blanks(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

struct FieldText {
  std::string_view name;
  std::string_view value;
};
// One line without its end; the Error is a sentence.
constexpr std::expected<FieldText, std::string_view> parse_field(std::string_view line) {
  if (line.starts_with(' ') || line.starts_with('\t')) return std::unexpected("a header field goes on in a further line");
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return std::unexpected("a header field has no colon");
  const auto name = line.substr(0, colon);
  if (!is_token(name)) return std::unexpected("the name of a header field is not a valid HTTP token");
  const auto value = trim_blanks(line.substr(colon + 1));
  if (!is_field_text(value)) return std::unexpected("a header field holds a control character");
  return FieldText{name, value};
}

}  // namespace mysos
