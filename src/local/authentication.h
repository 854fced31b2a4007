// SPDX-License-Identifier: Apache-2.0
#pragma once
// Who may speak to the embedded Mesos: whoever holds the credential of its directory, and each executor for itself, by the
// token in its environment. Asked before anything else of a request is looked at, as in Apache Mesos, and answered in its
// words. Secrets are compared by their hashes, in constant time.
#include <optional>
#include <string>
#include <string_view>

#include "base/http/message.h"
#include "mesos/credential.h"

namespace mysos::local {

// Mesos' names of what is guarded.
inline constexpr std::string_view kSchedulerRealm = "mesos-master-scheduler";
inline constexpr std::string_view kOperatorRealm = "mesos-master-readwrite";
inline constexpr std::string_view kExecutorRealm = "mesos-agent-executor";

// nullopt: the request comes from the holder of the credential.
std::optional<HttpResponse> refuse_stranger(const HttpRequest& request, const mesos::Credential& credential,
                                            std::string_view realm);
HttpResponse unauthorized(std::string_view scheme, std::string_view realm);

}  // namespace mysos::local
