// SPDX-License-Identifier: Apache-2.0
#include "base/http/request_head.h"

#include <algorithm>
#include <array>
#include <boost/asio/ip/address.hpp>
#include <charconv>

#include "base/http/field_text.h"
#include "base/http/url.h"

namespace mysos {
namespace {

constexpr std::size_t kMaxMethod = 32;
// Two of them would leave open which one counts.
constexpr auto kSingleFields = std::to_array<std::string_view>(
    {"Host", "Content-Length", "Transfer-Encoding", "Authorization", "Content-Type", "Origin", "Expect", "Idempotency-Key"});

std::unexpected<HttpRefusal> refuse(std::string why, int status = 400) {
  return std::unexpected(HttpRefusal{status, std::move(why)});
}

std::expected<void, HttpRefusal> parse_version(std::string_view text, RequestHead& head) {
  const bool http = text.size() == 8 && text.starts_with("HTTP/") && is_digit(text[5]) && text[6] == '.' && is_digit(text[7]);
  if (!http) return refuse("the request line does not end with HTTP/1.1");
  if (text[5] != '1' || text[7] > '1') return refuse("only HTTP/1.1 and HTTP/1.0 are supported", 505);
  head.http_1_0 = text[7] == '0';
  return {};
}

std::expected<void, HttpRefusal> parse_request_line(std::string_view line, RequestHead& head) {
  const auto first = line.find(' ');
  const auto last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) {
    return refuse("the request line is not 'METHOD target HTTP/1.1'");
  }
  const auto method = line.substr(0, first);
  const auto target = line.substr(first + 1, last - first - 1);
  if (!is_token(method) || method.size() > kMaxMethod) return refuse("the method is not a valid HTTP token");
  if (target.empty() || !std::ranges::all_of(target, is_visible) || target.find('#') != std::string_view::npos) {
    return refuse("the target of the request holds a character that must be percent-encoded");
  }
  if (auto version = parse_version(line.substr(last + 1), head); !version) return version;
  head.request.method = method;
  head.request.target = target;
  return {};
}

std::expected<void, HttpRefusal> parse_fields(std::string_view lines, HttpHeaders& headers) {
  while (!lines.empty()) {
    const auto end = lines.find("\r\n");
    const auto line = lines.substr(0, end);
    lines.remove_prefix(end + 2);
    if (headers.size() == kMaxHttpFields) return refuse("the request has too many header fields", 431);
    const auto field = parse_field(line);
    if (!field) return refuse(std::string(field.error()));
    headers.add(std::string(field->name), std::string(field->value));
  }
  for (const auto name : kSingleFields) {
    const auto same = [&](const auto& field) { return iequals(field.first, name); };
    if (std::count_if(headers.begin(), headers.end(), same) > 1) {
      return refuse("the field " + std::string(name) + " is given twice");
    }
  }
  return {};
}

// With absolute form the target names the host, and Host must say the same.
std::expected<void, HttpRefusal> check_host(RequestHead& head) {
  HttpRequest& request = head.request;
  constexpr std::string_view kScheme = "http://";
  const bool absolute = request.target.starts_with(kScheme);
  if (absolute && (head.http_1_0 || request.headers.has("Host"))) {
    const auto rest = std::string_view(request.target).substr(kScheme.size());
    const std::string authority(rest.substr(0, rest.find_first_of("/?")));
    if (!request.headers.has("Host")) request.headers.add("Host", authority);
    if (!iequals(request.headers.get("Host"), authority)) return refuse("the target and the field Host name different hosts");
  }
  if (!request.headers.has("Host")) return refuse("the field Host is missing");
  if (!parse_http_host(request.headers.get("Host"))) return refuse("the field Host is no host name");
  return {};
}

std::expected<void, HttpRefusal> parse_transfer_encoding(RequestHead& head) {
  if (head.http_1_0) return refuse("HTTP/1.0 has no Transfer-Encoding");
  if (head.request.headers.has("Content-Length")) return refuse("both Content-Length and Transfer-Encoding are given");
  const auto codings = head.request.headers.get("Transfer-Encoding");
  if (!iequals(codings, "chunked")) {
    const auto comma = codings.rfind(',');
    const auto last = comma == std::string_view::npos ? codings : trim_blanks(codings.substr(comma + 1));
    const bool other = comma != std::string_view::npos && iequals(last, "chunked");
    return refuse("the only supported transfer coding is chunked", other ? 501 : 400);
  }
  head.framing = HttpFraming::kChunked;
  return {};
}

std::expected<void, HttpRefusal> parse_framing(RequestHead& head) {
  const HttpHeaders& headers = head.request.headers;
  if (headers.has("Transfer-Encoding")) return parse_transfer_encoding(head);
  if (!headers.has("Content-Length")) return {};
  const auto text = headers.get("Content-Length");
  if (text.empty() || !std::ranges::all_of(text, is_digit)) return refuse("Content-Length is no number");
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), head.length);
  if (ec != std::errc{}) return refuse("the request's body is too long", 413);
  head.framing = HttpFraming::kLength;
  return {};
}

std::expected<void, HttpRefusal> parse_connection(RequestHead& head) {
  bool close = false;
  bool keep = false;
  for (const auto& [name, value] : head.request.headers) {
    if (!iequals(name, "Connection")) continue;
    for (std::string_view rest = value; !rest.empty();) {
      const auto comma = rest.find(',');
      const auto option = trim_blanks(rest.substr(0, comma));
      close = close || iequals(option, "close");
      keep = keep || iequals(option, "keep-alive");
      rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
    }
  }
  head.keep_alive = !close && (keep || !head.http_1_0);
  if (!head.request.headers.has("Expect") || head.http_1_0) return {};
  if (!iequals(head.request.headers.get("Expect"), "100-continue")) return refuse("this Expect is not supported", 417);
  head.expects_continue = true;
  return {};
}

}  // namespace

HttpResponse refusal_response(const HttpRefusal& refusal) {
  const bool large = refusal.status == 413 || refusal.status == 431;
  const Errc code = large ? Errc::kTooLarge : refusal.status == 403 ? Errc::kForbidden : Errc::kInvalid;
  return problem_response({code, refusal.why, {}}, refusal.status);
}

std::optional<HttpHost> parse_http_host(std::string_view text) {
  HttpHost host;
  std::string_view port;
  bool has_port = false;
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    host.name = text.substr(1, end - 1);
    has_port = end + 1 < text.size();
    if (has_port && text[end + 1] != ':') return std::nullopt;
    if (has_port) port = text.substr(end + 2);
    if (host.name.find(':') == std::string::npos) return std::nullopt;
  } else {
    const auto colon = text.find(':');
    has_port = colon != std::string_view::npos;
    if (has_port) port = text.substr(colon + 1);
    host.name = text.substr(0, colon);
    if (!std::ranges::all_of(host.name, [](char c) { return is_alnum(c) || c == '.' || c == '-' || c == '_'; })) {
      return std::nullopt;
    }
  }
  if (has_port) {
    std::uint16_t number = 0;
    const auto [end, ec] = std::from_chars(port.data(), port.data() + port.size(), number);
    if (ec != std::errc{} || end != port.data() + port.size()) return std::nullopt;
    host.port = number;
  }
  boost::system::error_code ec;
  boost::asio::ip::make_address(host.name, ec);
  host.is_address = !ec;
  if (text.starts_with('[') && !host.is_address) return std::nullopt;
  std::ranges::transform(host.name, host.name.begin(), to_lower);
  if (host.name.ends_with('.')) host.name.pop_back();
  if (host.name.empty()) return std::nullopt;
  return host;
}

std::expected<std::optional<std::size_t>, HttpRefusal> find_head(std::string_view bytes, std::size_t seen) {
  // A break may begin in what was seen before.
  for (std::size_t i = seen < 3 ? 0 : seen - 3; i < bytes.size(); ++i) {
    const char c = bytes[i];
    if (c == '\n' && (i == 0 || bytes[i - 1] != '\r')) return refuse("a line ends without a carriage return");
    if (c == '\r' && i + 1 < bytes.size() && bytes[i + 1] != '\n') return refuse("a carriage return has no line feed after it");
    if (c == '\n' && i >= 3 && bytes[i - 2] == '\n') return i + 1;
  }
  return std::nullopt;
}

std::expected<RequestHead, HttpRefusal> parse_request_head(std::string_view head) {
  RequestHead out;
  head.remove_suffix(2);  // the blank line
  const auto line_end = head.find("\r\n");
  if (auto ok = parse_request_line(head.substr(0, line_end), out); !ok) return std::unexpected(ok.error());
  if (auto ok = parse_fields(head.substr(line_end + 2), out.request.headers); !ok) return std::unexpected(ok.error());
  if (auto ok = check_host(out); !ok) return std::unexpected(ok.error());
  if (auto ok = parse_framing(out); !ok) return std::unexpected(ok.error());
  if (auto ok = parse_connection(out); !ok) return std::unexpected(ok.error());
  if (const Status target = parse_target(out.request); !target) return refuse(target.error().message);
  return out;
}

}  // namespace mysos
