// SPDX-License-Identifier: Apache-2.0
#include "base/http/url.h"

#include <algorithm>
#include <boost/url.hpp>

namespace mysos {
namespace {
namespace urls = boost::urls;

// The host and port of an authority; nullopt: it has a user, no host, no port, or a host that is no name and no address.
std::optional<Endpoint> endpoint_of(urls::authority_view authority, std::uint16_t default_port) {
  const bool host_fits = authority.host_type() == urls::host_type::ipv4 || authority.host_type() == urls::host_type::ipv6 ||
                         (authority.host_type() == urls::host_type::name && !authority.encoded_host().contains('%'));
  const std::uint16_t port = authority.has_port() ? authority.port_number() : default_port;
  if (authority.has_userinfo() || authority.encoded_host().empty() || !host_fits || port == 0) return std::nullopt;
  return Endpoint{authority.host_address(), port};
}

Result<std::string> decode_path(std::string_view text) {
  std::string path;
  for (;;) {
    auto slash = text.find("%2");
    while (slash != std::string_view::npos && (slash + 2 >= text.size() || (text[slash + 2] | 0x20) != 'f')) {
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

Result<Endpoint> parse_endpoint(std::string_view text) {
  const auto authority = urls::parse_authority(text);
  const auto endpoint = authority ? endpoint_of(*authority, 0) : std::nullopt;
  if (!endpoint) return fail(Errc::kInvalid, "'" + std::string(text) + "' is no address: write host:port");
  return *endpoint;
}

Result<Url> parse_url(std::string_view text) {
  const auto uri = urls::parse_uri(text);
  if (!uri || uri->scheme_id() != urls::scheme::http) {
    return fail(Errc::kInvalid, "'" + std::string(text) + "' is no http:// address");
  }
  const auto endpoint = uri->has_authority() ? endpoint_of(uri->authority(), 80) : std::nullopt;
  if (!endpoint) return fail(Errc::kInvalid, "'" + std::string(text) + "' is no address: write http://host:port");
  std::string target(uri->encoded_path());
  if (target.empty()) target = "/";
  if (uri->has_query()) target += "?" + std::string(uri->encoded_query());
  return Url{*endpoint, std::move(target)};
}

std::string percent_encode(std::string_view text) { return urls::encode(text, urls::unreserved_chars); }

Result<std::string> percent_decode(std::string_view text, bool plus_is_space) {
  const auto checked = urls::make_pct_string_view(text);
  if (!checked) return fail(Errc::kInvalid, "a '%' is not followed by two hex digits");
  urls::encoding_opts options;
  options.space_as_plus = plus_is_space;
  return checked->decode(options);
}

// Not urls::parse_query, which refuses what browsers and older clients send unescaped ("a b", UTF-8).
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

}  // namespace mysos
