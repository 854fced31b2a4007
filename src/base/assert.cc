// SPDX-License-Identifier: Apache-2.0
#include "base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace mysos {
void assert_failed(const char* condition, const char* why, const char* file, int line) {
  std::fprintf(stderr, "%s:%d: this must hold and does not: %s (%s)\n", file, line, condition, why);
  std::fflush(stderr);
  std::abort();
}
}  // namespace mysos
