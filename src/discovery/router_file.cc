// SPDX-License-Identifier: Apache-2.0
#include "discovery/router_file.h"

#include <sys/stat.h>

#include <algorithm>

#include "base/fs.h"

namespace mysos::discovery {
namespace {
std::string file_in(const std::string& dir) { return dir + "/routes.json"; }
}  // namespace

std::string router_dir(const std::string& state_dir) { return state_dir + "/router"; }

Result<RouterFile> read_router_file(const std::string& dir) {
  const auto text = read_file(file_in(dir));
  if (!text && text.error().code == Errc::kNotFound) return RouterFile{};
  if (!text) return std::unexpected(text.error());
  auto file = from_json_text<RouterFile>(*text);
  if (file) return file;
  return fail(Errc::kInvalid, file_in(dir) + " cannot be read (" + file.error().message +
                                  "); without it the router gives every cluster new ports");
}

Status write_router_file(const std::string& dir, const RouterFile& content) {
  return write_file_atomic(file_in(dir), to_json_text(content) + "\n", 0600);
}

std::optional<RouterAddresses::Pair> RouterAddresses::of(const std::string& cluster_id) {
  struct stat about{};
  if (::stat(file_in(dir_).c_str(), &about) != 0) return std::nullopt;
  const std::int64_t written =
      std::int64_t{about.st_mtim.tv_sec} * 1'000'000'000 + about.st_mtim.tv_nsec;
  if (written != seen_ns_) {
    auto file = read_router_file(dir_);
    file_ = file ? *std::move(file) : RouterFile{};
    seen_ns_ = written;
  }
  const auto found = std::ranges::find(file_.clusters, cluster_id, &RoutedCluster::id);
  if (!file_.active || found == file_.clusters.end() || !listens(*found)) return std::nullopt;
  return Pair{{file_.listen, found->ports.read_write}, {file_.listen, found->ports.read_only}};
}

}  // namespace mysos::discovery
