// SPDX-License-Identifier: Apache-2.0
#pragma once
// MYSOS_ASSERT(cond, "why"): states what must hold, in release builds too. A false one is a bug: it prints where and why,
// and aborts, because a wrong decision about somebody's data is worse than a restart.
namespace mysos {
[[noreturn]] void assert_failed(const char* condition, const char* why, const char* file, int line);
}
#define MYSOS_ASSERT(cond, why) \
  (static_cast<bool>(cond) ? void(0) : ::mysos::assert_failed(#cond, why, __FILE__, __LINE__))
