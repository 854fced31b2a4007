// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the two ways of seeding share.
#include <functional>
#include <string>

#include "mysql/seeding.h"

namespace mysos::mysql {

std::string seed_dir(const SeedSpec& spec);
std::string seed_copy(const SeedSpec& spec);  // becomes the datadir
ServerLayout seed_layout(const SeedSpec& spec);

// Runs `body` beside a server on `datadir` that nobody reaches but over the socket of seed_layout(); then ends the server,
// whatever became of it.
asio::awaitable<Status> with_private_server(SeedSpec spec, std::string datadir,
                                            std::function<asio::awaitable<Status>()> body);

}  // namespace mysos::mysql
