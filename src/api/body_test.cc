// SPDX-License-Identifier: Apache-2.0
#include "api/body.h"

#include <gtest/gtest.h>

namespace mysos {
namespace {

enum class Colour { kRed, kBlue };
constexpr auto enum_names(Colour) {
  return std::to_array<EnumName<Colour>>({{Colour::kRed, "red"}, {Colour::kBlue, "blue"}});
}
struct Thing {
  std::string text;
  MemberId member;
  std::optional<MemberId> other;
  bool flag = false;
  std::uint32_t whole = 0;
  double number = 0;
  Colour colour = Colour::kRed;
};
template <class Io>
void fields(Io& io, Thing& t) {
  io.required("text", t.text);
  io.required("member", t.member);
  io("other", t.other);
  io("flag", t.flag);
  io("whole", t.whole);
  io("number", t.number);
  io.required("colour", t.colour);
}

TEST(Body, ATypeThatSaysItsFieldsIsKnownByThem) {
  const std::vector<BodyField> expected{{"text", FieldType::kText, true},
                                        {"member", FieldType::kMember, true},
                                        {"other", FieldType::kMember},
                                        {"flag", FieldType::kFlag},
                                        {"whole", FieldType::kWhole},
                                        {"number", FieldType::kNumber},
                                        {"colour", FieldType::kText, true, {"red", "blue"}}};
  EXPECT_EQ(body_fields<Thing>(), expected);
}

TEST(Body, MayBeMissingWhereNothingIsRequired) {
  EXPECT_TRUE(parse_body("", {}));
  const std::vector<BodyField> known{{"to", FieldType::kMember}};
  EXPECT_TRUE(parse_body("", known));
  const std::vector<BodyField> needed{{"to", FieldType::kMember, true}};
  EXPECT_EQ(parse_body("", needed).error().field, "") << "it is no JSON object";
}

TEST(Body, NamesAFieldThatIsNotThereAndTheNearest) {
  const std::vector<BodyField> known{{"accept_loss", FieldType::kFlag}};
  const auto wrong = parse_body(R"({"accept_los":true})", known);
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().field, "accept_los");
  EXPECT_NE(wrong.error().message.find("did you mean 'accept_loss'"), std::string::npos) << wrong.error().message;
}

}  // namespace
}  // namespace mysos
