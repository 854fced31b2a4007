// SPDX-License-Identifier: Apache-2.0
#include "api/body.h"

#include <algorithm>
#include <set>

#include "base/did_you_mean.h"

namespace mysos {
namespace {

// A key that an object of this valid JSON has twice, of which a parser would keep one in silence.
std::optional<std::string> repeated_key(std::string_view text) {
  std::vector<std::set<std::string_view>>
      open;  // the keys so far of each object or list that is open
  bool key_comes = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    switch (text[i]) {
      case '{':
      case '[':
        open.emplace_back();
        key_comes = text[i] == '{';
        break;
      case '}':
      case ']':
        open.pop_back();
        break;
      case ':':
        key_comes = false;
        break;
      case ',':
        key_comes = !open.empty() && !open.back().empty();
        break;  // a list has no keys
      case '"': {
        const std::size_t begin = ++i;
        while (text[i] != '"') i += text[i] == '\\' ? 2 : 1;
        const auto word = text.substr(begin, i - begin);
        if (key_comes && !open.back().insert(word).second) return std::string(word);
        break;
      }
      default:
        break;
    }
  }
  return std::nullopt;
}

}  // namespace

Result<json::object> parse_object(std::string_view body) {
  MYSOS_TRY(json::value parsed, parse_json(body));
  if (!parsed.is_object()) return fail(Errc::kInvalid, "the body must be a JSON object");
  if (const auto twice = repeated_key(body))
    return fail(Errc::kInvalid, "the body has the field " + *twice + " twice");
  return std::move(parsed.get_object());
}

Status check_fields(const json::object& body, std::span<const BodyField> known) {
  for (const auto& field : body) {
    const std::string key(field.key());
    if (std::ranges::find(known, key, &BodyField::name) != known.end()) continue;
    std::vector<std::string> names;
    for (const BodyField& k : known) names.push_back(k.name);
    return fail(Errc::kInvalid, "there is no field " + key + did_you_mean(key, names), key);
  }
  return {};
}

Result<json::object> parse_body(std::string_view body, std::span<const BodyField> known) {
  if (body.empty() && std::ranges::none_of(known, &BodyField::required)) return json::object();
  MYSOS_TRY(json::object parsed, parse_object(body));
  MYSOS_TRY_VOID(check_fields(parsed, known));
  return parsed;
}

}  // namespace mysos
