// SPDX-License-Identifier: Apache-2.0
#include "cli/task_ports.h"

#include <charconv>

#include "base/fs.h"
#include "base/port_check.h"

namespace mysos::cli {
namespace {

bool are_free(const std::string& address, std::uint32_t first, std::uint32_t count) {
  for (std::uint32_t port = first; port < first + count; ++port) {
    if (!port_is_free(address, static_cast<std::uint16_t>(port))) return false;
  }
  return true;
}

// FNV-1a: the same block for the same directory, where nothing is in the way.
std::uint32_t hash_of(const std::string& text) {
  std::uint32_t hash = 2166136261U;
  for (const unsigned char c : text) hash = (hash ^ c) * 16777619U;
  return hash;
}

}  // namespace

Result<std::uint16_t> task_ports(const std::string& dir, std::size_t agents,
                                 const std::string& address) {
  const std::string file = dir + "/task-ports";
  if (path_exists(file)) {
    MYSOS_TRY(const std::string text, read_file(file, 64));
    std::uint16_t first = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), first);
    if (read.ec == std::errc() && first >= 1024) return first;
    return fail(Errc::kInvalid, file + " holds no port; the members' ports are counted from it");
  }
  const auto count = static_cast<std::uint32_t>(agents * kPortsPerAgent);
  const std::uint32_t blocks = (kEndOfTaskPorts - kFirstTaskPort - count) / kPortsPerAgent + 1;
  const std::uint32_t begin = hash_of(dir) % blocks;
  for (std::uint32_t i = 0; i < blocks; ++i) {
    const std::uint32_t first = kFirstTaskPort + (begin + i) % blocks * kPortsPerAgent;
    if (!are_free(address, first, count)) continue;
    MYSOS_TRY_VOID(write_file_atomic(file, std::to_string(first) + "\n", 0600));
    return static_cast<std::uint16_t>(first);
  }
  return fail(Errc::kConflict, "no " + std::to_string(count) + " ports in a row are free between " +
                                   std::to_string(kFirstTaskPort) + " and " +
                                   std::to_string(kEndOfTaskPorts) +
                                   "; end what listens there, or take fewer --agents");
}

}  // namespace mysos::cli
