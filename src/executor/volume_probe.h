// SPDX-License-Identifier: Apache-2.0
#pragma once
// Whether the member's volume takes writes: a thread of its own overwrites one small file now and then and has it synced. A
// disk that is full or does not answer is seen within seconds, whatever mysqld makes of it.
//
// The thread is not waited for at the end: on a disk that hangs, nobody could end it. It owns what it touches.
#include <memory>
#include <string>

#include "base/time.h"

namespace mysos {

inline constexpr Duration kProbeEvery = std::chrono::seconds(1);
inline constexpr Duration kProbeSlow = std::chrono::seconds(1);      // a write that takes longer is trouble
inline constexpr std::uint64_t kProbeFree = std::uint64_t{1} << 20;  // bytes; with less the volume is as good as full

class VolumeProbe {
 public:
  // Starts to probe the folder `dir`; the file in it is called `probe`.
  explicit VolumeProbe(std::string dir);
  ~VolumeProbe();
  VolumeProbe(const VolumeProbe&) = delete;
  VolumeProbe& operator=(const VolumeProbe&) = delete;

  // Why the volume takes no writes, one sentence; "" = the last one went through in time.
  [[nodiscard]] std::string trouble() const;

 private:
  struct State;
  static void probe(const std::shared_ptr<State>& state);
  std::shared_ptr<State> state_;  // shared with the thread
};

}  // namespace mysos
