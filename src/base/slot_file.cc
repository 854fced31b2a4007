// SPDX-License-Identifier: Apache-2.0
#include "base/slot_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstring>

#include "base/fd.h"
#include "base/fs.h"
#include "base/secret.h"

namespace mysos {
namespace {

constexpr std::string_view kMagic = "mysos-slot";
constexpr std::size_t kSlots = 2;

struct Slot {
  std::uint64_t number = 0;
  std::string content;
};

std::string sum_of(std::uint64_t number, std::string_view content) {
  return hash_token(fmt::format("{} {} ", number, content.size()) + std::string(content));
}

std::string to_bytes(std::uint64_t number, std::string_view content) {
  return fmt::format("{} {} {} {}\n{}", kMagic, number, content.size(), sum_of(number, content), content);
}

std::string_view take_word(std::string_view& text, char end) {
  const std::size_t at = std::min(text.find(end), text.size());
  const std::string_view word = text.substr(0, at);
  text.remove_prefix(std::min(at + 1, text.size()));
  return word;
}

std::optional<std::uint64_t> number_in(std::string_view word) {
  std::uint64_t out = 0;
  const auto [end, ec] = std::from_chars(word.data(), word.data() + word.size(), out);
  if (ec != std::errc() || end != word.data() + word.size()) return std::nullopt;
  return out;
}

std::optional<Slot> parse(std::string_view bytes) {
  if (take_word(bytes, ' ') != kMagic) return std::nullopt;
  const auto number = number_in(take_word(bytes, ' '));
  const auto size = number_in(take_word(bytes, ' '));
  const std::string_view sum = take_word(bytes, '\n');
  if (!number || !size || *size > bytes.size()) return std::nullopt;
  const std::string_view content = bytes.substr(0, *size);
  if (sum != sum_of(*number, content)) return std::nullopt;
  return Slot{*number, std::string(content)};
}

Result<std::array<std::optional<Slot>, kSlots>> read_slots(int fd, const std::string& path) {
  std::string bytes(kSlotBytes * kSlots, '\0');
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t n = ::pread(fd, bytes.data() + done, bytes.size() - done, static_cast<off_t>(done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return std::unexpected(errno_error("read", path, errno));
    if (n == 0) break;
    done += static_cast<std::size_t>(n);
  }
  std::array<std::optional<Slot>, kSlots> out;
  for (std::size_t i = 0; i < kSlots; ++i) out[i] = parse(std::string_view(bytes).substr(i * kSlotBytes, kSlotBytes));
  if (!out[0] && !out[1]) return fail(Errc::kIo, path + " is damaged: neither of its two slots can be read");
  return out;
}

// The index of the newer one.
std::size_t newest(const std::array<std::optional<Slot>, kSlots>& slots) {
  if (!slots[0]) return 1;
  return slots[1] && slots[1]->number > slots[0]->number ? 1 : 0;
}

Status write_at(int fd, std::string_view bytes, std::size_t at, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t n = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(at));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return std::unexpected(errno_error("write", path, errno));
    bytes.remove_prefix(static_cast<std::size_t>(n));
    at += static_cast<std::size_t>(n);
  }
  if (::fdatasync(fd) != 0) return std::unexpected(errno_error("write", path, errno));
  return {};
}

}  // namespace

Result<std::optional<std::string>> read_slot_file(const std::string& path) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid() && errno == ENOENT) return std::nullopt;
  if (!fd.valid()) return std::unexpected(errno_error("read", path, errno));
  MYSOS_TRY(auto slots, read_slots(fd.get(), path));
  return std::move(slots.at(newest(slots))->content);
}

Status write_slot_file(const std::string& path, std::string_view content, mode_t mode) {
  if (content.size() > kMaxSlotContent) {
    return fail(Errc::kTooLarge, fmt::format("{} takes {} bytes at most, not {}", path, kMaxSlotContent, content.size()));
  }
  const Fd fd(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (!fd.valid() && errno != ENOENT) return std::unexpected(errno_error("write", path, errno));
  if (!fd.valid()) {
    std::string bytes = to_bytes(1, content);
    bytes.resize(kSlotBytes * kSlots, '\0');
    return write_file_atomic(path, bytes, mode);
  }
  MYSOS_TRY(const auto slots, read_slots(fd.get(), path));
  const std::size_t at = newest(slots);
  return write_at(fd.get(), to_bytes(slots.at(at)->number + 1, content), (1 - at) * kSlotBytes, path);
}

}  // namespace mysos
