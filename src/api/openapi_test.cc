// SPDX-License-Identifier: Apache-2.0
// The table of operations and openapi.json say the same, in both directions.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "api/assets.h"
#include "api/operation.h"

namespace mysos {
namespace {

const json::object& description() {
  static const json::value kAll = parse_json(assets::openapi()).value();
  return kAll.get_object();
}
const json::object& child(const json::object& of, std::string_view key) {
  static const json::object kNone;
  const json::value* found = of.if_contains(key);
  return found != nullptr && found->is_object() ? found->get_object() : kNone;
}
// What a "$ref" stands for, or the object itself.
const json::object& resolved(const json::object& object) {
  const json::value* ref = object.if_contains("$ref");
  if (ref == nullptr) return object;
  constexpr std::string_view kSchemas = "#/components/schemas/";
  const std::string_view target = ref->get_string();
  EXPECT_TRUE(target.starts_with(kSchemas)) << target;
  return child(child(child(description(), "components"), "schemas"), target.substr(kSchemas.size()));
}

std::string lower(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return text;
}
// "get /v1/clusters"
using ByCall = std::map<std::string, const json::object*>;
ByCall described() {
  ByCall out;
  for (const auto& path : child(description(), "paths")) {
    for (const auto& method : path.value().get_object()) {
      if (method.key() == "parameters") continue;
      out[std::string(method.key()) + " " + std::string(path.key())] = &method.value().get_object();
    }
  }
  return out;
}

json::value security_of(Scope scope) {
  const json::object token{{"token", json::array{}}};
  if (scope == Scope::kOpen) return json::array{};
  if (scope == Scope::kToken) return json::array{token};
  return json::array{token, json::object{}};  // it depends: on the address, or on a flag of the server
}

json::value type_of(FieldType type) {
  switch (type) {
    case FieldType::kText:
    case FieldType::kMember:
      return "string";
    case FieldType::kFlag:
      return "boolean";
    case FieldType::kWhole:
      return "integer";
    case FieldType::kNumber:
      return "number";
    case FieldType::kSize:
      return json::array{"string", "integer"};
  }
  return nullptr;
}

void compare_body(const Operation& operation, const json::object& said) {
  const json::object& schema =
      resolved(child(child(child(child(said, "requestBody"), "content"), "application/json"), "schema"));
  const json::object& properties = child(schema, "properties");
  EXPECT_EQ(properties.size(), operation.body.size()) << operation.id << ": " << json::serialize(properties);
  json::array required;
  for (const BodyField& field : operation.body) {
    ASSERT_TRUE(properties.contains(field.name)) << operation.id << " " << field.name;
    const json::object& property = child(properties, field.name);
    json::array types;
    if (const json::value* one_of = property.if_contains("oneOf")) {
      for (const auto& each : one_of->get_array()) types.push_back(each.at("type"));
    }
    const std::string where = operation.id + " " + field.name;
    EXPECT_EQ(types.empty() ? property.at("type") : json::value(types), type_of(field.type)) << where;
    json::array choices;
    for (const std::string& choice : field.choices) choices.emplace_back(choice);
    const json::value* listed = property.if_contains("enum");
    EXPECT_EQ(listed != nullptr ? *listed : json::value(json::array{}), json::value(choices)) << where;
    if (field.required) required.emplace_back(field.name);
  }
  const json::value* needs = schema.if_contains("required");
  EXPECT_EQ(needs != nullptr ? *needs : json::value(json::array{}), json::value(required)) << operation.id;
  if (!operation.body.empty()) EXPECT_EQ(schema.at("additionalProperties"), false) << operation.id;
  const json::value* body_needed = child(said, "requestBody").if_contains("required");
  EXPECT_EQ(body_needed != nullptr && body_needed->as_bool(), !required.empty()) << operation.id;
}

TEST(OpenApi, DescribesEachOperationAsTheTableHasIt) {
  const ByCall all = described();
  for (const Operation& operation : api_operations()) {
    if (operation.id.empty()) continue;
    const auto found = all.find(lower(operation.method) + " " + operation.path);
    ASSERT_NE(found, all.end()) << operation.method << " " << operation.path << " is not in openapi.json";
    const json::object& said = *found->second;
    EXPECT_EQ(said.at("operationId"), json::value(operation.id)) << found->first;
    const json::value* security = said.if_contains("security");
    EXPECT_EQ(security != nullptr ? *security : description().at("security"), security_of(operation.scope)) << found->first;
    compare_body(operation, said);
  }
}

TEST(OpenApi, DescribesNothingElse) {
  for (const auto& [call, said] : described()) {
    const bool known = std::ranges::any_of(api_operations(), [&](const Operation& operation) {
      return lower(operation.method) + " " + operation.path == call;
    });
    EXPECT_TRUE(known) << call << " is in openapi.json, and nothing answers it";
  }
}

}  // namespace
}  // namespace mysos
