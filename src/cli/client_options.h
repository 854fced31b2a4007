// SPDX-License-Identifier: Apache-2.0
#pragma once
// Which server and which token a client command uses, if several sources name them. A flag wins over the environment, and
// the environment over the default. A state directory names an installation: its server's address and its token. So `--dir`
// wins over every variable, and only a more specific flag (`--url`, `--token`, `--token-file`) wins over `--dir`. The variables
// have the same order among themselves. Otherwise a forgotten variable could send a delete to another installation than
// the one that the command line names.
#include <optional>
#include <string>

#include "cli/options.h"

namespace mysos::cli {

// The options of one source: the flags, or the environment.
struct ClientSource {
  std::optional<std::string> url = {};
  std::optional<std::string> token = {};
  std::optional<std::string> token_file = {};
  std::optional<std::string> dir = {};
};

// MYSOS_URL, MYSOS_TOKEN, MYSOS_TOKEN_FILE, MYSOS_DIR; an empty one counts as unset.
ClientSource client_environment();

// kInvalid: flags that contradict each other, or are empty. Pure.
Result<ClientOptions> client_options(const ClientSource& flags, const ClientSource& environment,
                                     const std::string& default_dir);

}  // namespace mysos::cli
