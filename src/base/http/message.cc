// SPDX-License-Identifier: Apache-2.0
#include "base/http/message.h"

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>

#include "base/http/field_text.h"

namespace mysos {
namespace {
int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool unreserved(char c) {
  return is_alnum(c) || c == '-' || c == '.' || c == '_' || c == '~';
}
}  // namespace

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

Result<Endpoint> parse_endpoint(std::string_view text) {
  const auto wrong = [&] {
    return fail(Errc::kInvalid, "'" + std::string(text) + "' is no address: write host:port");
  };
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return wrong();
  std::string_view host = text.substr(0, colon);
  const std::string_view port_text = text.substr(colon + 1);
  std::uint16_t port = 0;
  const auto [end, ec] =
      std::from_chars(port_text.data(), port_text.data() + port_text.size(), port);
  if (ec != std::errc{} || end != port_text.data() + port_text.size() || port == 0) return wrong();
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return wrong();
  }
  if (host.empty() || host.find_first_of("/ []@") != std::string_view::npos) return wrong();
  return Endpoint{std::string(host), port};
}

Result<Url> parse_url(std::string_view text) {
  constexpr std::string_view kScheme = "http://";
  if (!text.starts_with(kScheme)) {
    return fail(Errc::kInvalid, "'" + std::string(text) + "' is no http:// address");
  }
  const std::string_view rest = text.substr(kScheme.size());
  const auto slash = rest.find_first_of("/?");
  std::string authority(rest.substr(0, slash));
  const bool has_port = authority.rfind(':') != std::string::npos && !authority.ends_with(']');
  if (!has_port) authority += ":80";
  auto endpoint = parse_endpoint(authority);
  if (!endpoint) return std::unexpected(std::move(endpoint).error());
  Url url{*std::move(endpoint)};
  if (slash != std::string_view::npos) url.target = rest.substr(slash);
  if (url.target.front() != '/') url.target.insert(0, "/");
  return url;
}

std::string percent_encode(std::string_view text) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    if (unreserved(c)) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return out;
}

Result<std::string> percent_decode(std::string_view text, bool plus_is_space) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      out += ' ';
    } else if (text[i] != '%') {
      out += text[i];
    } else {
      const int high = i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? hex_value(text[i + 2]) : -1;
      if (high < 0 || low < 0)
        return fail(Errc::kInvalid, "a '%' is not followed by two hex digits");
      out += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return out;
}

Result<FormFields> parse_form(std::string_view text) {
  FormFields fields;
  while (!text.empty()) {
    const auto amp = text.find('&');
    const std::string_view pair = text.substr(0, amp);
    text = amp == std::string_view::npos ? std::string_view{} : text.substr(amp + 1);
    if (pair.empty()) continue;
    const auto equals = pair.find('=');
    MYSOS_TRY(std::string name, percent_decode(pair.substr(0, equals), true));
    std::string value;
    if (equals != std::string_view::npos) {
      MYSOS_TRY(value, percent_decode(pair.substr(equals + 1), true));
    }
    fields.insert_or_assign(std::move(name), std::move(value));
  }
  return fields;
}

std::string encode_form(const FormFields& fields) {
  std::string out;
  for (const auto& [name, value] : fields) {
    out += (out.empty() ? "" : "&") + percent_encode(name) + "=" + percent_encode(value);
  }
  return out;
}

namespace {
Result<std::string> decode_path(std::string_view text) {
  std::string path;
  for (;;) {
    auto slash = text.find("%2");
    while (slash != std::string_view::npos && (slash + 2 >= text.size() || to_lower(text[slash + 2]) != 'f')) {
      slash = text.find("%2", slash + 1);
    }
    MYSOS_TRY(const std::string part, percent_decode(text.substr(0, slash)));
    path += part;
    if (slash == std::string_view::npos) break;
    path += "%2F";
    text.remove_prefix(slash + 3);
  }
  const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  if (std::ranges::any_of(path, control)) return fail(Errc::kInvalid, "the path holds a control character");
  return path;
}
}  // namespace

Status parse_target(HttpRequest& request) {
  std::string_view target = request.target;
  const bool all = target == "*" && request.method == "OPTIONS";
  if (!target.starts_with('/') && !all) {  // absolute form: http://host/path
    const auto url = parse_url(target);
    if (!url) return fail(Errc::kInvalid, "the request target is no path");
    request.target = url->target;
    target = request.target;
  }
  const auto mark = target.find('?');
  MYSOS_TRY(request.path, decode_path(target.substr(0, mark)));
  if (mark != std::string_view::npos) {
    MYSOS_TRY(request.query, parse_form(target.substr(mark + 1)));
  }
  return {};
}

std::string_view http_reason(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 301:
      return "Moved Permanently";
    case 304:
      return "Not Modified";
    case 307:
      return "Temporary Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 406:
      return "Not Acceptable";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 411:
      return "Length Required";
    case 413:
      return "Content Too Large";
    case 415:
      return "Unsupported Media Type";
    case 417:
      return "Expectation Failed";
    case 421:
      return "Misdirected Request";
    case 422:
      return "Unprocessable Content";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Status";
  }
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
