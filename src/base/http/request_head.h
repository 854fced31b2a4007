// SPDX-License-Identifier: Apache-2.0
#pragma once
// Reads a request as RFC 9112 defines it, and refuses every other form. A proxy in front of the server and the server must
// agree on where a request ends and what it asks for. Otherwise a client can hide a second request inside the first one
// (request smuggling). So nothing is repaired. A line feed without carriage return, a folded line, a blank before a colon, a
// repeated single field, two lengths, and a transfer coding other than chunked are refused.
//
// Pure: bytes come from the session. After a refusal the connection must be closed.
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "base/http/message.h"

namespace mysos {

inline constexpr std::size_t kMaxHttpFields = 100;
inline constexpr std::size_t kMaxChunkLine = 256;            // size and extensions
inline constexpr std::size_t kMaxTrailerBytes = 8 * 1024;

struct HttpRefusal {
  int status = 400;
  std::string why;
};
HttpResponse refusal_response(const HttpRefusal& refusal);

// "shop.example", "shop.example:8080", "10.0.0.1", "[::1]:8080": what stands in Host and, after the scheme, in Origin.
struct HttpHost {
  std::string name;                           // lower case, without brackets and without a dot at its end
  std::optional<std::uint16_t> port = {};
  bool is_address = false;
};
std::optional<HttpHost> parse_http_host(std::string_view text);

enum class HttpFraming { kNone, kLength, kChunked };

struct RequestHead {
  HttpRequest request;  // all but body and peer
  HttpFraming framing = HttpFraming::kNone;
  std::uint64_t length = 0;  // of the body, with kLength
  bool http_1_0 = false;
  bool keep_alive = true;
  bool expects_continue = false;
};

// The length of the head that `bytes` begins with, its blank line included; nullopt: more is needed. The first `seen` bytes
// were looked at before.
std::expected<std::optional<std::size_t>, HttpRefusal> find_head(std::string_view bytes, std::size_t seen);
// `head` as find_head() measured it.
std::expected<RequestHead, HttpRefusal> parse_request_head(std::string_view head);

// Decodes a body incrementally. Joins the chunks of a chunked body; drops chunk extensions and trailer fields.
class BodyReader {
 public:
  BodyReader(const RequestHead& head, std::size_t max_bytes);
  // How many of these bytes were consumed. The caller passes the rest again, with more bytes.
  std::expected<std::size_t, HttpRefusal> feed(std::string_view bytes);
  [[nodiscard]] bool done() const { return state_ == State::kDone; }
  [[nodiscard]] std::size_t size() const { return body_.size(); }
  [[nodiscard]] std::string take() { return std::move(body_); }

 private:
  enum class State { kLength, kChunkSize, kChunkData, kChunkEnd, kTrailer, kDone };
  std::expected<std::size_t, HttpRefusal> step(std::string_view bytes);
  std::optional<HttpRefusal> begin_chunk(std::string_view line);
  std::optional<HttpRefusal> check_length() const;

  State state_ = State::kDone;
  std::uint64_t left_ = 0;  // of the body, or of the chunk
  std::size_t trailer_bytes_ = 0;
  std::size_t max_bytes_;
  std::string body_;
};

}  // namespace mysos
