// SPDX-License-Identifier: Apache-2.0
#include "base/http/message.h"

#include <algorithm>
#include <boost/beast/http/status.hpp>
#include <boost/json.hpp>

#include "base/http/field_text.h"

namespace mysos {
bool iequals(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return to_lower(x) == to_lower(y); });
}

std::string_view HttpHeaders::get(std::string_view name) const {
  for (const auto& [key, value] : fields_) {
    if (iequals(key, name)) return value;
  }
  return {};
}

bool HttpHeaders::has(std::string_view name) const {
  return std::ranges::any_of(fields_,
                             [&](const auto& field) { return iequals(field.first, name); });
}

void HttpHeaders::set(std::string_view name, std::string value) {
  erase(name);
  fields_.emplace_back(std::string(name), std::move(value));
}

void HttpHeaders::erase(std::string_view name) {
  std::erase_if(fields_, [&](const auto& field) { return iequals(field.first, name); });
}

std::string to_string(const Endpoint& endpoint) {
  const bool v6 = endpoint.host.find(':') != std::string::npos;
  return (v6 ? "[" + endpoint.host + "]" : endpoint.host) + ":" + std::to_string(endpoint.port);
}

std::string_view http_reason(int status) {
  namespace http = boost::beast::http;
  const http::status known = http::int_to_status(static_cast<unsigned>(status));
  return known == http::status::unknown ? std::string_view("Status") : std::string_view(http::obsolete_reason(known));
}

HttpResponse text_response(int status, std::string body) {
  return HttpResponse{status, {{"Content-Type", "text/plain; charset=utf-8"}}, std::move(body)};
}

HttpResponse json_response(int status, std::string body) {
  return HttpResponse{status, {{"Content-Type", "application/json"}}, std::move(body)};
}

HttpResponse problem_response(const Error& error, int status) {
  if (status == 0) status = http_status(error.code);
  boost::json::object problem;
  problem["type"] = "urn:mysos:problem:" + std::string(to_string(error.code));
  problem["title"] = http_reason(status);
  problem["status"] = status;
  problem["detail"] = error.message;
  if (!error.field.empty()) problem["field"] = error.field;
  return HttpResponse{
      status, {{"Content-Type", "application/problem+json"}}, boost::json::serialize(problem)};
}

Errc errc_from_http_status(int status) {
  switch (status) {
    case 400:
    case 417:
    case 421:
    case 422:
    case 501:
    case 505:
      return Errc::kInvalid;
    case 401:
      return Errc::kUnauthorized;
    case 403:
      return Errc::kForbidden;
    case 404:
    case 410:
      return Errc::kNotFound;
    case 409:
      return Errc::kConflict;
    case 413:
    case 431:
      return Errc::kTooLarge;
    case 429:
    case 502:
    case 503:
      return Errc::kUnavailable;
    case 408:
    case 504:
      return Errc::kTimeout;
    default:
      return Errc::kInternal;
  }
}

Error error_from_response(const HttpResponse& response) {
  Error error{errc_from_http_status(response.status), {}, {}};
  boost::system::error_code ec;
  const auto parsed = boost::json::parse(response.body, ec);
  if (const auto* problem = ec ? nullptr : parsed.if_object()) {
    const auto text = [&](std::string_view key) {
      const auto* value = problem->if_contains(key);
      const auto* string = value != nullptr ? value->if_string() : nullptr;
      return string != nullptr ? std::string(*string) : std::string();
    };
    error.message = text("detail");
    error.field = text("field");
    if (text("type").ends_with(":fenced")) error.code = Errc::kFenced;
  }
  if (error.message.empty()) {
    error.message = "the server answered " + std::to_string(response.status) + " " +
                    std::string(http_reason(response.status));
  }
  return error;
}

}  // namespace mysos
