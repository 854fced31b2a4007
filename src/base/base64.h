// SPDX-License-Identifier: Apache-2.0
#pragma once
// Base64, standard alphabet with padding (Mesos' `data` and `uuid`), and the url-safe one without
// (tokens).
#include <string>
#include <string_view>

#include "base/result.h"

namespace mysos {

std::string base64_encode(std::string_view bytes);
Result<std::string> base64_decode(std::string_view text);
std::string base64url_encode(std::string_view bytes);

}  // namespace mysos
