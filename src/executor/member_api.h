// SPDX-License-Identifier: Apache-2.0
#pragma once
// The server side of the member API: checks callers and requests, and encodes the answers (member/member_codec.h). It decides
// nothing. Open without a token: /healthz, /metrics, and two checks for load balancers, which show nothing that a connection to
// the server would not show. GET /primary is 200 only if clients can write now and the user's account works; its body has the
// epoch, by which a router decides between two such members. GET /replica?max_lag=SECONDS is 200 if this member follows a
// source closely enough. With member=ID both, and /healthz, answer 503 if this is another member. Everything under /v1 needs
// the member's token, except /v1/snapshot, which needs the token of SnapshotService. Belongs to the thread of the io_context.
#include <string>
#include <string_view>

#include "base/asio.h"
#include "base/http/server.h"
#include "base/json.h"
#include "model/member_report.h"
#include "model/order.h"

namespace mysos {

inline constexpr std::size_t kMaxWatchers = 64;
inline constexpr double kDefaultMaxLagSeconds = 30;

// The executor's loop, as the API uses it.
class MemberService {
 public:
  virtual ~MemberService() = default;
  [[nodiscard]] virtual MemberReport report() = 0;
  // Ends when the order is in force or refused, which may take as long as a plan. `secrets` only
  // for a Setup.
  virtual asio::awaitable<Result<MemberReport>> obey(Order order, json::object secrets) = 0;
  virtual Signal& changed() = 0;                            // notified when report() has changed
  [[nodiscard]] virtual std::uint64_t version() const = 0;  // counts those changes
  [[nodiscard]] virtual std::string metrics() = 0;
};

// The source from which other members copy this member's data.
class SnapshotService {
 public:
  virtual ~SnapshotService() = default;
  // A separate token, so that a member that may copy this one cannot send it orders.
  [[nodiscard]] virtual bool accepts(std::string_view token) const = 0;
  virtual asio::awaitable<void> serve(HttpExchange& exchange) = 0;
};

class MemberApi {
 public:
  // `token_hash` as hash_token makes it.
  MemberApi(MemberService& service, std::string token_hash, SnapshotService* snapshots = nullptr);
  asio::awaitable<void> handle(const HttpRequest& request, HttpExchange& exchange);
  [[nodiscard]] std::size_t watchers() const { return watchers_; }

 private:
  [[nodiscard]] bool authorized(const HttpRequest& request) const;
  [[nodiscard]] bool may_copy(const HttpRequest& request) const;
  asio::awaitable<HttpResponse> answer_order(const HttpRequest& request);
  asio::awaitable<void> watch(HttpExchange& exchange);
  [[nodiscard]] HttpResponse answer_open(const HttpRequest& request);
  [[nodiscard]] HttpResponse answer_replica(const HttpRequest& request);

  MemberService& service_;
  std::string token_hash_;
  SnapshotService* snapshots_;
  std::size_t watchers_ = 0;
};

}  // namespace mysos
