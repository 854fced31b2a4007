// SPDX-License-Identifier: Apache-2.0
#pragma once
// A small file that is replaced often, and durably each time: two slots of a fixed size, written in turn, each with a number
// and a sum. A write is one fdatasync of blocks that are there already: no new file, no rename, no journal of the file system,
// and no space, so that a full disk takes it too. A slot whose sum is wrong is a write that was cut off, of which nobody was
// told that it is done: the other one holds. Blocking. One writer at a time.
#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace mysos {

inline constexpr std::size_t kSlotBytes = 16384;
inline constexpr std::size_t kMaxSlotContent = kSlotBytes - 256;

// None where there is no file. kIo where neither slot can be read: that is damage, never an empty file.
Result<std::optional<std::string>> read_slot_file(const std::string& path);
// After it returns the file has the new content for good; until then, also after a crash, the old or the new one. `mode` is
// that of a file that is made. kTooLarge above kMaxSlotContent.
Status write_slot_file(const std::string& path, std::string_view content, mode_t mode = 0644);

}  // namespace mysos
