// SPDX-License-Identifier: Apache-2.0
#include "api/idempotency.h"

#include <gtest/gtest.h>

namespace mysos {
namespace {
using namespace std::chrono_literals;

const Instant kStart{};

TEST(Idempotency, GivesTheFirstAnswerAgain) {
  IdempotencyTable table;
  EXPECT_TRUE(std::holds_alternative<IdempotencyTable::Begun>(table.begin("k", "r", kStart)));
  table.finish("k", text_response(202, "made"));

  const auto again = table.begin("k", "r", kStart + 1h);
  ASSERT_TRUE(std::holds_alternative<HttpResponse>(again));
  EXPECT_EQ(std::get<HttpResponse>(again).body, "made");
}

TEST(Idempotency, RefusesTheKeyForAnotherRequestAndWhileTheFirstIsUnderWay) {
  IdempotencyTable table;
  table.begin("k", "r", kStart);

  const auto meanwhile = table.begin("k", "r", kStart);
  ASSERT_TRUE(std::holds_alternative<Error>(meanwhile));
  EXPECT_EQ(std::get<Error>(meanwhile).code, Errc::kConflict);
  const auto other = table.begin("k", "s", kStart);
  ASSERT_TRUE(std::holds_alternative<Error>(other));
  EXPECT_EQ(std::get<Error>(other).code, Errc::kInvalid);
}

TEST(Idempotency, LetsAFailureOfOursBeTriedAgain) {
  IdempotencyTable table;
  table.begin("k", "r", kStart);
  table.finish("k", text_response(503, "full"));

  EXPECT_TRUE(std::holds_alternative<IdempotencyTable::Begun>(table.begin("k", "r", kStart)));
}

TEST(Idempotency, ForgetsWhatIsOldAndWhatIsTooMuch) {
  IdempotencyTable table;
  table.begin("old", "r", kStart);
  table.finish("old", text_response(202, ""));
  EXPECT_TRUE(
      std::holds_alternative<IdempotencyTable::Begun>(table.begin("old", "r", kStart + 24h)));

  for (std::size_t i = 0; i < 2 * kMaxIdempotencyKeys; ++i)
    table.begin(std::to_string(i), "r", kStart + 24h);
  EXPECT_LE(table.size(), kMaxIdempotencyKeys);
}

TEST(Idempotency, RefusesAKeyThatIsNoKey) {
  IdempotencyTable table;
  EXPECT_TRUE(std::holds_alternative<Error>(table.begin("", "r", kStart)));
  EXPECT_TRUE(std::holds_alternative<Error>(table.begin(std::string(256, 'x'), "r", kStart)));
}

}  // namespace
}  // namespace mysos
