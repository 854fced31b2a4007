// SPDX-License-Identifier: Apache-2.0
#include "member/member_codec.h"

#include <utility>

#include "base/assert.h"

namespace mysos {
namespace {

template <class O>
Result<DecodedOrder> decode_as(const json::value& body) {
  MYSOS_TRY(O order, from_json<O>(body));
  return DecodedOrder{Order(std::move(order)), {}};
}

Result<DecodedOrder> decode_setup(const json::value& body) {
  const auto* object = body.if_object();
  if (object == nullptr) return fail(Errc::kInvalid, "the document must be an object");
  const auto* secrets = object->if_contains(kSecretsKey);
  if (secrets == nullptr || !secrets->is_object()) {
    return fail(Errc::kInvalid, "secrets must be an object", std::string(kSecretsKey));
  }
  return DecodedOrder{Order(order::Setup{}), secrets->get_object()};
}

}  // namespace

json::object encode_order(const Order& order, const json::object* secrets) {
  json::object body = std::visit([](const auto& o) { return to_json(o).get_object(); }, order);
  if (secrets != nullptr) {
    MYSOS_ASSERT(std::holds_alternative<order::Setup>(order), "only a Setup carries secrets");
    body[kSecretsKey] = *secrets;
  }
  return body;
}

Result<DecodedOrder> decode_order(std::string_view name, std::string_view body) {
  using Decode = Result<DecodedOrder> (*)(const json::value&);
  Decode decode = nullptr;
  if (name == "setup") decode = decode_setup;
  if (name == "meet") decode = decode_as<order::Meet>;
  if (name == "fence") decode = decode_as<order::Fence>;
  if (name == "promote") decode = decode_as<order::Promote>;
  if (name == "follow") decode = decode_as<order::Follow>;
  if (name == "certify") decode = decode_as<order::Certify>;
  if (name == "rebuild") decode = decode_as<order::Rebuild>;
  if (decode == nullptr)
    return fail(Errc::kNotFound, "there is no order \"" + std::string(name) + "\"");
  MYSOS_TRY(const json::value document, parse_json(body));
  return decode(document);
}

std::string encode_report(const MemberReport& report) { return to_json_text(report); }

Result<MemberReport> decode_report(std::string_view text) {
  if (text.size() > kMaxReportBytes) return fail(Errc::kTooLarge, "a member's report is over 1 MB");
  return from_json_text<MemberReport>(text);
}

HttpResponse order_problem(const Error& error, const Pair& promised) {
  // A wrong body is 400 here and not 422: the only callers are ours, so it is their bug, whichever
  // field it is in.
  HttpResponse response = problem_response(error, error.code == Errc::kInvalid ? 400 : 0);
  if (error.code != Errc::kFenced) return response;
  json::value document = json::parse(response.body);
  document.get_object()["promised"] = to_json(promised);
  response.body = json::serialize(document);
  return response;
}

Result<std::vector<MemberReport>> ReportLines::feed(std::string_view bytes) {
  rest_.append(bytes);
  std::vector<MemberReport> reports;
  std::size_t from = 0;
  for (std::size_t end = rest_.find('\n'); end != std::string::npos; end = rest_.find('\n', from)) {
    const std::string_view line = std::string_view(rest_).substr(from, end - from);
    from = end + 1;
    if (line.empty()) continue;
    MYSOS_TRY(MemberReport report, decode_report(line));
    reports.push_back(std::move(report));
  }
  rest_.erase(0, from);
  if (rest_.size() > kMaxReportBytes)
    return fail(Errc::kTooLarge, "a line of a member's watch stream is over 1 MB");
  return reports;
}

}  // namespace mysos
