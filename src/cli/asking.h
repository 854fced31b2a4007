// SPDX-License-Identifier: Apache-2.0
#pragma once
// Shared by client commands: paths, lists in answers, waiting.
#include <functional>
#include <string>

#include "api/command_form.h"
#include "cli/api_client.h"

namespace mysos::cli {

std::string path_of(const std::string& cluster);
// The path of the call; `name` replaces {name}.
std::string target_of(const CommandForm& form, const std::string& name);
const json::array& list_in(const json::value& answer, std::string_view key);

// Polls the cluster until `done` returns true (nullptr: it is gone), and shows changes on stderr.
// kTimeout says what it was waiting for.
Status wait_until(ApiClient& api, const std::string& name, Duration at_most,
                  const std::function<bool(const json::object*)>& done);

}  // namespace mysos::cli
