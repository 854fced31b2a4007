// SPDX-License-Identifier: Apache-2.0
#include "api/create_request.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "base/did_you_mean.h"

namespace mysos {
namespace {

constexpr double kMaxCpus = 1024;

Result<Bytes> read_size(const json::value& value, const std::string& field) {
  if (value.is_string()) {
    auto size = parse_bytes(std::string_view(value.get_string()));
    if (!size) return fail(Errc::kInvalid, field + ": " + size.error().message, field);
    return size;
  }
  boost::system::error_code ec;
  const auto bytes = value.to_number<std::uint64_t>(ec);
  if (ec || value.is_double()) {
    return fail(Errc::kInvalid, field + " must be a size like \"1GB\", or a whole number of bytes",
                field);
  }
  return Bytes{bytes};
}

Result<std::uint32_t> read_members(const json::value& value) {
  boost::system::error_code ec;
  const auto members = value.to_number<std::uint32_t>(ec);
  if (!ec && !value.is_double() && members >= 1 && members <= kMaxMembers) return members;
  return fail(Errc::kInvalid,
              "members must be a whole number from 1 to " + std::to_string(kMaxMembers) + ", not " + json::serialize(value),
              "members");
}

Result<std::int64_t> read_cpus(const json::value& value) {
  boost::system::error_code ec;
  const auto cpus = value.to_number<double>(ec);
  if (ec || !std::isfinite(cpus) || cpus <= 0 || cpus > kMaxCpus) {
    return fail(Errc::kInvalid, "cpus must be a number above 0 and at most 1024", "cpus");
  }
  return std::llround(cpus * 1000);
}

Status check_password(const std::string& password, const std::string& field, std::size_t least) {
  const auto printable = [](char c) { return c >= 0x20 && c < 0x7f; };
  if (password.size() < least || password.size() > kMaxPassword ||
      !std::ranges::all_of(password, printable)) {
    return fail(Errc::kInvalid,
                field + " must be " + std::to_string(least) + " to " +
                    std::to_string(kMaxPassword) + " printable ASCII characters",
                field);
  }
  return {};
}

// The default version where none is given. An unknown one is left for the core to refuse.
void fill_defaults(ClusterSpec& spec, std::span<const VersionInfo> versions) {
  if (spec.user.empty()) spec.user = kDefaultUser;
  if (spec.version.empty() && !versions.empty()) spec.version = versions.front().name;
  const auto found = std::ranges::find(versions, spec.version, &VersionInfo::name);
  if (found != versions.end()) spec.flavour = found->flavour;
}

}  // namespace

Result<std::uint64_t> parse_number(std::string_view text, const std::string& field,
                                   std::uint64_t most) {
  std::uint64_t number = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (ec != std::errc() || end != text.data() + text.size() || number > most) {
    return fail(Errc::kInvalid, field + " must be a whole number from 0 to " + std::to_string(most),
                field);
  }
  return number;
}

Result<Duration> parse_wait(std::string_view text) {
  if (text.ends_with('s')) text.remove_suffix(1);
  constexpr auto kMost = std::chrono::duration_cast<std::chrono::seconds>(kMaxWait).count();
  MYSOS_TRY(const auto seconds, parse_number(text, "wait", static_cast<std::uint64_t>(kMost)));
  return std::chrono::seconds(seconds);
}

const std::vector<BodyField>& create_fields() {
  static const std::vector<BodyField> kFields{
      {"name", FieldType::kText, true},    {"members", FieldType::kWhole}, {"cpus", FieldType::kNumber},
      {"mem", FieldType::kSize},           {"disk", FieldType::kSize},     {"version", FieldType::kText},
      {"user", FieldType::kText},          {"password", FieldType::kText}, {"any_engine", FieldType::kFlag}};
  return kFields;
}

Result<CreateRequest> parse_create(std::string_view body, std::span<const VersionInfo> versions) {
  MYSOS_TRY(const json::object in, parse_body(body, create_fields()));
  CreateRequest request;
  ClusterSpec& spec = request.spec;
  JsonReader reader(in);
  reader.required("name", spec.name);
  reader("version", spec.version);
  reader("user", spec.user);
  reader("password", request.password);
  reader("any_engine", spec.any_engine);
  MYSOS_TRY_VOID(reader.take());
  const auto given = [&in](std::string_view key) {
    const json::value* value = in.if_contains(key);
    return value != nullptr && !value->is_null() ? value : nullptr;
  };
  if (const auto* members = given("members")) {
    MYSOS_TRY(spec.members, read_members(*members));
  }
  if (const auto* cpus = given("cpus")) {
    MYSOS_TRY(spec.cpus_milli, read_cpus(*cpus));
  }
  if (const auto* mem = given("mem")) {
    MYSOS_TRY(spec.mem, read_size(*mem, "mem"));
  }
  if (const auto* disk = given("disk")) {
    MYSOS_TRY(spec.disk, read_size(*disk, "disk"));
  }
  if (request.password) MYSOS_TRY_VOID(check_password(*request.password, "password", kMinPassword));
  fill_defaults(spec, versions);
  return request;
}

Result<CreateRequest> parse_cotton_create(const std::string& name, const FormFields& form,
                                          std::span<const VersionInfo> versions) {
  static const auto kKnown = std::to_array<std::string>(
      {"cluster_user", "num_nodes", "size", "backup_id", "cluster_password"});
  for (const auto& [key, value] : form) {
    if (std::ranges::find(kKnown, key) == kKnown.end()) {
      return fail(Errc::kInvalid, "there is no field " + key + did_you_mean(key, kKnown), key);
    }
  }
  const auto given = [&form](const std::string& key) {
    const auto found = form.find(key);
    return found == form.end() ? std::string() : found->second;
  };
  if (!given("backup_id").empty()) {
    return fail(Errc::kInvalid, "backup_id: this version of Mysos cannot restore backups yet",
                "backup_id");
  }
  CreateRequest request;
  ClusterSpec& spec = request.spec;
  spec.name = name;
  spec.user = given("cluster_user");
  if (spec.user.empty()) return fail(Errc::kInvalid, "cluster_user is missing", "cluster_user");
  spec.members = 1;  // as Cotton does
  if (const auto nodes = given("num_nodes"); !nodes.empty()) {
    MYSOS_TRY(const auto members, parse_number(nodes, "num_nodes", kMaxMembers));
    spec.members = static_cast<std::uint32_t>(members);
  }
  // Cotton's size is a JSON object {"cpus", "mem", "disk"}.
  if (const auto size = given("size"); !size.empty()) {
    auto parsed = parse_object(size);
    if (!parsed)
      return fail(Errc::kInvalid, "size must be a JSON object with cpus, mem and disk", "size");
    static const std::vector<BodyField> kSizes{
        {"cpus", FieldType::kNumber}, {"mem", FieldType::kSize}, {"disk", FieldType::kSize}};
    MYSOS_TRY_VOID(check_fields(*parsed, kSizes));
    if (const auto* cpus = parsed->if_contains("cpus")) {
      MYSOS_TRY(spec.cpus_milli, read_cpus(*cpus));
    }
    if (const auto* mem = parsed->if_contains("mem")) {
      MYSOS_TRY(spec.mem, read_size(*mem, "mem"));
    }
    if (const auto* disk = parsed->if_contains("disk")) {
      MYSOS_TRY(spec.disk, read_size(*disk, "disk"));
    }
  }
  if (const auto password = given("cluster_password"); !password.empty()) {
    MYSOS_TRY_VOID(check_password(password, "cluster_password", 1));
    request.password = password;
  }
  fill_defaults(spec, versions);
  return request;
}

}  // namespace mysos
