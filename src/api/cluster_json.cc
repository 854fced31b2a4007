// SPDX-License-Identifier: Apache-2.0
#include "api/cluster_json.h"

#include <fmt/format.h>

#include <ctime>

#include "core/cluster_view.h"

namespace mysos {
namespace {

// What a person calls a member: what the record says it shall be, and what it says itself where
// that differs.
std::string_view role_of(const ClusterView& view, const MemberView& member) {
  const MemberView* primary = known_primary(view);
  if (primary != nullptr && primary->id == member.id && !known_electing(view)) return "primary";
  if (!member.report) return "unknown";
  return member.report->role == MemberRole::kPrimary ? "former_primary"
                                                     : enum_text(member.report->role);
}

std::string_view state_of(const Member& durable, const MemberView& member) {
  switch (durable.stage) {
    case MemberStage::kWanted:
    case MemberStage::kDown:
    case MemberStage::kKilling:
    case MemberStage::kReleasing:
      return enum_text(durable.stage);
    case MemberStage::kLaunching:
    case MemberStage::kRunning:
      break;
  }
  if (member.volume_lost) return "volume_lost";
  if (!member.connected)
    return durable.stage == MemberStage::kLaunching ? "launching" : "unreachable";
  return member.report ? enum_text(member.report->server) : "launching";
}

// While its data are copied from another member, or wait to be.
json::value seeding_json(const MemberReport& report) {
  const bool copying = report.seeding && report.seeding->state == SeedState::kCopying;
  if (!copying && !report.needs_copy) return nullptr;
  json::object out;
  out["state"] = copying ? "copying" : "waiting";
  out["donor"] = copying ? json::value(report.seeding->donor.value) : json::value(nullptr);
  out["bytes"] = copying ? report.seeding->bytes.value : 0;
  out["seconds"] = copying ? report.seeding->took_ms / 1000 : 0;
  return out;
}

// null: not known; -1: it is no replica. The last report of an unreachable member says nothing about its present lag.
json::value lag_json(const MemberView& member) {
  if (!member.connected || !member.report) return nullptr;
  const MemberReport& r = *member.report;
  return r.lag_ms < 0 && r.role == MemberRole::kReplica ? json::value(nullptr) : json::value(r.lag_ms);
}

json::object member_json(const ClusterView& view, const MemberView& member) {
  json::object out;
  out["id"] = member.id.value;
  out["role"] = role_of(view, member);
  const Member* durable = view.cluster->find(member.id);
  out["state"] = durable != nullptr ? state_of(*durable, member) : "unknown";
  out["host"] = member.host;
  out["port"] = member.port;
  const Place at = durable != nullptr && durable->granted ? durable->place() : Place{};
  out["agent"] = at.agent.value;
  out["volume"] = at.volume.value;
  out["hostname"] = at.hostname;
  out["promotion"] = durable != nullptr ? enum_text(durable->promotion) : "";
  out["api_port"] = at.api_port;
  out["gtid"] = member.report ? to_json(member.report->executed) : json::value("");
  out["lag_ms"] = lag_json(member);
  if (member.report) {
    out["version"] = member.report->version;
    out["writable"] = member.report->writable;
    out["acking"] = member.report->acking;
    // A full volume is why a server does not answer, or refuses statements.
    out["problem"] = member.report->write_trouble.empty() ? member.report->problem : member.report->write_trouble;
    out["isolated"] = member.report->isolated;
    out["seeding"] = seeding_json(*member.report);
    json::array reaches;
    for (const MemberId& peer : member.report->reaches) reaches.emplace_back(peer.value);
    out["reaches"] = std::move(reaches);
  }
  return out;
}

// 1 and not 1E0.
json::value cpus_json(std::int64_t milli) {
  if (milli % 1000 == 0) return milli / 1000;
  return static_cast<double>(milli) / 1000;
}

json::object endpoints_json(const ClusterView& view) {
  json::object out;
  const auto primary = primary_endpoint(view);
  out["primary"] = primary ? json::value(to_string(*primary)) : json::value(nullptr);
  json::array replicas;
  for (const MemberView& member : view.members) {
    if (member.connected && member.report && member.report->role == MemberRole::kReplica) {
      replicas.emplace_back(to_string(Endpoint{member.host, member.port}));
    }
  }
  out["replicas"] = std::move(replicas);
  return out;
}

}  // namespace

std::optional<Endpoint> primary_endpoint(const ClusterView& view) {
  const MemberView* primary = known_primary(view);
  if (known_electing(view) || primary == nullptr || !primary->report) return std::nullopt;
  if (!primary->report->writable || !primary->report->user_ready) return std::nullopt;
  return Endpoint{primary->host, primary->port};
}

std::string iso_time(WallTime time) {
  const std::time_t seconds = time.ms / 1000;
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", parts.tm_year + 1900,
                     parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                     time.ms % 1000);
}

json::array members_json(const ClusterView& view) {
  json::array out;
  for (const MemberView& member : view.members) out.push_back(member_json(view, member));
  return out;
}

json::object cluster_json(const ClusterView& view) {
  const Cluster& cluster = *view.cluster;
  const EpochRecord& record = cluster.epoch;
  json::object out;
  out["name"] = cluster.spec.name;
  out["id"] = cluster.id.value;
  out["state"] = enum_text(view.state);
  const Pair pair = known_pair(view);
  out["epoch"] = pair.epoch;
  out["config"] = pair.config;
  out["electing"] = known_electing(view);
  out["mode"] = enum_text(record.mode);
  const MemberView* primary = known_primary(view);
  out["primary"] = primary != nullptr ? json::value(primary->id.value) : json::value(nullptr);
  out["doubt"] = cluster.doubt ? cluster.doubt->why : "";
  out["members"] = members_json(view);
  out["user"] = cluster.spec.user;
  out["endpoints"] = endpoints_json(view);
  out["waiting_for"] = view.waiting_for;
  out["version"] = cluster.spec.version;
  out["any_engine"] = cluster.spec.any_engine;
  out["size"] = json::object{{"members", cluster.spec.members},
                             {"cpus", cpus_json(cluster.spec.cpus_milli)},
                             {"mem", to_string(cluster.spec.mem)},
                             {"disk", to_string(cluster.spec.disk)}};
  out["created"] = iso_time(cluster.created);
  return out;
}

json::object event_json(const StoredEvent& event) {
  json::object out;
  out["seq"] = event.seq;
  out["time"] = iso_time(WallTime{event.time_ms});
  out["cluster_id"] = event.cluster;
  auto said = parse_json(event.json);
  if (said && said->is_object()) {
    for (const auto& field : said->get_object()) out[field.key()] = field.value();
  }
  return out;
}

json::object agent_json(const AgentView& agent) {
  json::object out;
  out["id"] = agent.id.value;
  out["hostname"] = agent.hostname;
  out["ip"] = agent.ip;
  out["last_offer"] =
      agent.last_offer ? json::value(iso_time(*agent.last_offer)) : json::value(nullptr);
  out["offered"] = agent.last_offer ? json::value(describe(agent.offered)) : json::value(nullptr);
  json::array members;
  for (const MemberId& member : agent.members) members.emplace_back(member.value);
  out["members"] = std::move(members);
  return out;
}

json::object orphans_json(const OrphansView& orphans) {
  json::array volumes;
  for (const OrphanVolume& v : orphans.volumes) {
    volumes.push_back(json::object{{"id", v.id},
                                   {"cluster", v.cluster.value},
                                   {"cluster_name", v.cluster_name},
                                   {"member", v.member.value},
                                   {"agent", v.agent.value},
                                   {"hostname", v.hostname},
                                   {"volume", v.volume.value},
                                   {"disk", to_string(v.disk)},
                                   {"fate", enum_text(v.fate)}});
  }
  json::array tasks;
  for (const UnknownTask& t : orphans.tasks) {
    tasks.push_back(json::object{{"task", t.task.value},
                                 {"cluster", t.cluster.value},
                                 {"cluster_name", t.cluster_name},
                                 {"identified", t.identified},
                                 {"index", t.index},
                                 {"agent", t.agent.value},
                                 {"state", enum_text(t.state)}});
  }
  return json::object{{"orphans", std::move(volumes)}, {"tasks", std::move(tasks)}};
}

json::object version_json(const VersionInfo& version, bool is_default) {
  return json::object{{"name", version.name},
                      {"flavour", enum_text(version.flavour)},
                      {"min_mem", to_string(version.min_mem)},
                      {"default", is_default}};
}

}  // namespace mysos
