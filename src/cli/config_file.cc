// SPDX-License-Identifier: Apache-2.0
#include <pwd.h>
#include <toml++/toml.h>
#include <unistd.h>

#include <cstdlib>

#include "base/fs.h"
#include "cli/options.h"

namespace mysos::cli {
namespace {

std::optional<std::string> scalar(const toml::node& node) {
  if (const auto text = node.value_exact<std::string>()) return *text;
  if (const auto number = node.value_exact<std::int64_t>()) return std::to_string(*number);
  if (const auto flag = node.value_exact<bool>()) return *flag ? "true" : "false";
  return std::nullopt;
}

}  // namespace

Result<std::vector<std::pair<std::string, std::vector<std::string>>>> read_config_file(
    const std::string& file) {
  MYSOS_TRY(const std::string text, read_file(file));
  toml::table table;
  try {
    table = toml::parse(text, file);
  } catch (const toml::parse_error& error) {
    return fail(Errc::kInvalid, file + ", line " + std::to_string(error.source().begin.line) +
                                    ": " + std::string(error.description()));
  }
  std::vector<std::pair<std::string, std::vector<std::string>>> out;
  for (const auto& [key, node] : table) {
    std::vector<std::string> values;
    if (const auto* list = node.as_array()) {
      for (const auto& element : *list) {
        const auto value = scalar(element);
        if (!value)
          return fail(Errc::kInvalid,
                      file + ": " + std::string(key.str()) + " must be a list of texts");
        values.push_back(*value);
      }
    } else if (const auto value = scalar(node)) {
      values.push_back(*value);
    } else {
      return fail(Errc::kInvalid,
                  file + ": " + std::string(key.str()) +
                      " must be a text, a number, true or false, or a list of those");
    }
    out.emplace_back(std::string(key.str()), std::move(values));
  }
  return out;
}

std::string default_dir() {
  if (::geteuid() == 0) return "/var/lib/mysos";
  const char* home = std::getenv("HOME");
  if (home != nullptr && *home != '\0') return std::string(home) + "/.mysos";
  const passwd* me = ::getpwuid(::geteuid());
  return std::string(me != nullptr ? me->pw_dir : "/tmp") + "/.mysos";
}

}  // namespace mysos::cli
