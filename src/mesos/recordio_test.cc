// SPDX-License-Identifier: Apache-2.0
#include "mesos/recordio.h"

#include <gtest/gtest.h>

namespace mysos::mesos {
namespace {

TEST(RecordIo, ReadsRecordsHoweverTheyAreCut) {
  const std::string wire =
      encode_record("hello") + encode_record("") + encode_record("{\"a\":1}\n2");
  for (std::size_t step = 1; step <= wire.size(); ++step) {
    RecordDecoder decoder;
    std::vector<std::string> out;
    for (std::size_t at = 0; at < wire.size(); at += step) {
      ASSERT_TRUE(decoder.feed(std::string_view(wire).substr(at, step), out));
    }
    EXPECT_EQ(out, (std::vector<std::string>{"hello", "", "{\"a\":1}\n2"})) << step;
  }
}

TEST(RecordIo, RefusesWhatIsNoLength) {
  std::vector<std::string> out;
  EXPECT_EQ(RecordDecoder().feed("x1\n", out).error().code, Errc::kInvalid);
  EXPECT_EQ(RecordDecoder().feed("\n", out).error().code, Errc::kInvalid);
  EXPECT_EQ(RecordDecoder().feed("-1\n", out).error().code, Errc::kInvalid);
}

TEST(RecordIo, RefusesARecordAboveTheBoundBeforeReadingIt) {
  std::vector<std::string> out;
  RecordDecoder decoder(10);
  EXPECT_TRUE(decoder.feed("10\n0123456789", out));
  EXPECT_EQ(decoder.feed("11\n", out).error().code, Errc::kTooLarge);
  EXPECT_EQ(RecordDecoder(10).feed("99999999999999999999999\n", out).error().code, Errc::kTooLarge);
}

}  // namespace
}  // namespace mysos::mesos
