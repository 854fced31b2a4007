// SPDX-License-Identifier: Apache-2.0
#include "base/tcp_peers.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <optional>

#include "base/fs.h"

namespace mysos {
namespace {

constexpr std::size_t kMaxTable = std::size_t{64} << 20;
constexpr std::string_view kEstablished = "01", kClosedByPeer = "08";  // TCP_ESTABLISHED and TCP_CLOSE_WAIT

// Removes what is before `end` from the text, and `end` too.
std::string_view take_until(std::string_view& text, char end) {
  const auto at = std::min(text.find(end), text.size());
  const std::string_view out = text.substr(0, at);
  text.remove_prefix(std::min(at + 1, text.size()));
  return out;
}

std::string_view next_word(std::string_view& line) {
  line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  return take_until(line, ' ');
}

template <class T>
std::optional<T> hex(std::string_view text) {
  T out{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out, 16);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return out;
}

// The kernel prints an address as one or four words of 32 bits, each in the byte order of the machine.
std::optional<std::string> address_of(std::string_view words) {
  constexpr std::size_t kWord = 8;
  std::array<unsigned char, 16> bytes{};
  if (words.size() != kWord && words.size() != 4 * kWord) return std::nullopt;
  for (std::size_t i = 0; i < words.size() / kWord; ++i) {
    const auto word = hex<std::uint32_t>(words.substr(i * kWord, kWord));
    if (!word) return std::nullopt;
    std::memcpy(&bytes[i * sizeof *word], &*word, sizeof *word);
  }
  constexpr std::array<unsigned char, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  const bool six = words.size() > kWord;
  const bool mapped = six && std::memcmp(bytes.data(), kMapped.data(), kMapped.size()) == 0;
  std::array<char, INET6_ADDRSTRLEN> text{};
  const bool as_six = six && !mapped;
  ::inet_ntop(as_six ? AF_INET6 : AF_INET, bytes.data() + (mapped ? kMapped.size() : 0), text.data(), text.size());
  return std::string(text.data());
}

}  // namespace

// "  0: 0100007F:B47D 0100007F:8B34 01 ...": number, this side, the peer, state.
TcpPeers tcp_peers_in(std::string_view table, std::uint16_t port) {
  TcpPeers out;
  while (!table.empty()) {
    std::string_view line = take_until(table, '\n');
    (void)next_word(line);
    std::string_view here = next_word(line), peer = next_word(line);
    const std::string_view state = next_word(line);
    if (state != kEstablished && state != kClosedByPeer) continue;
    (void)take_until(here, ':');
    if (hex<std::uint16_t>(here) != port) continue;
    const auto address = address_of(take_until(peer, ':'));
    const auto from = hex<std::uint16_t>(peer);
    if (address && from) out.insert(*address + ":" + std::to_string(*from));
  }
  return out;
}

Result<TcpPeers> tcp_peers(std::uint16_t port) {
  MYSOS_TRY(const std::string four, read_file("/proc/net/tcp", kMaxTable));
  TcpPeers out = tcp_peers_in(four, port);
  const auto six = read_file("/proc/net/tcp6", kMaxTable);  // missing where the kernel has no IPv6
  if (six) out.merge(tcp_peers_in(*six, port));
  return out;
}

}  // namespace mysos
