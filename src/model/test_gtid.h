// SPDX-License-Identifier: Apache-2.0
#pragma once
// GTID sets as tests write them down.
#include <string>

#include "model/gtid.h"

namespace mysos {

inline GtidSet gtid(const std::string& text) { return *GtidSet::parse(text); }

}  // namespace mysos
