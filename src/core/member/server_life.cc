// SPDX-License-Identifier: Apache-2.0
#include "core/member/server_life.h"

#include <utility>

#include "base/overloaded.h"

namespace mysos {

using namespace server_life;

ServerState state_of(const ServerLife& life) {
  return std::visit(Overloaded{
                        [](const Down& d) { return d.as; },
                        [](const MakingData&) { return ServerState::kPreparing; },
                        [](const ReadingRelay&) { return ServerState::kPreparing; },
                        [](const Starting&) { return ServerState::kStarting; },
                        [](const Running&) { return ServerState::kRunning; },
                        [](const Stopping&) { return ServerState::kStopping; },
                    },
                    life);
}

Running* server_in(ServerLife& life) {
  if (auto* running = std::get_if<Running>(&life)) return running;
  auto* stopping = std::get_if<Stopping>(&life);
  return stopping != nullptr && stopping->was ? &*stopping->was : nullptr;
}

const Running* server_in(const ServerLife& life) {
  if (const auto* running = std::get_if<Running>(&life)) return running;
  const auto* stopping = std::get_if<Stopping>(&life);
  return stopping != nullptr && stopping->was ? &*stopping->was : nullptr;
}

void tell_to_end(ServerLife& life) {
  if (auto* running = std::get_if<Running>(&life)) {
    life = Stopping{std::move(*running)};
  } else if (std::holds_alternative<Starting>(life)) {
    life = Stopping{};
  }
}

}  // namespace mysos
