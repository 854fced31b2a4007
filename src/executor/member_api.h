// SPDX-License-Identifier: Apache-2.0
#pragma once
// The member API as a server: who asks, what for, and the answer on the wire
// (member/member_codec.h). It decides nothing. Open without a token: /healthz, /metrics, and the
// two checks of load balancers, which tell nothing that a connection to the server would not: GET
// /primary (200 only where clients can write now and the user's account works; the body tells the
// epoch, which decides for a router where two say so) and GET
// /replica?max_lag=SECONDS (200 where this member follows a source closely enough). With member=ID
// they, and /healthz, say no (503) where this is another member. Everything
// under /v1 needs the member's token, but for /v1/snapshot, which takes that of SnapshotService
// only. Belongs to the thread of the io_context.
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

// What the API asks of the executor's loop.
class MemberService {
 public:
  virtual ~MemberService() = default;
  [[nodiscard]] virtual MemberReport report() = 0;
  // Ends when the order is in force or refused; it may take as long as a plan does. `secrets`
  // belongs to a Setup.
  virtual asio::awaitable<Result<MemberReport>> obey(Order order, json::object secrets) = 0;
  virtual Signal& changed() = 0;                            // report() would say something new
  [[nodiscard]] virtual std::uint64_t version() const = 0;  // counts those changes
  [[nodiscard]] virtual std::string metrics() = 0;
};

// What others copy this member's data from.
class SnapshotService {
 public:
  virtual ~SnapshotService() = default;
  // A token of its own: whoever may copy a member may not command it.
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
