// SPDX-License-Identifier: Apache-2.0
#pragma once
// MYSOS_ASSERT(cond, "why"): an assertion, on in release builds too. A false condition is a bug. The process prints where and
// why, and aborts, because a wrong decision about users' data is worse than a restart.
namespace mysos {
[[noreturn]] void assert_failed(const char* condition, const char* why, const char* file, int line);
}
#define MYSOS_ASSERT(cond, why) \
  (static_cast<bool>(cond) ? void(0) : ::mysos::assert_failed(#cond, why, __FILE__, __LINE__))
