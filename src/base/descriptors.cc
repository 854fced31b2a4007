// SPDX-License-Identifier: Apache-2.0
#include "base/descriptors.h"

#include <sys/resource.h>

#include "base/log.h"

namespace mysos {
namespace {
constexpr Logger kLog{"mysos"};
bool raised = false;  // written once, before there are threads
rlimit before{};
}  // namespace

void raise_descriptor_limit() {
  rlimit now{};
  if (raised || ::getrlimit(RLIMIT_NOFILE, &now) != 0 || now.rlim_cur == now.rlim_max) return;
  const rlimit more{now.rlim_max, now.rlim_max};
  if (::setrlimit(RLIMIT_NOFILE, &more) != 0) {
    kLog.warn("the limit of open files stays {}", now.rlim_cur);
    return;
  }
  before = now;
  raised = true;
}

std::uint64_t descriptor_limit() {
  rlimit now{};
  return ::getrlimit(RLIMIT_NOFILE, &now) == 0 ? now.rlim_cur : 0;
}

bool restore_descriptor_limit() { return !raised || ::setrlimit(RLIMIT_NOFILE, &before) == 0; }

}  // namespace mysos
