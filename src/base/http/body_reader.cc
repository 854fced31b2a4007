// SPDX-License-Identifier: Apache-2.0
#include <charconv>

#include "base/http/field_text.h"
#include "base/http/request_head.h"

namespace mysos {
namespace {

std::unexpected<HttpRefusal> refuse(std::string why, int status = 400) {
  return std::unexpected(HttpRefusal{status, std::move(why)});
}

// A line of a chunked body without its end; nullopt: more is needed.
std::expected<std::optional<std::string_view>, HttpRefusal> line_in(std::string_view bytes, std::size_t limit) {
  const auto end = bytes.find('\n');
  const auto length = end == std::string_view::npos ? bytes.size() : end + 1;
  if (length > limit) return refuse("a line of the chunked body is too long");
  if (end == std::string_view::npos) return std::nullopt;
  const auto line = bytes.substr(0, end);
  if (!line.ends_with('\r')) return refuse("a line of the chunked body ends without a carriage return");
  return line.substr(0, line.size() - 1);
}

}  // namespace

BodyReader::BodyReader(const RequestHead& head, std::size_t max_bytes) : max_bytes_(max_bytes) {
  if (head.framing == HttpFraming::kChunked) state_ = State::kChunkSize;
  if (head.framing == HttpFraming::kLength && head.length > 0) state_ = State::kLength;
  left_ = head.length;
}

std::optional<HttpRefusal> BodyReader::check_length() const {
  if (left_ <= max_bytes_ - body_.size()) return std::nullopt;
  return HttpRefusal{413, "the request's body is too long"};
}

std::expected<std::size_t, HttpRefusal> BodyReader::feed(std::string_view bytes) {
  std::size_t taken = 0;
  while (!done()) {
    const auto before = state_;
    const auto more = step(bytes.substr(taken));
    if (!more) return more;
    taken += *more;
    if (*more == 0 && state_ == before) break;
  }
  return taken;
}

std::expected<std::size_t, HttpRefusal> BodyReader::step(std::string_view bytes) {
  switch (state_) {
    case State::kLength:
    case State::kChunkData: {
      if (auto refused = check_length()) return std::unexpected(*std::move(refused));
      const auto part = bytes.substr(0, left_);
      body_ += part;
      left_ -= part.size();
      if (left_ == 0) state_ = state_ == State::kLength ? State::kDone : State::kChunkEnd;
      return part.size();
    }
    case State::kChunkEnd:
      if (!std::string_view("\r\n").starts_with(bytes.substr(0, 2))) return refuse("a chunk is longer than it says");
      if (bytes.size() < 2) return 0;
      state_ = State::kChunkSize;
      return 2;
    case State::kChunkSize: {
      const auto line = line_in(bytes, kMaxChunkLine);
      if (!line) return std::unexpected(line.error());
      if (!*line) return 0;
      if (auto refused = begin_chunk(**line)) return std::unexpected(*std::move(refused));
      return (*line)->size() + 2;
    }
    case State::kTrailer: {
      const auto line = line_in(bytes, kMaxTrailerBytes - trailer_bytes_);
      if (!line) return std::unexpected(line.error());
      if (!*line) return 0;
      trailer_bytes_ += (*line)->size() + 2;
      if ((*line)->empty()) {
        state_ = State::kDone;
      } else if (const auto field = parse_field(**line); !field) {
        return refuse(std::string(field.error()));
      }
      return (*line)->size() + 2;
    }
    case State::kDone:
      break;
  }
  return 0;
}

// "1a;name=value": extensions mean nothing here and are dropped.
std::optional<HttpRefusal> BodyReader::begin_chunk(std::string_view line) {
  const auto [end, ec] = std::from_chars(line.data(), line.data() + line.size(), left_, 16);
  if (ec == std::errc::result_out_of_range) return HttpRefusal{413, "the request's body is too long"};
  const std::string_view rest(end, line.data() + line.size());
  const bool good = ec == std::errc{} && (rest.empty() || rest.front() == ';') && is_field_text(rest);
  if (!good) return HttpRefusal{400, "the size of a chunk is no hexadecimal number"};
  state_ = left_ == 0 ? State::kTrailer : State::kChunkData;
  return check_length();
}

}  // namespace mysos
