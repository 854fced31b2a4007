// SPDX-License-Identifier: Apache-2.0
#include "store/event_log.h"

namespace mysos {

Status check_events(const std::vector<NewEvent>& events) {
  for (const NewEvent& event : events) {
    if (event.json.size() > kMaxEventBytes) {
      return fail(Errc::kTooLarge, "an event has " + std::to_string(event.json.size()) + " bytes; the log takes at most " +
                                       std::to_string(kMaxEventBytes));
    }
  }
  return {};
}

}  // namespace mysos
