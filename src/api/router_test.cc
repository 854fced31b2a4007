// SPDX-License-Identifier: Apache-2.0
#include "api/router.h"
#include "base/http/url.h"

#include <gtest/gtest.h>

namespace mysos {
namespace {

TEST(Router, FindsTheNameInsideAPath) {
  const auto matched = match_route(api_operations(), "GET", "/v1/clusters/shop/members");
  ASSERT_TRUE(std::holds_alternative<Route>(matched));
  EXPECT_EQ(std::get<Route>(matched).operation->id, "listMembers");
  EXPECT_EQ(std::get<Route>(matched).name, "shop");
}

TEST(Router, AnEncodedSlashIsPartOfTheName) {  // the server leaves it encoded (parse_target)
  const auto matched = match_route(api_operations(), "GET", "/v1/clusters/shop%2Fmembers");
  ASSERT_TRUE(std::holds_alternative<Route>(matched));
  EXPECT_EQ(std::get<Route>(matched).operation->id, "showCluster");
  EXPECT_EQ(std::get<Route>(matched).name, "shop%2Fmembers");
}

TEST(Router, TakesAHeadForAGet) {
  const auto matched = match_route(api_operations(), "HEAD", "/v1/clusters");
  ASSERT_TRUE(std::holds_alternative<Route>(matched));
  EXPECT_EQ(std::get<Route>(matched).operation->id, "listClusters");
}

TEST(Router, SaysWhichMethodsAPathHas) {
  const auto matched = match_route(api_operations(), "PUT", "/v1/clusters/shop");
  ASSERT_TRUE(std::holds_alternative<MethodNotAllowed>(matched));
  EXPECT_EQ(std::get<MethodNotAllowed>(matched).allow, "GET, HEAD, DELETE");
}

TEST(Router, KnowsNoOtherPaths) {
  for (const char* path :
       {"", "/v1", "/v1/clusters/", "/v1/clusters//members", "/v1/clusters/a/b/c", "/clusters/",
        "/v1/clusters/a/membersx", "/app.js/", "/index.html"}) {
    EXPECT_TRUE(std::holds_alternative<Error>(match_route(api_operations(), "GET", path))) << path;
  }
}

TEST(Router, LetsNobodyIntoTheApiWithoutAToken) {
  for (const char* path : {"/v1/clusters", "/v1/clusters/a", "/v1/clusters/a/credentials",
                           "/v1/events", "/v1/agents"}) {
    const auto matched = match_route(api_operations(), "GET", path);
    ASSERT_TRUE(std::holds_alternative<Route>(matched)) << path;
    EXPECT_EQ(std::get<Route>(matched).operation->scope, Scope::kToken) << path;
  }
}

TEST(Router, OnlyWhatTellsNothingIsOpen) {
  std::vector<std::string> open;
  for (const Operation& operation : api_operations()) {
    if (operation.scope != Scope::kToken) open.push_back(operation.method + " " + operation.path);
  }
  EXPECT_EQ(open, (std::vector<std::string>{"POST /clusters/{name}", "DELETE /clusters/{name}", "GET /v1/openapi.json",
                                            "GET /healthz", "GET /readyz", "GET /metrics", "GET /", "GET /app.js",
                                            "GET /style.css", "GET /icon.svg"}));
}

}  // namespace
}  // namespace mysos
