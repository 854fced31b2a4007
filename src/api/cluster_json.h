// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the API says of clusters, members, events, agents: the JSON of design and openapi.json.
// Pure; holds no secret.
#include <string>
#include <vector>

#include "api/control.h"

namespace mysos {

json::object cluster_json(const ClusterView& view);
json::array members_json(const ClusterView& view);
json::object event_json(const StoredEvent& event);
json::object agent_json(const AgentView& agent);
json::object orphans_json(const OrphansView& orphans);
json::object version_json(const VersionInfo& version, bool is_default);
std::string iso_time(WallTime time);  // "2026-11-23T16:00:00.123Z"
// Where clients write now; nullopt while nobody is known to serve.
std::optional<Endpoint> primary_endpoint(const ClusterView& view);

}  // namespace mysos
