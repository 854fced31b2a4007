// SPDX-License-Identifier: Apache-2.0
#include "mesos/recordio.h"

#include <algorithm>

namespace mysos::mesos {

std::string encode_record(std::string_view record) {
  std::string out = std::to_string(record.size());
  out += '\n';
  out += record;
  return out;
}

Status RecordDecoder::read_length_digit(char c) {
  if (c == '\n') {
    if (!has_digit_) return fail(Errc::kInvalid, "a record has no length");
    in_length_ = false;
    return {};
  }
  if (c < '0' || c > '9') return fail(Errc::kInvalid, "the length of a record is not a number");
  has_digit_ = true;
  length_ = length_ * 10 + static_cast<std::size_t>(c - '0');
  if (length_ > max_record_) {
    return fail(Errc::kTooLarge,
                "a record is larger than " + std::to_string(max_record_) + " bytes");
  }
  return {};
}

Status RecordDecoder::feed(std::string_view bytes, std::vector<std::string>& out) {
  while (!bytes.empty() || (!in_length_ && record_.size() == length_)) {
    if (in_length_) {
      MYSOS_TRY_VOID(read_length_digit(bytes.front()));
      bytes.remove_prefix(1);
      continue;
    }
    const std::size_t take = std::min(length_ - record_.size(), bytes.size());
    record_.append(bytes.substr(0, take));
    bytes.remove_prefix(take);
    if (record_.size() < length_) break;
    out.push_back(std::move(record_));
    record_.clear();
    in_length_ = true;
    has_digit_ = false;
    length_ = 0;
  }
  return {};
}

}  // namespace mysos::mesos
