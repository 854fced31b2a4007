// SPDX-License-Identifier: Apache-2.0
#pragma once
// A secret in a file of its own: one line, for its owner's eyes only. A file that others may read is refused, because what
// it holds is no secret any more. The Error names the file and never quotes what is in it. Blocking.
#include <string>

#include "base/result.h"

namespace mysos {

inline constexpr std::size_t kLeastOwnSecret = 16;  // characters, of one that we made or could have made

// What an operator has written down: any line that is not empty.
Result<std::string> read_secret_file(const std::string& file);
// Makes one, random and of mode 0600, where there is no file.
Result<std::string> open_secret_file(const std::string& file);

}  // namespace mysos
