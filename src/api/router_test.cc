// SPDX-License-Identifier: Apache-2.0
#include "api/router.h"
#include "base/http/url.h"

#include <gtest/gtest.h>

namespace mysos {
namespace {

TEST(Router, FindsTheNameInsideAPath) {
  const auto matched = match_route("GET", "/v1/clusters/shop/members");
  ASSERT_TRUE(std::holds_alternative<Route>(matched));
  EXPECT_EQ(std::get<Route>(matched).id, RouteId::kMembers);
  EXPECT_EQ(std::get<Route>(matched).name, "shop");
}

TEST(Router, AnEncodedSlashIsPartOfTheName) {  // the server leaves it encoded (parse_target)
  const auto matched = match_route("GET", "/v1/clusters/shop%2Fmembers");
  ASSERT_TRUE(std::holds_alternative<Route>(matched));
  EXPECT_EQ(std::get<Route>(matched).id, RouteId::kShowCluster);
  EXPECT_EQ(std::get<Route>(matched).name, "shop%2Fmembers");
}

TEST(Router, TakesAHeadForAGet) {
  const auto matched = match_route("HEAD", "/v1/clusters");
  ASSERT_TRUE(std::holds_alternative<Route>(matched));
  EXPECT_EQ(std::get<Route>(matched).id, RouteId::kListClusters);
}

TEST(Router, SaysWhichMethodsAPathHas) {
  const auto matched = match_route("PUT", "/v1/clusters/shop");
  ASSERT_TRUE(std::holds_alternative<MethodNotAllowed>(matched));
  EXPECT_EQ(std::get<MethodNotAllowed>(matched).allow, "GET, HEAD, DELETE");
}

TEST(Router, KnowsNoOtherPaths) {
  for (const char* path :
       {"", "/v1", "/v1/clusters/", "/v1/clusters//members", "/v1/clusters/a/b/c", "/clusters/",
        "/v1/clusters/a/membersx", "/app.js/", "/index.html"}) {
    EXPECT_TRUE(std::holds_alternative<Error>(match_route("GET", path))) << path;
  }
}

TEST(Router, LetsNobodyIntoTheApiWithoutAToken) {
  for (const char* path : {"/v1/clusters", "/v1/clusters/a", "/v1/clusters/a/credentials",
                           "/v1/events", "/v1/agents"}) {
    const auto matched = match_route("GET", path);
    ASSERT_TRUE(std::holds_alternative<Route>(matched)) << path;
    EXPECT_EQ(std::get<Route>(matched).access, Access::kToken) << path;
  }
}

}  // namespace
}  // namespace mysos
