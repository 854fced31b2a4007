// SPDX-License-Identifier: Apache-2.0
#include "cli/task_ports.h"

#include <charconv>
#include <optional>
#include <vector>

#include "base/fs.h"
#include "base/log.h"
#include "base/port_check.h"

namespace mysos::cli {
namespace {
constexpr Logger kLog{"mysos"};
constexpr std::size_t kPortsTold = 5;

struct Block {
  std::uint32_t first = 0;
  std::uint32_t count = 0;
  [[nodiscard]] std::uint32_t end() const { return first + count; }
  [[nodiscard]] bool overlaps(const Block& other) const { return first < other.end() && other.first < end(); }
  [[nodiscard]] std::string text() const { return std::to_string(first) + "-" + std::to_string(end() - 1); }
};

// Ports of the block that somebody else listens on.
std::vector<std::uint32_t> taken_in(const Block& block, const std::string& address, const local::AgentPorts& ours) {
  std::vector<std::uint32_t> out;
  for (std::uint32_t port = block.first; port < block.end(); ++port) {
    const auto number = static_cast<std::uint16_t>(port);
    if (!ours.held.contains(number) && !port_is_free(address, number)) out.push_back(port);
  }
  return out;
}

bool is_new_and_free(const Block& block, const std::string& address, const local::AgentPorts& ours) {
  const auto reserved = ours.reserved.lower_bound(static_cast<std::uint16_t>(block.first));
  if (reserved != ours.reserved.end() && *reserved < block.end()) return false;
  for (std::uint32_t port = block.first; port < block.end(); ++port) {
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

// Agents have other ports in another block, so it has none in common with the old one.
std::optional<Block> find_block(const std::string& dir, const Block& old, const std::string& address,
                                const local::AgentPorts& ours) {
  const std::uint32_t blocks = (kEndOfTaskPorts - kFirstTaskPort - old.count) / kPortsPerAgent + 1;
  const std::uint32_t begin = hash_of(dir) % blocks;
  for (std::uint32_t i = 0; i < blocks; ++i) {
    const Block block{kFirstTaskPort + (begin + i) % blocks * kPortsPerAgent, old.count};
    if (!block.overlaps(old) && is_new_and_free(block, address, ours)) return block;
  }
  return std::nullopt;
}

Result<std::uint32_t> saved_first(const std::string& file) {
  MYSOS_TRY(const std::string text, read_file(file, 64));
  std::uint16_t first = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), first);
  if (read.ec == std::errc() && first >= 1024) return first;
  return fail(Errc::kInvalid, file + " holds no port; the members' ports are counted from it");
}

// "20003, 20007 and 2 more"
std::string listed(const std::vector<std::uint32_t>& taken) {
  std::string out;
  for (std::size_t i = 0; i < taken.size() && i < kPortsTold; ++i) out += (i == 0 ? "" : ", ") + std::to_string(taken[i]);
  return taken.size() <= kPortsTold ? out : out + " and " + std::to_string(taken.size() - kPortsTold) + " more";
}

}  // namespace

Result<std::uint16_t> task_ports(const std::string& dir, std::size_t agents,
                                 const std::string& address, const local::AgentPorts& ours) {
  const std::string file = dir + "/task-ports";
  Block saved{0, static_cast<std::uint32_t>(agents * kPortsPerAgent)};
  std::string why;
  if (path_exists(file)) {
    MYSOS_TRY(saved.first, saved_first(file));
    const bool too_high = saved.end() > (1U << 16);
    const auto taken = too_high ? std::vector<std::uint32_t>() : taken_in(saved, address, ours);
    if (!too_high && taken.empty()) return static_cast<std::uint16_t>(saved.first);
    why = too_high ? "the members' ports " + saved.text() + " would not all be ports"
                   : "of the members' ports " + saved.text() + " other programs listen on " + listed(taken);
  }
  const auto found = find_block(dir, saved, address, ours);
  if (!found && (saved.first == 0 || saved.end() > (1U << 16))) {
    return fail(Errc::kConflict, "no " + std::to_string(saved.count) + " ports in a row are free between " +
                                     std::to_string(kFirstTaskPort) + " and " +
                                     std::to_string(kEndOfTaskPorts) +
                                     "; end what listens there, or take fewer --agents");
  }
  if (!found) {
    kLog.warn("{}; no other block of that size is free, so the block stays", why);
    return static_cast<std::uint16_t>(saved.first);
  }
  MYSOS_TRY_VOID(write_file_atomic(file, std::to_string(found->first) + "\n", 0600));
  if (!why.empty()) {
    kLog.warn("{}; new members get ports of {} from now on, and those that exist keep theirs where they can", why,
              found->text());
  }
  return static_cast<std::uint16_t>(found->first);
}

}  // namespace mysos::cli
