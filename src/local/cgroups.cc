// SPDX-License-Identifier: Apache-2.0
#include "local/cgroups.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <sstream>

#include "base/fs.h"

namespace mysos::local {
namespace {

constexpr std::int64_t kMinShares = 2;
constexpr std::int64_t kCfsPeriodUs = 100'000;
constexpr int kDestroyTries = 500;
constexpr Duration kDestroyPause = std::chrono::milliseconds(10);
const std::string kMount = "/sys/fs/cgroup";

Status write_knob(const std::string& path, const std::string& text) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) return std::unexpected(errno_error("open", path, errno));
  const Fd owned(fd);
  if (::write(fd, text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    return std::unexpected(errno_error("write " + text + " to", path, errno));
  }
  return {};
}

Status make_group(const std::string& path) {
  if (::mkdir(path.c_str(), 0755) == 0 || errno == EEXIST) return {};
  return std::unexpected(errno_error("make the cgroup", path, errno));
}

bool has_word(const std::string& text, const std::string& word) {
  std::istringstream in(text);
  std::string one;
  while (in >> one) {
    if (one == word) return true;
  }
  return false;
}

Status prepare_v2(const std::string& parent) {
  MYSOS_TRY(const std::string controllers, read_file(kMount + "/cgroup.controllers"));
  if (!has_word(controllers, "memory") || !has_word(controllers, "cpu")) {
    return fail(Errc::kUnavailable, "the cgroup has no cpu and memory controllers");
  }
  MYSOS_TRY_VOID(write_knob(kMount + "/cgroup.subtree_control", "+cpu +memory"));
  MYSOS_TRY_VOID(make_group(parent));
  return write_knob(parent + "/cgroup.subtree_control", "+cpu +memory");
}

Status prepare(int version, const std::vector<std::string>& roots) {
  if (version == 2) return prepare_v2(roots.front());
  for (const auto& root : roots) MYSOS_TRY_VOID(make_group(root));
  return {};
}

}  // namespace

std::optional<Cgroups> Cgroups::probe(const std::string& parent, std::string& why_not) {
  int version = 0;
  std::vector<std::string> roots;
  if (path_exists(kMount + "/cgroup.controllers")) {
    version = 2;
    roots = {kMount + "/" + parent};
  } else if (path_exists(kMount + "/memory") && path_exists(kMount + "/cpu")) {
    version = 1;
    roots = {kMount + "/cpu/" + parent, kMount + "/memory/" + parent};
  } else {
    why_not = "no cgroups are mounted at " + kMount;
    return std::nullopt;
  }
  if (const auto prepared = prepare(version, roots); !prepared) {
    why_not = prepared.error().message;
    return std::nullopt;
  }
  Cgroups cgroups(version, std::move(roots));
  const std::string name = "probe-" + std::to_string(::getpid());
  const auto made = cgroups.make(name, {1000, 64, false});
  for (std::size_t i = 0; i < cgroups.roots_.size(); ++i) ::rmdir(cgroups.group(i, name).c_str());
  if (!made) {
    why_not = made.error().message;
    return std::nullopt;
  }
  return cgroups;
}

std::string Cgroups::group(std::size_t root, const std::string& container) const {
  return roots_[root] + "/" + container;
}

Status Cgroups::make(const std::string& container, const CgroupLimits& limits) const {
  for (std::size_t i = 0; i < roots_.size(); ++i) MYSOS_TRY_VOID(make_group(group(i, container)));
  return resize(container, limits);
}

Status Cgroups::resize(const std::string& container, const CgroupLimits& limits) const {
  const std::int64_t shares = std::max(kMinShares, limits.cpus_milli * 1024 / 1000);
  const std::int64_t quota = std::max<std::int64_t>(1000, limits.cpus_milli * kCfsPeriodUs / 1000);
  const std::int64_t bytes = limits.mem_mib << 20;
  if (version_ == 2) {
    const std::string g = group(0, container);
    const std::int64_t weight =
        std::clamp<std::int64_t>(1 + (shares - 2) * 9999 / 262142, 1, 10'000);
    MYSOS_TRY_VOID(write_knob(g + "/cpu.weight", std::to_string(weight)));
    if (limits.hard_cpu)
      MYSOS_TRY_VOID(write_knob(g + "/cpu.max", fmt::format("{} {}", quota, kCfsPeriodUs)));
    const auto now = read_file(g + "/memory.max");
    const bool grows = !now || now->starts_with("max") || std::atoll(now->c_str()) < bytes;
    return bytes > 0 && grows ? write_knob(g + "/memory.max", std::to_string(bytes)) : Status();
  }
  MYSOS_TRY_VOID(write_knob(group(0, container) + "/cpu.shares", std::to_string(shares)));
  if (limits.hard_cpu) {
    MYSOS_TRY_VOID(write_knob(group(0, container) + "/cpu.cfs_quota_us", std::to_string(quota)));
  }
  const std::string g = group(1, container);
  const auto now = read_file(g + "/memory.limit_in_bytes");
  constexpr long long kUnlimited = 1LL << 60;
  const bool grows =
      !now || std::atoll(now->c_str()) > kUnlimited || std::atoll(now->c_str()) < bytes;
  return bytes > 0 && grows ? write_knob(g + "/memory.limit_in_bytes", std::to_string(bytes))
                            : Status();
}

std::vector<std::string> Cgroups::procs_files(const std::string& container) const {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < roots_.size(); ++i)
    out.push_back(group(i, container) + "/cgroup.procs");
  return out;
}

std::vector<pid_t> Cgroups::pids(const std::string& container) const {
  std::vector<pid_t> out;
  for (const auto& file : procs_files(container)) {
    const auto text = read_file(file);
    if (!text) continue;
    std::istringstream in(*text);
    pid_t pid = 0;
    while (in >> pid) {
      if (pid > 0 && std::ranges::find(out, pid) == out.end()) out.push_back(pid);
    }
  }
  return out;
}

bool Cgroups::oom_killed(const std::string& container) const {
  const auto text = read_file(version_ == 2 ? group(0, container) + "/memory.events"
                                            : group(1, container) + "/memory.oom_control");
  if (!text) return false;
  std::istringstream in(*text);
  std::string key;
  long long value = 0;
  while (in >> key >> value) {
    if (key == "oom_kill" && value > 0) return true;
  }
  return false;
}

asio::awaitable<void> Cgroups::destroy(std::string container) const {
  for (int i = 0; i < kDestroyTries; ++i) {
    const auto left = pids(container);
    for (const pid_t pid : left) ::kill(pid, SIGKILL);
    bool gone = true;
    for (std::size_t root = 0; root < roots_.size(); ++root) {
      gone = (::rmdir(group(root, container).c_str()) == 0 || errno == ENOENT) && gone;
    }
    if (gone) co_return;
    co_await sleep_for(kDestroyPause);
  }
}

void Cgroups::remove_parent() const {
  for (const auto& root : roots_) ::rmdir(root.c_str());
}

}  // namespace mysos::local
