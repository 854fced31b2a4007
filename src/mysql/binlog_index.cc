// SPDX-License-Identifier: Apache-2.0
#include "mysql/binlog_index.h"

#include <fmt/format.h>

#include <charconv>
#include <cstdint>

#include "base/fs.h"

namespace mysos::mysql {
namespace {

constexpr std::string_view kIndexFile = "/binlog.index";

std::string name_of(std::string_view line) {
  const auto slash = line.rfind('/');
  return std::string(slash == std::string_view::npos ? line : line.substr(slash + 1));
}

std::uint64_t number_of(std::string_view name) {
  std::uint64_t out = 0;
  const auto dot = name.rfind('.');
  if (dot != std::string_view::npos) std::from_chars(name.data() + dot + 1, name.data() + name.size(), out);
  return out;
}

}  // namespace

Result<BinlogIndex> read_binlog_index(const std::string& datadir) {
  MYSOS_TRY(const std::string text, read_file(datadir + std::string(kIndexFile)));
  BinlogIndex out;
  for (std::size_t from = 0; from < text.size();) {
    const std::size_t end = std::min(text.find('\n', from), text.size());
    const std::string name = name_of(std::string_view(text).substr(from, end - from));
    if (!name.empty() && out.oldest.empty()) out.oldest = name;
    if (!name.empty()) out.newest = name;
    from = end + 1;
  }
  if (out.oldest.empty()) return fail(Errc::kNotFound, "there is no binary log yet");
  return out;
}

std::string what_was_purged(const BinlogIndex& before, const BinlogIndex& now) {
  if (number_of(now.newest) < number_of(before.newest) || number_of(now.oldest) <= number_of(before.oldest)) return {};
  return fmt::format("somebody purged its binary logs: the oldest one is {} now, it was {}. A replica that lacks what was "
                     "purged is given a copy of the data",
                     now.oldest, before.oldest);
}

}  // namespace mysos::mysql
