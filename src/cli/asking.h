// SPDX-License-Identifier: Apache-2.0
#pragma once
// What several client commands do with the API: the paths, the lists in answers, and the waiting.
#include <functional>
#include <string>

#include "api/command_form.h"
#include "cli/api_client.h"

namespace mysos::cli {

std::string path_of(const std::string& cluster);
// Where the call goes; `name` stands for {name}.
std::string target_of(const CommandForm& form, const std::string& name);
const json::array& list_in(const json::value& answer, std::string_view key);

// Asks until `done` says so of the cluster (nullptr: it is gone), and tells on stderr what changes.
// kTimeout says what it was waiting for.
Status wait_until(ApiClient& api, const std::string& name, Duration at_most,
                  const std::function<bool(const json::object*)>& done);

}  // namespace mysos::cli
