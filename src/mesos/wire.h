// SPDX-License-Identifier: Apache-2.0
#pragma once
// Small readers and writers for protobuf-shaped JSON as Mesos speaks it: an id is {"value": text},
// a missing field is the default, a field of another type counts as missing. Bytes are base64,
// durations {"nanoseconds": n}, labels
// {"labels": [{key, value}]}. Used by the codecs of this folder only.
#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "model/resources.h"

namespace mysos::mesos::wire {

const json::object* object_at(const json::object& o, std::string_view key);
const json::array* array_at(const json::object& o, std::string_view key);
std::string string_at(const json::object& o, std::string_view key);
double number_at(const json::object& o, std::string_view key, double missing = 0);
std::optional<std::string> id_text_at(const json::object& o, std::string_view key);

template <class Id>
Id id_at(const json::object& o, std::string_view key) {
  return Id(id_text_at(o, key).value_or(""));
}
template <class Id>
std::optional<Id> optional_id_at(const json::object& o, std::string_view key) {
  auto text = id_text_at(o, key);
  if (!text) return std::nullopt;
  return Id(*std::move(text));
}
json::object id(std::string_view value);
template <class Id>
json::object id(const StrongId<Id>& value) {
  return id(std::string_view(value.value));
}
template <class Id>
void put_id(json::object& o, std::string_view key, const std::optional<StrongId<Id>>& value) {
  if (value) o[key] = id(*value);
}
void put_text(json::object& o, std::string_view key,
              std::string_view value);  // nothing where it is empty

std::optional<Duration> duration_at(const json::object& o, std::string_view key);
json::object duration(Duration d);

json::object labels(const Labels& labels);
Labels labels_at(const json::object& o, std::string_view key);

std::string base64(std::string_view bytes);
// What was not base64 reads as "".
std::string unbase64(std::string_view text);
// Standard base64 of sixteen bytes with a known version (1 to 5), which is what Mesos takes for a UUID.
bool is_uuid(std::string_view text);
// A new one, random, of version 4. A real agent answers "Not a valid UUID" to sixteen bytes of no known version, and dies of
// them in a subscription's unacknowledged updates (measured on 1.11).
std::string new_uuid();

}  // namespace mysos::mesos::wire
