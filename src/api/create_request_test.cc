// SPDX-License-Identifier: Apache-2.0
#include "api/create_request.h"

#include <gtest/gtest.h>

namespace mysos {
namespace {

const std::vector<VersionInfo> kVersions{{"mariadb-10.11", Flavour::kMariadb, mib(256)},
                                         {"mysql-9.7", Flavour::kMysql, mib(384)}};

TEST(CreateRequest, FillsInWhatIsNotGiven) {
  const auto request = parse_create(R"({"name":"shop"})", kVersions);

  ASSERT_TRUE(request) << request.error().message;
  EXPECT_EQ(request->spec.members, 3u);
  EXPECT_EQ(request->spec.mem, gib(1));
  EXPECT_EQ(request->spec.version, "mariadb-10.11");
  EXPECT_EQ(request->spec.user, kDefaultUser);
  EXPECT_FALSE(request->password);
}

TEST(CreateRequest, ReadsSizesAndTheFlavourOfTheVersion) {
  const auto request = parse_create(
      R"({"name":"shop","members":5,"cpus":0.5,"mem":"1.5GB","disk":1073741824,"version":"mysql-9.7",
          "user":"anna","password":"not so secret"})",
      kVersions);

  ASSERT_TRUE(request) << request.error().message;
  EXPECT_EQ(request->spec.members, 5u);
  EXPECT_EQ(request->spec.cpus_milli, 500);
  EXPECT_EQ(request->spec.mem, mib(1536));
  EXPECT_EQ(request->spec.disk, gib(1));
  EXPECT_EQ(request->spec.flavour, Flavour::kMysql);
  EXPECT_EQ(request->password, "not so secret");
}

struct BadBody {
  const char* body;
  const char* field;
  const char* said;
};

TEST(CreateRequest, NamesTheFieldThatIsWrong) {
  const BadBody cases[] = {
      {"{", "", ""},
      {"[]", "", "object"},
      {R"({"name":"a","name":"b"})", "", "name twice"},
      {R"({"name":"a","mem":[{"x":1,"x":2}]})", "", "x twice"},
      {"{}", "name", "missing"},
      {R"({"name":7})", "name", "string"},
      {R"({"name":"a","membres":3})", "membres", "did you mean 'members'"},
      {R"({"name":"a","members":-1})", "members", "whole number from 1 to 9, not -1"},
      {R"({"name":"a","members":"abc"})", "members", "whole number from 1 to 9, not \"abc\""},
      {R"({"name":"a","members":2.5})", "members", "whole number from 1 to 9"},
      {R"({"name":"a","members":0})", "members", "whole number from 1 to 9, not 0"},
      {R"({"name":"a","members":10})", "members", "whole number from 1 to 9, not 10"},
      {R"({"name":"a","members":99999999999})", "members", "whole number from 1 to 9"},
      {R"({"name":"a","mem":"1"})", "mem", "mem"},
      {R"({"name":"a","mem":1.5})", "mem", "size"},
      {R"({"name":"a","disk":true})", "disk", "size"},
      {R"({"name":"a","cpus":0})", "cpus", "above 0"},
      {R"({"name":"a","cpus":1e300})", "cpus", "at most"},
      {R"({"name":"a","password":"short"})", "password", "8 to 128"},
      {R"({"name":"a","password":"with\nnewline"})", "password", "printable"},
  };
  for (const auto& c : cases) {
    const auto request = parse_create(c.body, kVersions);
    ASSERT_FALSE(request) << c.body;
    EXPECT_EQ(request.error().code, Errc::kInvalid) << c.body;
    EXPECT_EQ(request.error().field, c.field) << c.body;
    EXPECT_NE(request.error().message.find(c.said), std::string::npos) << request.error().message;
  }
}

TEST(CreateRequest, TakesWordsInValuesForNoKeys) {
  EXPECT_TRUE(
      parse_create(R"({"name":"a","user":"name","password":"\"name\",\"name\":"})", kVersions));
}

TEST(CreateRequest, NeverRepeatsAPassword) {
  const auto request = parse_create(R"({"name":"a","password":"hunter2"})", kVersions);
  ASSERT_FALSE(request);
  EXPECT_EQ(request.error().message.find("hunter2"), std::string::npos);
}

TEST(CottonForm, CountsAnEmptyFieldAsNotGiven) {
  const FormFields form{{"cluster_user", "anna"},
                        {"num_nodes", ""},
                        {"size", ""},
                        {"backup_id", ""},
                        {"cluster_password", ""}};
  const auto request = parse_cotton_create("shop", form, kVersions);

  ASSERT_TRUE(request) << request.error().message;
  EXPECT_EQ(request->spec.name, "shop");
  EXPECT_EQ(request->spec.members, 1u);
  EXPECT_EQ(request->spec.user, "anna");
  EXPECT_FALSE(request->password);
}

TEST(CottonForm, ReadsItsSize) {
  const FormFields form{{"cluster_user", "anna"},
                        {"num_nodes", "3"},
                        {"size", R"({"cpus":2,"mem":"512mb","disk":"2gb"})"},
                        {"cluster_password", "x"}};
  const auto request = parse_cotton_create("shop", form, kVersions);

  ASSERT_TRUE(request) << request.error().message;
  EXPECT_EQ(request->spec.members, 3u);
  EXPECT_EQ(request->spec.cpus_milli, 2000);
  EXPECT_EQ(request->spec.mem, mib(512));
  EXPECT_EQ(request->spec.disk, gib(2));
  EXPECT_EQ(request->password, "x");
}

TEST(CottonForm, RefusesWhatItCannotDo) {
  const std::pair<FormFields, const char*> cases[] = {
      {{{"num_nodes", "1"}}, "cluster_user"},
      {{{"cluster_user", "a"}, {"num_nodes", "many"}}, "num_nodes"},
      {{{"cluster_user", "a"}, {"num_nodes", "10"}}, "num_nodes"},
      {{{"cluster_user", "a"}, {"size", "big"}}, "size"},
      {{{"cluster_user", "a"}, {"backup_id", "7"}}, "backup_id"},
      {{{"cluster_user", "a"}, {"user", "b"}}, "user"},
  };
  for (const auto& [form, field] : cases) {
    const auto request = parse_cotton_create("shop", form, kVersions);
    ASSERT_FALSE(request) << field;
    EXPECT_EQ(request.error().field, field);
  }
}

TEST(Wait, TakesSecondsUpToTenMinutes) {
  EXPECT_EQ(parse_wait("30"), Duration(std::chrono::seconds(30)));
  EXPECT_EQ(parse_wait("30s"), Duration(std::chrono::seconds(30)));
  EXPECT_FALSE(parse_wait("601"));
  EXPECT_FALSE(parse_wait(""));
  EXPECT_FALSE(parse_wait("-1"));
}

}  // namespace
}  // namespace mysos
