// SPDX-License-Identifier: Apache-2.0
#include "api/assets.h"

// MYSOS_ASSET_ROOT is the source tree (src/api/CMakeLists.txt, which also names these files as
// dependencies).
#define MYSOS_ASSET(name, path)                                                       \
  asm(".pushsection .rodata\n"                                                        \
      ".local mysos_asset_" #name                                                     \
      "\n"                                                                            \
      "mysos_asset_" #name                                                            \
      ":\n"                                                                           \
      ".incbin \"" MYSOS_ASSET_ROOT "/" path                                          \
      "\"\n"                                                                          \
      ".local mysos_asset_" #name                                                     \
      "_end\n"                                                                        \
      "mysos_asset_" #name                                                            \
      "_end:\n"                                                                       \
      ".popsection\n");                                                               \
  extern "C" {                                                                        \
  extern const char mysos_asset_##name[];                                             \
  extern const char mysos_asset_##name##_end[];                                       \
  }                                                                                   \
  namespace mysos::assets {                                                           \
  std::string_view name() {                                                           \
    return {mysos_asset_##name,                                                       \
            static_cast<std::size_t>(mysos_asset_##name##_end - mysos_asset_##name)}; \
  }                                                                                   \
  }

MYSOS_ASSET(page, "web/index.html")
MYSOS_ASSET(script, "web/app.js")
MYSOS_ASSET(style, "web/style.css")
MYSOS_ASSET(icon, "web/icon.svg")
MYSOS_ASSET(openapi, "src/api/openapi.json")
