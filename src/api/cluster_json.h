// SPDX-License-Identifier: Apache-2.0
#pragma once
// The API's JSON of clusters, members, events and agents (openapi.json).
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
// The address to which clients write now; nullopt while no primary is known to serve.
std::optional<Endpoint> primary_endpoint(const ClusterView& view);

}  // namespace mysos
