// SPDX-License-Identifier: Apache-2.0
#pragma once
// Which server a client command speaks to, and with which token, when several sources say it. A flag beats the environment, and
// the environment beats the default. A state directory names an installation: its server's address and its token. So `--dir`
// beats every variable of the environment, and only a flag that says the same thing more exactly (`--url`, `--token`,
// `--token-file`) beats `--dir`; the variables stand to each other in the same way. Otherwise a variable that was left
// over could send a delete to another installation than the one that the command line names.
#include <optional>
#include <string>

#include "cli/options.h"

namespace mysos::cli {

// What one source says: the flags, or the environment.
struct ClientSource {
  std::optional<std::string> url = {};
  std::optional<std::string> token = {};
  std::optional<std::string> token_file = {};
  std::optional<std::string> dir = {};
};

// MYSOS_URL, MYSOS_TOKEN, MYSOS_TOKEN_FILE, MYSOS_DIR; an empty one says nothing.
ClientSource client_environment();

// kInvalid: flags that contradict each other, or are empty. Pure.
Result<ClientOptions> client_options(const ClientSource& flags, const ClientSource& environment,
                                     const std::string& default_dir);

}  // namespace mysos::cli
