// SPDX-License-Identifier: Apache-2.0
#include "base/find_process.h"

#include <charconv>
#include <filesystem>
#include <optional>
#include <sstream>
#include <system_error>

#include "base/fs.h"

namespace mysos {
namespace {

struct Status {
  pid_t parent = 0;
  uid_t user = 0;  // the real one
};

std::optional<Status> status_of(const std::string& folder) {
  const auto text = read_file(folder + "/status");
  if (!text) return std::nullopt;
  Status out;
  bool parent = false, user = false;
  std::istringstream lines(*text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string key;
    words >> key;
    if (key == "PPid:") parent = static_cast<bool>(words >> out.parent);
    if (key == "Uid:") user = static_cast<bool>(words >> out.user);
  }
  return parent && user ? std::optional(out) : std::nullopt;
}

bool has_argument(const std::string& folder, const std::string& argument) {
  const auto words = read_file(folder + "/cmdline");
  return words && words->find('\0' + argument + '\0') != std::string::npos;
}

// A process of a container has files of its own under the same names.
bool sees_our_files(const std::string& folder) {
  std::error_code ec;
  const auto ours = std::filesystem::read_symlink("/proc/self/ns/mnt", ec);
  return !ec && std::filesystem::read_symlink(folder + "/ns/mnt", ec) == ours && !ec;
}

}  // namespace

std::vector<FoundProcess> find_processes(const std::string& argument, const std::set<uid_t>& users) {
  std::vector<FoundProcess> out;
  const auto names = list_dir("/proc");
  if (!names) return out;
  for (const std::string& name : *names) {
    pid_t pid = 0;
    const auto [end, ec] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (ec != std::errc{} || end != name.data() + name.size()) continue;
    const std::string folder = "/proc/" + name;
    if (!has_argument(folder, argument)) continue;
    const auto status = status_of(folder);
    if (status && users.contains(status->user) && sees_our_files(folder)) out.push_back({pid, status->parent});
  }
  return out;
}

}  // namespace mysos
