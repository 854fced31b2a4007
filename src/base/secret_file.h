// SPDX-License-Identifier: Apache-2.0
#pragma once
// A secret in a separate file: one line that only its owner may read. A file that others may read is refused, because its
// content is no secret any more. The Error names the file and never quotes its content. Blocking.
#include <string>

#include "base/result.h"

namespace mysos {

inline constexpr std::size_t kLeastOwnSecret = 16;  // characters, of one that we made or could have made

// Reads a secret that an operator wrote: any line that is not empty.
Result<std::string> read_secret_file(const std::string& file);
// Reads the secret; without a file, makes a random one of mode 0600.
Result<std::string> open_secret_file(const std::string& file);

}  // namespace mysos
