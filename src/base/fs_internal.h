// SPDX-License-Identifier: Apache-2.0
#pragma once
// What fs.cc and fs_tree.cc share.
#include <string>
#include <string_view>

#include "base/fs.h"

namespace mysos {

Status write_all(int fd, std::string_view content, const std::string& path);

}  // namespace mysos
