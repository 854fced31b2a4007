// SPDX-License-Identifier: Apache-2.0
#include "mysql/given_up.h"

#include <algorithm>
#include <charconv>
#include <functional>
#include <vector>

#include "base/fs.h"
#include "mysql/errant_binlogs.h"
#include "mysql/relay_log.h"

namespace mysos::mysql {
namespace {

constexpr std::string_view kPrefix = "relay-";

Status prune(const GivenUpSpec& spec) {
  MYSOS_TRY(const auto names, list_dir(spec.kept_dir));
  std::vector<std::uint64_t> others;
  for (const std::string& name : names) {
    if (!name.starts_with(kPrefix)) continue;
    std::uint64_t n = 0;
    const auto [end, ec] = std::from_chars(name.data() + kPrefix.size(), name.data() + name.size(), n);
    if (ec == std::errc() && end == name.data() + name.size() && n != spec.epoch) others.push_back(n);
  }
  std::ranges::sort(others, std::ranges::greater());
  for (std::size_t i = kKeptGenerations - 1; i < others.size(); ++i) {
    MYSOS_TRY_VOID(remove_tree(spec.kept_dir + "/" + std::string(kPrefix) + std::to_string(others[i])));
  }
  return {};
}

}  // namespace

Result<std::string> keep_given_up(const GivenUpSpec& spec) {
  const std::string name = std::string(kPrefix) + std::to_string(spec.epoch);
  const std::string folder = spec.kept_dir + "/" + name;
  MYSOS_TRY_VOID(make_dirs(folder, 0700));
  MYSOS_TRY_VOID(prune(spec));
  const std::string note = "This member became the primary in epoch " + std::to_string(spec.epoch) +
                           " without these transactions, which it had received and could not execute:\n" +
                           spec.rest.to_string() + "\nThe relay logs here hold them.\n";
  MYSOS_TRY_VOID(write_file_atomic(folder + "/README", note, 0600));
  MYSOS_TRY_VOID(keep_relay_logs(spec.datadir, folder));
  return name;
}

}  // namespace mysos::mysql
