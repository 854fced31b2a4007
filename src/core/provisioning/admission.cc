// SPDX-License-Identifier: Apache-2.0
#include "core/provisioning/admission.h"

#include <algorithm>
#include <cctype>

#include "base/did_you_mean.h"

namespace mysos {
namespace {

bool lower(char c) { return c >= 'a' && c <= 'z'; }
bool digit(char c) { return c >= '0' && c <= '9'; }
bool upper(char c) { return c >= 'A' && c <= 'Z'; }

Result<const VersionInfo*> find_version(const std::string& asked, const std::vector<VersionInfo>& versions) {
  if (versions.empty()) return fail(Errc::kUnavailable, "no MySQL distribution is known to this scheduler", "version");
  if (asked.empty()) return &versions.front();
  std::vector<std::string> names;
  std::string all;
  for (const VersionInfo& v : versions) {
    if (v.name == asked) return &v;
    names.push_back(v.name);
    all += (all.empty() ? "" : ", ") + v.name;
  }
  return fail(Errc::kInvalid, "version '" + asked + "' is unknown" + did_you_mean(asked, names) + "; known: " + all,
              "version");
}

Status check_user(const std::string& user) {
  const bool legal = user.size() <= kMaxUserName && std::ranges::all_of(user, [](char c) {
                       return lower(c) || upper(c) || digit(c) || c == '_';
                     });
  if (!legal) {
    return fail(Errc::kInvalid, "user must be at most " + std::to_string(kMaxUserName) + " letters, digits and '_'",
                "user");
  }
  std::string folded = user;
  std::ranges::transform(folded, folded.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (folded == "root" || folded == "mariadb_sys" || folded.starts_with("mysql") || folded.starts_with("mysos")) {
    return fail(Errc::kInvalid, "user '" + user + "' is reserved: not root, mariadb_sys, mysql* or mysos*", "user");
  }
  return {};
}

Status check_bytes(const char* field, Bytes given, Bytes least, Bytes most, const std::string& why) {
  if (given < least) {
    return fail(Errc::kInvalid, std::string(field) + " must be at least " + to_string(least) + why, field);
  }
  if (given > most) return fail(Errc::kInvalid, std::string(field) + " must be at most " + to_string(most), field);
  return {};
}

Status check_sizes(const ClusterSpec& spec, const VersionInfo& version) {
  if (spec.members < 1 || spec.members > kMaxMembers) {
    return fail(Errc::kInvalid,
                "members must be 1 to " + std::to_string(kMaxMembers) + ", not " + std::to_string(spec.members),
                "members");
  }
  if (spec.cpus_milli < kMinCpusMilli || spec.cpus_milli > kMaxCpusMilli) {
    return fail(Errc::kInvalid,
                "cpus must be " + cpus_text(kMinCpusMilli) + " to " + cpus_text(kMaxCpusMilli) + ", not " +
                    cpus_text(spec.cpus_milli),
                "cpus");
  }
  MYSOS_TRY_VOID(check_bytes("mem", spec.mem, version.min_mem, kMaxMem, " for " + version.name));
  return check_bytes("disk", spec.disk, kMinDisk, kMaxDisk, "");
}

Bytes whole_mib(Bytes bytes) { return mib((bytes.value + mib(1).value - 1) >> 20); }

// Refused only if no agent is large enough even when it is empty.
Status check_agents(const ClusterSpec& spec, const std::vector<AgentSpace>& agents) {
  if (agents.empty()) return {};
  const Needs needs = needs_of(spec.size());
  const auto largest = [&](auto get) -> const AgentSpace& {
    return *std::ranges::max_element(agents,
                                     [&](const AgentSpace& a, const AgentSpace& b) { return get(a) < get(b); });
  };
  const auto refuse = [](const char* field, const std::string& asked, const std::string& most, const AgentSpace& a) {
    return fail(Errc::kInvalid,
                std::string(field) + " " + asked + " is more than any agent has: the largest, " + a.hostname + ", has " +
                    most,
                field);
  };
  const AgentSpace& cpus = largest([](const AgentSpace& a) { return a.total.cpus; });
  if (needs.cpus > cpus.total.cpus) return refuse("cpus", cpus_text(needs.cpus), cpus_text(cpus.total.cpus), cpus);
  const AgentSpace& mem = largest([](const AgentSpace& a) { return a.total.mem; });
  if (needs.mem > mem.total.mem) return refuse("mem", mib_text(needs.mem), mib_text(mem.total.mem), mem);
  const AgentSpace& disk = largest([](const AgentSpace& a) { return a.total.disk; });
  if (needs.disk > disk.total.disk) return refuse("disk", mib_text(needs.disk), mib_text(disk.total.disk), disk);
  const bool at_once = std::ranges::any_of(agents, [&](const AgentSpace& a) {
    return needs.cpus <= a.total.cpus && needs.mem <= a.total.mem && needs.disk <= a.total.disk;
  });
  if (at_once) return {};
  return fail(Errc::kInvalid,
              "no agent has " + cpus_text(needs.cpus) + " cpus, " + mib_text(needs.mem) + " of memory and " +
                  mib_text(needs.disk) + " of disk at once",
              "mem");
}

}  // namespace

Status check_room(const SchedulerState& state) {
  if (state.clusters.size() < kMaxClusters) return {};
  return fail(Errc::kTooLarge, "there are " + std::to_string(kMaxClusters) + " clusters, the most there may be");
}

void add_members(Cluster& cluster, std::uint32_t count) {
  for (std::uint32_t i = 0; i < count; ++i) {
    Member member;
    member.index = cluster.next_index++;
    member.id = MemberId(cluster.id.value + "-" + std::to_string(member.index));
    cluster.members.push_back(std::move(member));
  }
}

Status check_name(const std::string& name, const SchedulerState& state) {
  const bool label = !name.empty() && name.size() <= kMaxClusterName && lower(name.front()) && name.back() != '-' &&
                     std::ranges::all_of(name, [](char c) { return lower(c) || digit(c) || c == '-'; });
  if (!label) {
    return fail(Errc::kInvalid,
                "name must be a DNS label: 1 to " + std::to_string(kMaxClusterName) +
                    " of a-z, 0-9 and '-', beginning with a letter and not ending with '-'",
                "name");
  }
  const Cluster* taken = state.find_by_name(name);
  if (taken == nullptr) return {};
  return fail(Errc::kConflict,
              taken->deleting ? "a cluster named '" + name + "' is still being deleted"
                              : "a cluster named '" + name + "' exists already",
              "name");
}

Result<ClusterSpec> admit(ClusterSpec spec, const SchedulerState& state, const std::vector<VersionInfo>& versions,
                          const std::vector<AgentSpace>& agents) {
  MYSOS_TRY_VOID(check_name(spec.name, state));
  MYSOS_TRY(const VersionInfo* version, find_version(spec.version, versions));
  spec.version = version->name;
  spec.flavour = version->flavour;
  MYSOS_TRY_VOID(check_sizes(spec, *version));
  spec.mem = whole_mib(spec.mem);
  spec.disk = whole_mib(spec.disk);
  if (spec.user.empty()) spec.user = kDefaultUser;
  MYSOS_TRY_VOID(check_user(spec.user));
  MYSOS_TRY_VOID(check_agents(spec, agents));
  return spec;
}

}  // namespace mysos
