// SPDX-License-Identifier: Apache-2.0
#pragma once
// Helpers for the answers of handlers.
#include "api/operation.h"

namespace mysos {

HttpResponse json_answer(int status, const json::value& body);
// A body that is no JSON object is 400, a wrong value in it 422.
HttpResponse body_problem(const Error& error);
// The problem for an unknown cluster; suggests a similar name.
Error no_cluster(const std::string& name, const std::vector<ClusterView>& clusters);
// A cluster, with its stable addresses.
json::object shown(const ApiParts& api, const ClusterView& view);
// How long the request allows the handler to wait (`?wait=`).
Result<Duration> wait_of(const HttpRequest& request);
// Waits until the cluster is in `state` (nullopt: gone), or the time is up.
asio::awaitable<bool> wait_for(Control& control, std::string name, std::optional<ClusterState> state, Duration at_most);

}  // namespace mysos
