// SPDX-License-Identifier: Apache-2.0
#pragma once
// The member API on the wire (docs/architecture.md, "The member API"): JSON of orders and reports,
// and the lines of the watch stream. Pure. The secrets of a Setup are an opaque JSON
// object.
//
//   GET  /v1/status            a MemberReport
//   GET  /v1/watch             MemberReports, one a line, on each change and every kWatchInterval
//   GET  /v1/snapshot          MariaDB: a copy of the data, for another member (executor/snapshot_source.h); a token of its own
//   POST /v1/{setup,fence,promote,follow,certify,rebuild}   answered by a MemberReport or a problem
//   document:
//     400 the body is no JSON or a field is wrong, 401 token, 409 the pair is below the promised
//     one ("promised" in the problem says which that is) or the member's state forbids it, 503 try
//     again, 504 the outcome is unknown
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/http/message.h"
#include "base/json.h"
#include "base/result.h"
#include "model/member_report.h"
#include "model/order.h"

namespace mysos {

inline constexpr Duration kWatchInterval = std::chrono::milliseconds(250);
inline constexpr std::size_t kMaxReportBytes = std::size_t{1}
                                               << 20;  // of one line, and of an order's answer
inline constexpr std::string_view kSecretsKey = "secrets";

// `secrets` goes into a Setup and nowhere else (asserted).
json::object encode_order(const Order& order, const json::object* secrets = nullptr);

struct DecodedOrder {
  Order order;
  json::object secrets = {};  // of a Setup
};
// `name` is the last part of the path. kNotFound: there is no such order; kInvalid: names the
// field.
Result<DecodedOrder> decode_order(std::string_view name, std::string_view body);

std::string encode_report(const MemberReport& report);  // one line, without the newline
Result<MemberReport> decode_report(std::string_view text);

// The answer to a refused order. `promised` is set if the caller's pair is too low.
HttpResponse order_problem(const Error& error, const Pair& promised);

// Splits the bytes of a watch stream into reports, independent of the network's chunks.
class ReportLines {
 public:
  // kTooLarge, kInvalid: close the stream.
  Result<std::vector<MemberReport>> feed(std::string_view bytes);

 private:
  std::string rest_;
};

}  // namespace mysos
