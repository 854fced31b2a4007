// SPDX-License-Identifier: Apache-2.0
#include "discovery/routes.h"

#include <gtest/gtest.h>

namespace mysos::discovery {
namespace {

Result<std::vector<RoutedCluster>> parsed(const std::string& name, const std::string& host,
                                          const std::string& primary) {
  return parse_clusters(parse_json(R"({"clusters":[{"id":"x","name":")" + name +
                                   R"(","epoch":4,"electing":false,"primary":"x-0","members":[
    {"id":"x-0","host":")" + host + R"(","port":3306,"api_port":3307},
    {"id":"x-1","host":"","port":0,"api_port":0}],"endpoints":{"primary":)" +
                                   primary + R"(,"replicas":[]},"more":1}]})")
                            .value());
}

TEST(Routes, WhatTheApiSaysIsRead) {
  const auto clusters = parsed("shop", "10.0.0.1", R"("10.0.0.1:3306")").value();
  ASSERT_EQ(clusters.size(), 1U);
  EXPECT_EQ(clusters[0].reign,
            (Reign{.epoch = 4, .electing = false, .primary = "x-0", .serves = true}));
  EXPECT_EQ(clusters[0].members[0], (RoutedMember{"x-0", "10.0.0.1", 3306, 3307}));
  EXPECT_EQ(clusters[0].members[1], (RoutedMember{.id = "x-1"}));
  EXPECT_FALSE(parsed("shop", "10.0.0.1", "null").value()[0].reign.serves);
}

TEST(Routes, WhatHaProxyCouldTakeForSomethingElseIsRefused) {
  for (const char* name : {"a b", "a\\nglobal", "", "a#b", "a/b"})
    EXPECT_FALSE(parsed(name, "10.0.0.1", "null").has_value()) << name;
  EXPECT_FALSE(parsed("shop", "10.0.0.1 send-proxy", "null").has_value());
  EXPECT_FALSE(parse_clusters(parse_json(R"({"clusters":[{"id":"x"}]})").value()).has_value());
}

}  // namespace
}  // namespace mysos::discovery
