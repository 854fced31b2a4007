// SPDX-License-Identifier: Apache-2.0
#pragma once
// Whether the member's volume takes writes. A thread regularly overwrites one small file and syncs it. So a full or hanging
// disk is noticed within seconds, independent of mysqld.
//
// The destructor does not wait for the thread, because a thread that hangs on a disk cannot be ended. The thread owns its data.
#include <memory>
#include <string>

#include "base/time.h"

namespace mysos {

inline constexpr Duration kProbeEvery = std::chrono::seconds(1);
inline constexpr Duration kProbeSlow = std::chrono::seconds(1);      // a write that takes longer is trouble
inline constexpr std::uint64_t kProbeFree = std::uint64_t{1} << 20;  // bytes; with less free space the volume counts as full

class VolumeProbe {
 public:
  // Starts to probe the folder `dir`; the file in it is called `probe`.
  explicit VolumeProbe(std::string dir);
  ~VolumeProbe();
  VolumeProbe(const VolumeProbe&) = delete;
  VolumeProbe& operator=(const VolumeProbe&) = delete;

  // Why the volume takes no writes, as a sentence; "" = the last write finished in time.
  [[nodiscard]] std::string trouble() const;

 private:
  struct State;
  static void probe(const std::shared_ptr<State>& state);
  std::shared_ptr<State> state_;  // shared with the thread
};

}  // namespace mysos
