// SPDX-License-Identifier: Apache-2.0
#include "api/command_form.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace mysos {
namespace {

Result<command::Any> read(std::string_view operation, std::string_view body) {
  const CommandForm& form = command_form(operation);
  MYSOS_TRY(const json::object parsed, parse_body(body, form.body));
  return form.read(parsed);
}

TEST(CommandForm, ABodyBecomesTheCommand) {
  EXPECT_FALSE(std::get<command::Switchover>(*read("switchover", "")).to);
  EXPECT_EQ(std::get<command::Switchover>(*read("switchover", R"({"to":"abc-1"})")).to, MemberId("abc-1"));
  const auto failover = std::get<command::Failover>(*read("failover", R"({"to":"abc-1","accept_loss":true})"));
  EXPECT_EQ(failover.wanted, (FailoverRequest{MemberId("abc-1"), true}));
  const auto promote = std::get<command::Promote>(*read("setPromotion", R"({"member":"abc-1","promotion":"avoid"})"));
  EXPECT_EQ(promote.promotion, Promotion::kAvoid);
  EXPECT_EQ(std::get<command::Adopt>(*read("adoptCluster", R"({"cluster":"shop"})")).as, "");
}

TEST(CommandForm, SaysWhichFieldIsWrong) {
  const std::tuple<const char*, const char*, const char*> cases[] = {
      {"switchover", R"({"too":"abc-1"})", "too"},
      {"switchover", R"({"to":7})", "to"},
      {"failover", R"({"accept_loss":"yes"})", "accept_loss"},
      {"setPromotion", R"({"promotion":"avoid"})", "member"},
      {"setPromotion", R"({"member":"a","promotion":"never"})", "promotion"},
      {"adoptCluster", R"({"cluster":""})", "cluster"},
      {"register", R"({"force":true})", "force"},
  };
  for (const auto& [operation, body, field] : cases) {
    const auto refused = read(operation, body);
    ASSERT_FALSE(refused) << body;
    EXPECT_EQ(refused.error().code, Errc::kInvalid) << body;
    EXPECT_EQ(refused.error().field, field) << refused.error().message;
  }
}

// A mistake in the words of a command is found here, and not by a user.
TEST(CommandForm, TheWordsOfEachCommandAreWhole) {
  std::set<std::string_view> operations;
  std::set<std::string_view> verbs;
  for (const CommandForm& form : command_forms()) {
    const CommandWords& words = form.words;
    EXPECT_TRUE(operations.insert(words.operation).second) << words.operation;
    EXPECT_TRUE(words.path.starts_with("/v1/")) << words.operation;
    for (const FieldWords& word : words.fields) {
      const bool known = word.field.empty() || std::ranges::any_of(form.body, [&](const BodyField& f) {
                           return f.name == word.field;
                         });
      EXPECT_TRUE(known) << words.operation << " has no field " << word.field;
    }
    if (words.verb.empty()) continue;
    EXPECT_TRUE(verbs.insert(words.verb).second) << words.verb;
    EXPECT_FALSE(words.help.empty()) << words.verb;
    for (const BodyField& field : form.body) {
      const auto found = std::ranges::find(words.fields, field.name, &FieldWords::field);
      ASSERT_NE(found, words.fields.end()) << words.verb << " says nothing of " << field.name;
      EXPECT_EQ(found->word.starts_with("--"), !field.required) << words.verb << " " << field.name;
    }
  }
}

}  // namespace
}  // namespace mysos
