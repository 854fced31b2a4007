// SPDX-License-Identifier: Apache-2.0
#include "base/json.h"

namespace mysos {

Result<json::value> parse_json(std::string_view text) {
  json::parse_options options;
  options.max_depth = kMaxJsonDepth;
  json::stream_parser parser({}, options);
  boost::system::error_code ec;
  const std::size_t used = parser.write_some(text.data(), text.size(), ec);
  if (!ec && used < text.size()) ec = json::error::extra_data;
  if (!ec) parser.finish(ec);
  if (ec) return fail(Errc::kInvalid, "not JSON at byte " + std::to_string(used) + ": " + ec.message());
  return parser.release();
}

}  // namespace mysos
