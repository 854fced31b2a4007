// SPDX-License-Identifier: Apache-2.0
#include "cli/client_options.h"

#include <cstdlib>
#include <utility>

namespace mysos::cli {
namespace {

std::optional<std::string> variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr || *value == '\0' ? std::nullopt : std::optional<std::string>(value);
}

Status check_flags(const ClientSource& flags) {
  if (flags.token && flags.token_file) {
    return fail(Errc::kInvalid, "--token and --token-file contradict each other; give one of them", "token");
  }
  const std::pair<const char*, const std::optional<std::string>*> all[] = {
      {"url", &flags.url}, {"token", &flags.token}, {"token-file", &flags.token_file}, {"dir", &flags.dir}};
  for (const auto& [name, value] : all) {
    if (*value && (*value)->empty()) return fail(Errc::kInvalid, std::string("--") + name + " is empty", name);
  }
  return {};
}

}  // namespace

ClientSource client_environment() {
  return {.url = variable("MYSOS_URL"),
          .token = variable("MYSOS_TOKEN"),
          .token_file = variable("MYSOS_TOKEN_FILE"),
          .dir = variable("MYSOS_DIR")};
}

Result<ClientOptions> client_options(const ClientSource& flags, const ClientSource& environment,
                                     const std::string& default_dir) {
  MYSOS_TRY_VOID(check_flags(flags));
  const ClientSource nothing;
  const ClientSource& below = flags.dir ? nothing : environment;  // --dir names the installation
  ClientOptions options;
  options.dir = flags.dir ? *flags.dir : environment.dir.value_or(default_dir);
  options.url = flags.url ? *flags.url : below.url.value_or("");
  const ClientSource& by = flags.token || flags.token_file ? flags : below;
  if (by.token) {
    options.token = *by.token;
  } else if (by.token_file) {
    options.token_file = *by.token_file;
  }
  return options;
}

}  // namespace mysos::cli
