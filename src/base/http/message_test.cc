// SPDX-License-Identifier: Apache-2.0
#include "base/http/message.h"

#include <gtest/gtest.h>

namespace mysos {
namespace {

TEST(HttpHeaders, AreFoundWhateverTheirCase) {
  HttpHeaders headers{{"Content-Type", "a"}, {"X-Twice", "1"}, {"x-twice", "2"}};
  EXPECT_EQ(headers.get("content-TYPE"), "a");
  EXPECT_EQ(headers.get("missing"), "");
  headers.set("X-TWICE", "3");
  EXPECT_EQ(headers.size(), 2U);
  EXPECT_EQ(headers.get("x-twice"), "3");
}

TEST(HttpMessage, AnErrorSurvivesTheWayToTheClient) {
  for (const Errc code :
       {Errc::kInvalid, Errc::kUnauthorized, Errc::kForbidden, Errc::kNotFound, Errc::kConflict,
        Errc::kTooLarge, Errc::kUnavailable, Errc::kTimeout, Errc::kFenced, Errc::kInternal}) {
    const HttpResponse sent = problem_response(Error{code, "too \"few\"", "members"});
    EXPECT_EQ(sent.status, http_status(code));
    EXPECT_EQ(sent.headers.get("content-type"), "application/problem+json");
    const Error got = error_from_response(sent);
    EXPECT_EQ(got.code, code);
    EXPECT_EQ(got.message, "too \"few\"");
    EXPECT_EQ(got.field, "members");
  }
  EXPECT_EQ(error_from_response(text_response(404, "gone")).code, Errc::kNotFound);
}

}  // namespace
}  // namespace mysos
