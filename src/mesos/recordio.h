// SPDX-License-Identifier: Apache-2.0
#pragma once
// RecordIO, the framing of Mesos' event streams: a decimal length, a newline, that many bytes. The
// borders of chunks and of records are independent, so the decoder is fed whatever arrived. Source:
// Mesos recordio.md.
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace mysos::mesos {

// An OFFERS of thousands of agents is a few MB.
inline constexpr std::size_t kMaxRecordBytes = std::size_t{64} << 20;

std::string encode_record(std::string_view record);

class RecordDecoder {
 public:
  explicit RecordDecoder(std::size_t max_record = kMaxRecordBytes) : max_record_(max_record) {}
  // Appends the records that `bytes` completes. Errc::kInvalid where the length is not one,
  // kTooLarge above the bound; the stream cannot be read any further then.
  Status feed(std::string_view bytes, std::vector<std::string>& out);

 private:
  Status read_length_digit(char c);
  std::size_t max_record_;
  bool in_length_ = true;
  bool has_digit_ = false;
  std::size_t length_ = 0;
  std::string record_;
};

}  // namespace mysos::mesos
