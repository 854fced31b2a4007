// SPDX-License-Identifier: Apache-2.0
#pragma once
// Datadirs. A fresh one is a copy of a template that is made once per distribution, version and user in a cache folder: 0.1 s
// instead of 0.5 to 2 s. A template has only the server's own accounts and no root without password. The copy leaves out what
// must be unique (server uuid, TLS keys), which the server makes at its first start. Blocking: run it off the loop.
#include <optional>
#include <string>

#include "base/process.h"
#include "base/result.h"
#include "mysql/distribution.h"

namespace mysos::mysql {

// Whom servers run as: the user of that name; "" = `mysql` if there is such a user, else `mysos`. Never root. nullopt: as
// ourselves, where we are not root. An Error says what to do.
Result<std::optional<ProcessUser>> server_user(const std::string& name);
// A warning for the operator about that choice; "" = none.
std::string warning_about(const std::optional<ProcessUser>& user);

// The folder of the template; makes it where it is missing. Two processes do not make it both.
Result<std::string> ensure_template(const Distribution& distribution, const std::string& cache_dir,
                                    const std::optional<ProcessUser>& user);

// Removes what is at `datadir`, then makes it a copy that belongs to `user`. It appears complete or not at all.
Status make_datadir(const std::string& template_dir, const std::string& datadir, const std::optional<ProcessUser>& user);

// Gives a data directory to `user`, if servers ran as another user before.
Status hand_over(const std::string& path, const std::optional<ProcessUser>& user);

// mkdir -p, then the owner and the mode of the last folder.
Status make_owned_dir(const std::string& path, const std::optional<ProcessUser>& user, mode_t mode);

}  // namespace mysos::mysql
