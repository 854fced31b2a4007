// SPDX-License-Identifier: Apache-2.0
#pragma once
// Files that are part of the binary: the status page and the API's description. Constant, there
// from the start.
#include <string_view>

namespace mysos::assets {

std::string_view page();     // web/index.html
std::string_view script();   // web/app.js
std::string_view style();    // web/style.css
std::string_view icon();     // web/icon.svg
std::string_view openapi();  // src/api/openapi.json

}  // namespace mysos::assets
