// SPDX-License-Identifier: Apache-2.0
#pragma once
// A small file that is replaced often and durably: two slots of a fixed size, written in turn, each with a number and a
// checksum. A write is one fdatasync of existing blocks. It needs no new file, no rename, no journal of the file system and no
// space, so it works on a full disk too. A slot with a wrong checksum is an incomplete write, which was never reported as done,
// so the other slot is valid. Blocking. One writer at a time.
#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace mysos {

inline constexpr std::size_t kSlotBytes = 16384;
inline constexpr std::size_t kMaxSlotContent = kSlotBytes - 256;

// None: there is no file. kIo: neither slot can be read, so the file is damaged; never taken for an empty file.
Result<std::optional<std::string>> read_slot_file(const std::string& path);
// After it returns, the file durably has the new content. Before that, also after a crash, it has the old or the new content.
// `mode` applies to a new file. kTooLarge above kMaxSlotContent.
Status write_slot_file(const std::string& path, std::string_view content, mode_t mode = 0644);

}  // namespace mysos
