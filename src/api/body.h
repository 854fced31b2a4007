// SPDX-License-Identifier: Apache-2.0
#pragma once
// The body of a request: its possible fields and their types. The table of operations, the parsers, the check of
// openapi.json and the flags of the command line use this. Pure.
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "model/ids.h"

namespace mysos {

enum class FieldType {
  kText,
  kMember,  // the id of a member of the cluster that the request is about
  kFlag,    // true or false
  kWhole,   // a whole number
  kNumber,
  kSize,  // "1GB", or a whole number of bytes
};

struct BodyField {
  std::string name;
  FieldType type = FieldType::kText;
  bool required = false;
  std::vector<std::string> choices = {};  // of a text; none: any
  bool operator==(const BodyField&) const = default;
};

// An Io that reads nothing and records the fields of a type (base/json.h).
class FieldLister {
 public:
  static constexpr bool reading = false;
  template <class T>
  void operator()(std::string_view key, T&) {
    add<T>(key, false);
  }
  template <class T>
  void required(std::string_view key, T&) {
    add<T>(key, true);
  }
  std::vector<BodyField> take() { return std::move(fields_); }

 private:
  template <class T>
  void add(std::string_view key, bool required) {
    if constexpr (json_detail::IsOptional<T>::value) {
      add<typename T::value_type>(key, false);
    } else {
      BodyField field{std::string(key), FieldType::kText, required};
      if constexpr (std::is_same_v<T, MemberId>) {
        field.type = FieldType::kMember;
      } else if constexpr (std::is_same_v<T, bool>) {
        field.type = FieldType::kFlag;
      } else if constexpr (std::is_integral_v<T>) {
        field.type = FieldType::kWhole;
      } else if constexpr (std::is_floating_point_v<T>) {
        field.type = FieldType::kNumber;
      } else if constexpr (std::is_enum_v<T>) {
        for (const auto& name : enum_names(T{})) field.choices.emplace_back(name.text);
      } else {
        static_assert(json_detail::IsText<T>, "a field of a body is a text, a number, a flag or a name of an enum");
      }
      fields_.push_back(std::move(field));
    }
  }
  std::vector<BodyField> fields_;
};

template <class T>
std::vector<BodyField> body_fields() {
  FieldLister io;
  T value{};
  fields(io, value);
  return io.take();
}

// kInvalid without a field: the body is no JSON object, or has a field twice.
Result<json::object> parse_object(std::string_view body);
// kInvalid names an unknown field, and suggests a similar known one.
Status check_fields(const json::object& body, std::span<const BodyField> known);
// Both checks. If no field is required, a missing body counts as an empty one.
Result<json::object> parse_body(std::string_view body, std::span<const BodyField> known);

}  // namespace mysos
