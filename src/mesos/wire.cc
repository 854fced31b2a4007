// SPDX-License-Identifier: Apache-2.0
#include "mesos/wire.h"

#include <sodium.h>

namespace mysos::mesos::wire {
namespace {
const json::value* at(const json::object& o, std::string_view key) { return o.if_contains(key); }
}  // namespace

const json::object* object_at(const json::object& o, std::string_view key) {
  const auto* v = at(o, key);
  return v == nullptr ? nullptr : v->if_object();
}

const json::array* array_at(const json::object& o, std::string_view key) {
  const auto* v = at(o, key);
  return v == nullptr ? nullptr : v->if_array();
}

std::string string_at(const json::object& o, std::string_view key) {
  const auto* v = at(o, key);
  if (v == nullptr || !v->is_string()) return {};
  return std::string(v->get_string());
}

double number_at(const json::object& o, std::string_view key, double missing) {
  const auto* v = at(o, key);
  if (v == nullptr) return missing;
  boost::system::error_code ec;
  const double number = v->to_number<double>(ec);
  return ec ? missing : number;
}

std::optional<std::string> id_text_at(const json::object& o, std::string_view key) {
  const auto* inner = object_at(o, key);
  if (inner == nullptr || !inner->contains("value")) return std::nullopt;
  return string_at(*inner, "value");
}

json::object id(std::string_view value) {
  json::object o;
  o["value"] = value;
  return o;
}

void put_text(json::object& o, std::string_view key, std::string_view value) {
  if (!value.empty()) o[key] = value;
}

std::optional<Duration> duration_at(const json::object& o, std::string_view key) {
  const auto* inner = object_at(o, key);
  if (inner == nullptr) return std::nullopt;
  return Duration(static_cast<Duration::rep>(number_at(*inner, "nanoseconds") / 1000.0));
}

json::object duration(Duration d) {
  json::object o;
  o["nanoseconds"] = std::chrono::duration_cast<std::chrono::nanoseconds>(d).count();
  return o;
}

json::object labels(const Labels& labels) {
  json::array list;
  for (const auto& [key, value] : labels)
    list.push_back(json::object{{"key", key}, {"value", value}});
  return json::object{{"labels", std::move(list)}};
}

Labels labels_at(const json::object& o, std::string_view key) {
  Labels out;
  const auto* outer = object_at(o, key);
  const auto* list = outer == nullptr ? nullptr : array_at(*outer, "labels");
  if (list == nullptr) return out;
  for (const auto& entry : *list) {
    if (const auto* label = entry.if_object())
      out[string_at(*label, "key")] = string_at(*label, "value");
  }
  return out;
}

std::string base64(std::string_view bytes) {
  const std::size_t room = sodium_base64_encoded_len(bytes.size(), sodium_base64_VARIANT_ORIGINAL);
  std::string out(room, '\0');
  sodium_bin2base64(out.data(), room, reinterpret_cast<const unsigned char*>(bytes.data()),
                    bytes.size(), sodium_base64_VARIANT_ORIGINAL);
  out.resize(room - 1);  // the terminating zero
  return out;
}

std::string unbase64(std::string_view text) {
  std::string out(text.size(), '\0');
  std::size_t length = 0;
  const char* end = nullptr;
  const int failed =
      sodium_base642bin(reinterpret_cast<unsigned char*>(out.data()), out.size(), text.data(),
                        text.size(), nullptr, &length, &end, sodium_base64_VARIANT_ORIGINAL);
  if (failed != 0 || end != text.data() + text.size()) return {};
  out.resize(length);
  return out;
}

std::string new_uuid() {
  unsigned char bytes[16];
  randombytes_buf(bytes, sizeof bytes);
  bytes[6] = static_cast<unsigned char>((bytes[6] & 0x0f) | 0x40);
  bytes[8] = static_cast<unsigned char>((bytes[8] & 0x3f) | 0x80);
  return base64({reinterpret_cast<const char*>(bytes), sizeof bytes});
}

bool is_uuid(std::string_view text) {
  const std::string bytes = unbase64(text);
  if (bytes.size() != 16) return false;
  const int version = static_cast<unsigned char>(bytes[6]) >> 4;
  return version >= 1 && version <= 5;
}

}  // namespace mysos::mesos::wire
