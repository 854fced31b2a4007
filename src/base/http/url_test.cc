// SPDX-License-Identifier: Apache-2.0
#include "base/http/url.h"

#include <gtest/gtest.h>

namespace mysos {
namespace {

TEST(HttpUrl, PercentCodingGoesBothWays) {
  const std::string nasty("a b/\xc3\xa9%\0&=+", 11);
  EXPECT_EQ(percent_decode(percent_encode(nasty)).value(), nasty);
  EXPECT_EQ(percent_decode("a+b%2Bc", true).value(), "a b+c");
  EXPECT_EQ(percent_decode("a+b").value(), "a+b");
  for (const char* bad : {"%", "%4", "%4g", "abc%"}) EXPECT_FALSE(percent_decode(bad)) << bad;
  EXPECT_EQ(percent_decode("%41").value(), "A");
}

TEST(HttpUrl, FormsGoBothWays) {
  const FormFields fields{{"cluster_user", "jo e"}, {"size", ""}, {"x", "a&b=c"}};
  EXPECT_EQ(parse_form(encode_form(fields)).value(), fields);
  EXPECT_EQ(parse_form("a=1&&b&a=2").value(), (FormFields{{"a", "2"}, {"b", ""}}));
  // "curl -d" escapes nothing.
  EXPECT_EQ(parse_form("password=a b\"\xc3\xa9").value(), (FormFields{{"password", "a b\"\xc3\xa9"}}));
  EXPECT_FALSE(parse_form("a=%zz"));
}

TEST(HttpUrl, ATargetIsPathAndQuery) {
  HttpRequest request{.target = "/v1/clusters/a%20b?wait=5&x=%2F"};
  ASSERT_TRUE(parse_target(request));
  EXPECT_EQ(request.path, "/v1/clusters/a b");
  EXPECT_EQ(request.query, (FormFields{{"wait", "5"}, {"x", "/"}}));
  HttpRequest absolute{.target = "http://h:1/p?q=1"};
  ASSERT_TRUE(parse_target(absolute));
  EXPECT_EQ(absolute.path, "/p");
  for (const char* bad : {"nonsense", "*", "/a%00b", "/a%0ab", "/%7f", "/%", "/%2", "/%2g", "https://h/", "http://"}) {
    HttpRequest wrong{.target = bad};
    EXPECT_FALSE(parse_target(wrong)) << bad;
  }
}

TEST(HttpUrl, AnEncodedSlashIsNoSeparator) {
  HttpRequest request{.target = "/v1/clusters/a%2Fmembers%2f%20%252F"};
  ASSERT_TRUE(parse_target(request));
  EXPECT_EQ(request.path, "/v1/clusters/a%2Fmembers%2F %2F");
}

TEST(HttpUrl, EndpointsAndUrls) {
  EXPECT_EQ(parse_endpoint("h:80").value(), (Endpoint{"h", 80}));
  EXPECT_EQ(parse_endpoint("[::1]:8080").value(), (Endpoint{"::1", 8080}));
  EXPECT_EQ(to_string(Endpoint{"::1", 8080}), "[::1]:8080");
  for (const char* bad :
       {"h", "h:", ":80", "h:0", "h:65536", "h:8x", "::1:80", "a/b:80", "a b:80", "me@h:80", "h%41:80", ""}) {
    EXPECT_FALSE(parse_endpoint(bad)) << bad;
  }
  const Url url = parse_url("http://[::1]:5050/api/v1?x=1").value();
  EXPECT_EQ(url.endpoint, (Endpoint{"::1", 5050}));
  EXPECT_EQ(url.target, "/api/v1?x=1");
  EXPECT_EQ(parse_url("http://host").value().endpoint.port, 80);
  EXPECT_EQ(parse_url("http://host?x").value().target, "/?x");
  EXPECT_FALSE(parse_url("https://host"));
  for (const char* bad : {"http://", "http://h:0", "http://h:65536", "http://me:secret@h", "http://h/a b",
                          "http:/h", "h:80", ""}) {
    EXPECT_FALSE(parse_url(bad)) << bad;
  }
}

}  // namespace
}  // namespace mysos
