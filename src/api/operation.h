// SPDX-License-Identifier: Apache-2.0
#pragma once
// The table of the API's operations. A row describes a call completely: method, path, access, the fields of its body,
// and the handler. Routing, access and the check of openapi.json use the rows. The rows of one subject are in one file with
// their handlers. A command with words (model/command.h) gets its row automatically (api_commands.cc).
//
// Access: every call that reads or changes clusters needs `Authorization: Bearer <admin token>`. Open are the
// page (it has no data), the description, /healthz, /readyz, and /metrics for peers on loopback. Cotton's calls are open if the
// operator said so, but never for a browser (an Origin header), because any web page could make a browser send a form.
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "api/body.h"
#include "api/control.h"
#include "api/idempotency.h"
#include "base/http/server.h"

namespace mysos {

inline constexpr std::size_t kMaxApiBody = 64 * 1024;
inline constexpr std::size_t kMaxEventStreams = 64;
inline constexpr std::uint64_t kMaxEventsPerAnswer = 1000;
inline constexpr Duration kEventKeepalive = std::chrono::seconds(15);

enum class CottonAccess { kToken, kOpen };

struct ApiOptions {
  std::string token_hash;  // of the admin token, as hash_token makes it
  CottonAccess cotton = CottonAccess::kToken;
  std::string base_url;  // "http://127.0.0.1:8080": what cluster_url begins with
  // The fixed ports of the cluster that always lead to its present members; nullopt = none.
  struct StableAddresses {
    Endpoint read_write;
    Endpoint read_only;
  };
  std::function<std::optional<StableAddresses>(const ClusterId&)> stable_addresses = {};
};

// The context of the handlers.
struct ApiParts {
  Control& control;
  ApiOptions options;
  IdempotencyTable idempotency = {};
  std::size_t event_streams = 0;
};

// One accepted request. Lives until its handler has ended.
struct ApiCall {
  const HttpRequest& request;
  HttpExchange& exchange;
  Caller caller;
  std::string name;  // the value of {name} in the path
};

using Answer = std::optional<HttpResponse>;  // nullopt: the handler has answered by itself
using Handler = std::function<asio::awaitable<Answer>(ApiParts&, const ApiCall&)>;

enum class Scope { kOpen, kToken, kCotton, kMetrics };

struct Operation {
  std::string id;  // its operationId; "": a file of the status page, which openapi.json does not describe
  std::string method;
  std::string path;
  Scope scope = Scope::kToken;
  Handler handler;
  std::vector<BodyField> body = {};  // JSON; none: the handler takes none, or a form
};

// All of them.
const std::vector<Operation>& api_operations();

// Their parts, each in the file of its name.
std::vector<Operation> cluster_operations();
std::vector<Operation> command_operations();
std::vector<Operation> credentials_operations();
std::vector<Operation> event_operations();
std::vector<Operation> cotton_operations();
std::vector<Operation> service_operations();

}  // namespace mysos
