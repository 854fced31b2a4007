// SPDX-License-Identifier: Apache-2.0
#include "base/json.h"

#include <algorithm>

namespace mysos {

Result<json::value> parse_json(std::string_view text, json::storage_ptr storage) {
  json::parse_options options;
  options.max_depth = kMaxJsonDepth;
  json::stream_parser parser({}, options);
  parser.reset(std::move(storage));
  boost::system::error_code ec;
  const std::size_t used = parser.write_some(text.data(), text.size(), ec);
  if (!ec && used < text.size()) ec = json::error::extra_data;
  if (!ec) parser.finish(ec);
  if (ec) return fail(Errc::kInvalid, "not JSON at byte " + std::to_string(used) + ": " + ec.message());
  return parser.release();
}

std::string JsonPath::text() const {
  const std::string before = parent == nullptr ? "" : parent->text();
  if (index) return before + "[" + std::to_string(*index) + "]";
  return before.empty() ? std::string(key) : before + "." + std::string(key);
}

void json_detail::write_quoted(std::string_view text, std::string& out) {
  const auto plain = [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\'; };
  if (!std::ranges::all_of(text, plain)) {
    out += json::serialize(json::value(text));
    return;
  }
  out += '"';
  out += text;
  out += '"';
}

}  // namespace mysos
