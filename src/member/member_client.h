// SPDX-License-Identifier: Apache-2.0
#pragma once
// Talks to one member's executor: asks its status, gives it orders, follows its watch stream. An
// Error says that the order was refused (kInvalid, kUnauthorized, kFenced, kConflict), that the
// executor cannot be reached (kUnavailable), or that the outcome is unknown (kTimeout: an order may
// still be carried out, and may be given again: orders are idempotent at their pair). Belongs to
// the thread that runs the executor; outlives the calls and watches made of it.
#include <deque>
#include <optional>
#include <string>

#include "base/asio.h"
#include "base/http/client.h"
#include "base/result.h"
#include "member/member_codec.h"
#include "model/member_report.h"
#include "model/order.h"

namespace mysos {

inline constexpr Duration kWatchSilence = std::chrono::seconds(1);  // four reports missed

// The stream of one member's reports. After an Error it is closed; open() begins anew.
class MemberWatch {
 public:
  MemberWatch(asio::any_io_executor executor, Endpoint to, std::string token);

  asio::awaitable<Status> open(Duration deadline);
  // The newest report: what has piled up meanwhile is skipped, since each report tells all.
  // kTimeout when the stream was silent for `silence`, kUnavailable when it ended.
  asio::awaitable<Result<MemberReport>> next(Duration silence = kWatchSilence);
  // Ends a next() under way.
  void close() { stream_.close(); }

 private:
  Endpoint to_;
  std::string token_;
  HttpStream stream_;
  ReportLines lines_;
};

class MemberClient {
 public:
  MemberClient(asio::any_io_executor executor, Endpoint to, std::string token);

  asio::awaitable<Result<MemberReport>> status(Duration deadline);
  // The report that answers the order. `secrets` for a Setup only.
  asio::awaitable<Result<MemberReport>> send(Order order, Duration deadline,
                                             std::optional<json::object> secrets = std::nullopt);
  [[nodiscard]] MemberWatch watch() const { return {executor_, to_, token_}; }
  [[nodiscard]] const Endpoint& endpoint() const { return to_; }

 private:
  asio::any_io_executor executor_;
  Endpoint to_;
  std::string token_;
  HttpClient http_;
};

}  // namespace mysos
