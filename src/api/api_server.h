// SPDX-License-Identifier: Apache-2.0
#pragma once
// The scheduler's HTTP face: REST under /v1, Cotton's two calls, health, metrics, the status page.
// It decides nothing: what is asked goes to Control, and what Control says comes back as JSON or as
// a problem document (RFC 9457).
//
// Who may: everything that tells or changes something about clusters wants `Authorization: Bearer
// <admin token>`. Open are the page (it holds no data), the description, /healthz, /readyz, and
// /metrics for peers on loopback; Cotton's calls too if they were opened, but then never for a
// browser (an Origin header), since any web page could make one send a form. Belongs to the thread
// of the io_context.
#include <functional>
#include <optional>
#include <string>

#include "api/control.h"
#include "api/idempotency.h"
#include "api/router.h"
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
  // Where a router serves the cluster, whoever its primary is; nullopt = nowhere.
  struct StableAddresses {
    Endpoint read_write;
    Endpoint read_only;
  };
  std::function<std::optional<StableAddresses>(const ClusterId&)> stable_addresses = {};
};

class ApiServer {
 public:
  ApiServer(Control& control, ApiOptions options)
      : control_(control), options_(std::move(options)) {}
  asio::awaitable<void> handle(const HttpRequest& request, HttpExchange& exchange);

  // What the HTTP server in front shall bound.
  static HttpServerOptions server_options(std::vector<std::string> allowed_hosts = {});

 private:
  [[nodiscard]] std::optional<HttpResponse> refuse_access(const HttpRequest& request, HttpExchange& exchange,
                                                          Access access) const;
  asio::awaitable<HttpResponse> answer(const HttpRequest& request, Route route);
  asio::awaitable<HttpResponse> create(const HttpRequest& request);
  asio::awaitable<HttpResponse> create_once(const HttpRequest& request);
  asio::awaitable<HttpResponse> remove(const HttpRequest& request, std::string name);
  asio::awaitable<HttpResponse> switchover(const HttpRequest& request, std::string name);
  asio::awaitable<HttpResponse> failover(const HttpRequest& request, std::string name);
  asio::awaitable<HttpResponse> adopt(const HttpRequest& request);
  asio::awaitable<HttpResponse> promotion(const HttpRequest& request, std::string name);
  static Result<MemberId> member_named(const ClusterView& view, const std::string& id, const char* field);
  HttpResponse begun(const std::string& name, const Status& begun);
  asio::awaitable<HttpResponse> credentials(std::string name);
  asio::awaitable<HttpResponse> change_credentials(std::string name, CredentialsChange change);
  [[nodiscard]] json::object shown(const ClusterView& view) const;  // with its stable addresses
  HttpResponse list_clusters();
  HttpResponse show(const std::string& name, bool members_only);
  HttpResponse health(bool readiness);
  HttpResponse list_versions();
  HttpResponse list_agents();
  // Until the cluster is what `state` says (nullopt: gone), or the time is up.
  asio::awaitable<bool> wait_for(std::string name, std::optional<ClusterState> state,
                                 Duration at_most);

  // api_events.cc
  asio::awaitable<HttpResponse> list_events(const HttpRequest& request, std::optional<ClusterId> cluster);
  asio::awaitable<void> stream_events(const HttpRequest& request, HttpExchange& exchange);

  // api_cotton.cc
  asio::awaitable<HttpResponse> cotton_create(const HttpRequest& request, std::string name);
  asio::awaitable<HttpResponse> cotton_delete(const HttpRequest& request, std::string name);

  Control& control_;
  ApiOptions options_;
  IdempotencyTable idempotency_;
  std::size_t event_streams_ = 0;
};

// The problem for a cluster that is not there; suggests a near name.
Error no_cluster(const std::string& name, const std::vector<ClusterView>& clusters);

}  // namespace mysos
