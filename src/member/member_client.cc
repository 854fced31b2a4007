// SPDX-License-Identifier: Apache-2.0
#include "member/member_client.h"

#include <utility>

#include "base/clock.h"
#include "base/http/bearer.h"

namespace mysos {
namespace {

HttpRequest request_to(std::string method, std::string target, const std::string& token) {
  HttpRequest request;
  request.method = std::move(method);
  request.target = std::move(target);
  request.headers.set("Authorization", bearer_authorization(token));
  return request;
}

Result<MemberReport> report_in(const HttpResponse& response) {
  if (response.status != 200) return std::unexpected(error_from_response(response));
  auto report = decode_report(response.body);
  if (!report)
    return fail(Errc::kInternal, "the member's answer is no report: " + report.error().message);
  return report;
}

}  // namespace

MemberClient::MemberClient(asio::any_io_executor executor, Endpoint to, std::string token)
    : executor_(executor),
      to_(std::move(to)),
      token_(std::move(token)),
      http_(std::move(executor)) {}

asio::awaitable<Result<MemberReport>> MemberClient::status(Duration deadline) {
  HttpRequest request = request_to("GET", "/v1/status", token_);
  MYSOS_CO_TRY(const HttpResponse response,
               co_await http_.request(to_, std::move(request), deadline));
  co_return report_in(response);
}

asio::awaitable<Result<MemberReport>> MemberClient::send(Order order, Duration deadline,
                                                         std::optional<json::object> secrets) {
  HttpRequest request = request_to("POST", "/v1/" + std::string(order_name(order)), token_);
  request.headers.set("Content-Type", "application/json");
  request.body = json::serialize(encode_order(order, secrets ? &*secrets : nullptr));
  request.idempotent = true;
  MYSOS_CO_TRY(const HttpResponse response,
               co_await http_.request(to_, std::move(request), deadline));
  co_return report_in(response);
}

MemberWatch::MemberWatch(asio::any_io_executor executor, Endpoint to, std::string token)
    : to_(std::move(to)), token_(std::move(token)), stream_(std::move(executor)) {}

asio::awaitable<Status> MemberWatch::open(Duration deadline) {
  lines_ = ReportLines{};
  HttpRequest request = request_to("GET", "/v1/watch", token_);
  MYSOS_CO_TRY(HttpResponse response, co_await stream_.open(to_, std::move(request), deadline));
  if (response.status == 200) co_return Status{};
  auto body = co_await stream_.read_all(kMaxReportBytes, deadline);
  stream_.close();
  if (body) response.body = *std::move(body);
  co_return std::unexpected(error_from_response(response));
}

asio::awaitable<Result<MemberReport>> MemberWatch::next(Duration silence) {
  const Instant until = steady_now() + silence;
  for (;;) {
    const Duration left = until - steady_now();
    if (left <= Duration::zero()) break;  // bytes, but never a whole line
    auto bytes = co_await stream_.read_some(left);
    if (!bytes && bytes.error().code == Errc::kTimeout) break;
    if (!bytes) co_return std::unexpected(std::move(bytes).error());
    if (bytes->empty()) {
      stream_.close();
      co_return fail(Errc::kUnavailable,
                     "the member at " + to_string(to_) + " ended its watch stream");
    }
    auto reports = lines_.feed(*bytes);
    if (!reports) {
      stream_.close();
      co_return std::unexpected(std::move(reports).error());
    }
    if (!reports->empty()) co_return std::move(reports->back());
  }
  stream_.close();
  co_return fail(Errc::kTimeout, "the member at " + to_string(to_) + " was silent for " +
                                     std::to_string(to_ms(silence)) + " ms");
}

}  // namespace mysos
