// SPDX-License-Identifier: Apache-2.0
#pragma once
// The client of one member's executor: reads its status, sends it orders, follows its watch stream. An
// Error says that the order was refused (kInvalid, kUnauthorized, kFenced, kConflict), that the
// executor cannot be reached (kUnavailable), or that the outcome is unknown (kTimeout: an order may
// still be carried out, and may be sent again: orders are idempotent at their pair). Belongs to
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

// The stream of one member's reports. An Error closes it; open() opens it again.
class MemberWatch {
 public:
  MemberWatch(asio::any_io_executor executor, Endpoint to, std::string token);

  asio::awaitable<Status> open(Duration deadline);
  // The newest report. Older unread reports are skipped, because each report is complete.
  // kTimeout when the stream was silent for `silence`, kUnavailable when it ended.
  asio::awaitable<Result<MemberReport>> next(Duration silence = kWatchSilence);
  // Ends a running next().
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
