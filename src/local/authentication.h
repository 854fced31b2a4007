// SPDX-License-Identifier: Apache-2.0
#pragma once
// Authentication of the embedded Mesos: a client needs the credential of the Mesos directory, and an executor the
// token in its environment, which is valid for that executor only. As in Apache Mesos, it is checked before anything else of a
// request, with the same texts. Secrets are compared by their hashes, in constant time.
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
