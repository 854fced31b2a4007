// SPDX-License-Identifier: Apache-2.0
#pragma once
// A user's request for a cluster, from JSON (POST /v1/clusters) or from Cotton's form (POST
// /clusters/<name>), as values. Checks only the syntax: types, unknown fields, malformed
// sizes. The scheduler's core checks the limits of a cluster. Pure.
#include <span>
#include <string>
#include <string_view>

#include "api/body.h"
#include "api/control.h"
#include "base/http/message.h"

namespace mysos {

inline constexpr std::string_view kDefaultUser = "app";
inline constexpr std::size_t kMinPassword = 8;  // of a password that the user chose
inline constexpr std::size_t kMaxPassword = 128;

const std::vector<BodyField>& create_fields();
// kInvalid with a field: a value is wrong; without a field: the body is no JSON object.
Result<CreateRequest> parse_create(std::string_view body, std::span<const VersionInfo> versions);
// An empty field counts as missing. kInvalid names Cotton's field.
Result<CreateRequest> parse_cotton_create(const std::string& name, const FormFields& form,
                                          std::span<const VersionInfo> versions);

// Seconds of `?wait=`: 0 to kMaxWait, "30" or "30s".
inline constexpr Duration kMaxWait = std::chrono::minutes(10);
Result<Duration> parse_wait(std::string_view text);
Result<std::uint64_t> parse_number(std::string_view text, const std::string& field,
                                   std::uint64_t most);

}  // namespace mysos
