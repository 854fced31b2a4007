// SPDX-License-Identifier: Apache-2.0
#include "base/http/request_head.h"

#include <gtest/gtest.h>

#include "base/prng.h"

namespace mysos {
namespace {
using namespace std::string_literals;
using namespace std::string_view_literals;

struct Read {
  int status = 200;  // what it was refused with
  HttpRequest request = {};
  bool whole = false;
  std::string rest = {};  // after the request
};

// As the session does it, with bytes that come in parts of `part`.
Read read(const std::string& bytes, std::size_t part) {
  std::string in;
  std::size_t sent = 0;
  const auto more = [&] {
    const std::string next = bytes.substr(sent, part);
    sent += next.size();
    in += next;
    return !next.empty();
  };
  RequestHead head;
  for (std::size_t seen = 0;;) {
    const auto length = find_head(in, seen);
    if (!length) return {length.error().status};
    if (*length) {
      auto parsed = parse_request_head(in.substr(0, **length));
      if (!parsed) return {parsed.error().status};
      head = *std::move(parsed);
      in.erase(0, **length);
      break;
    }
    seen = in.size();
    if (!more()) return {};
  }
  BodyReader body(head, 1000);
  for (;;) {
    const auto taken = body.feed(in);
    if (!taken) return {taken.error().status};
    in.erase(0, *taken);
    if (body.done()) break;
    if (!more()) return {200, head.request};
  }
  head.request.body = body.take();
  return {200, head.request, true, in + bytes.substr(sent)};
}

std::string get(const std::string& fields) { return "GET / HTTP/1.1\r\n" + fields + "\r\n"; }
std::string post(const std::string& fields, const std::string& body = "") {
  return "POST / HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n" + body;
}
std::string chunked(const std::string& body) { return post("Transfer-Encoding: chunked\r\n", body); }

struct Refused {
  std::string bytes;
  int status;
};
const Refused kRefused[] = {
    // Who is asked.
    {get(""), 400},
    {"GET / HTTP/1.0\r\n\r\n", 400},
    {"GET http://a/ HTTP/1.1\r\n\r\n", 400},
    {get("Host: a\r\nHost: b\r\n"), 400},
    {get("Host: a\r\nHost: a\r\n"), 400},
    {"GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", 400},
    {get("Host:\r\n"), 400},
    {get("Host: a/b\r\n"), 400},
    {get("Host: user@a\r\n"), 400},
    {get("Host: a b\r\n"), 400},
    {get("Host: a, b\r\n"), 400},
    {get("Host: a:80:80\r\n"), 400},
    {get("Host: a:x\r\n"), 400},
    {get("Host: a:99999\r\n"), 400},
    {get("Host: ::1\r\n"), 400},
    {get("Host: [a]\r\n"), 400},
    {"GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"GET https://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    // Where a header field begins and ends.
    {get("Host: a\r\nX: b\r\n c\r\n"), 400},
    {get("Host: a\r\nX: b\r\n\tc\r\n"), 400},
    {"GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400},
    {get("Host : a\r\n"), 400},
    {get("Host: a\r\nContent-Length : 5\r\n"), 400},
    {get("Host: a\r\nX\r\n"), 400},
    {get("Host: a\r\n: b\r\n"), 400},
    {get("Host: a\r\nX(: b\r\n"), 400},
    {get("Host: a\r\nX: b\0c\r\n"s), 400},
    {get("Host: a\r\nX: b\x01\r\n"), 400},
    {get("Host: a\r\nX: b\x7f\r\n"), 400},
    {"GET / HTTP/1.1\nHost: a\n\n", 400},
    {"GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: a\r\n\n", 400},
    // The request line.
    {"what is this\r\n\r\n", 400},
    {"GET /\r\n\r\n", 400},
    {"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 400},
    {"GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"G@T / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {" GET / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"GET /\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n"s, 400},
    {"GET /#x HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"GET x HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"GET * HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n", 400},
    {"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505},
    {"GET / HTTP/1.2\r\nHost: a\r\n\r\n", 505},
    {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
    {"GET / http/1.1\r\nHost: a\r\n\r\n", 400},
    {"GET / HTTP/1.10\r\nHost: a\r\n\r\n", 400},
    // Where the body ends.
    {post("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n"), 400},
    {post("Transfer-Encoding: chunked, identity\r\n", "0\r\n\r\n"), 400},
    {post("Transfer-Encoding: identity\r\n"), 400},
    {post("Transfer-Encoding:\r\n", "0\r\n\r\n"), 400},
    {post("Transfer-Encoding: \x0b" "chunked\r\n", "0\r\n\r\n"), 400},
    {post("Transfer-Encoding: \"chunked\"\r\n", "0\r\n\r\n"), 400},
    {post("Transfer-Encoding: chunked;a=b\r\n", "0\r\n\r\n"), 400},
    {post("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"), 501},
    {post("Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n"), 501},
    {post("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", "0\r\n\r\n"), 400},
    {post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), 400},
    {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
    {post("Content-Length: 5\r\nContent-Length: 5\r\n", "abcde"), 400},
    {post("Content-Length: 5\r\nContent-Length: 6\r\n", "abcde"), 400},
    {post("Content-Length: 5, 5\r\n", "abcde"), 400},
    {post("Content-Length: +5\r\n", "abcde"), 400},
    {post("Content-Length: -5\r\n", "abcde"), 400},
    {post("Content-Length: 0x5\r\n", "abcde"), 400},
    {post("Content-Length: 5 5\r\n", "abcde"), 400},
    {post("Content-Length:\r\n"), 400},
    {post("Content-Length: 1001\r\n", "a"), 413},
    {post("Content-Length: 99999999999999999999\r\n", "a"), 413},
    {chunked("+5\r\nabcde\r\n0\r\n\r\n"), 400},
    {chunked("0x5\r\nabcde\r\n0\r\n\r\n"), 400},
    {chunked(" 5\r\nabcde\r\n0\r\n\r\n"), 400},
    {chunked("5 \r\nabcde\r\n0\r\n\r\n"), 400},
    {chunked("\r\nabcde\r\n0\r\n\r\n"), 400},
    {chunked("5\nabcde\r\n0\r\n\r\n"), 400},
    {chunked("5;a\nabcde\r\n0\r\n\r\n"), 400},
    {chunked("5;\0\r\nabcde\r\n0\r\n\r\n"s), 400},
    {chunked("5;" + std::string(kMaxChunkLine, 'a')), 400},
    {chunked("3\r\nabcde\r\n0\r\n\r\n"), 400},
    {chunked("5\r\nabcde0\r\n\r\n"), 400},
    {chunked("5\r\nabcde\n0\r\n\r\n"), 400},
    {chunked("3e9\r\na"), 413},
    {chunked("ffffffffffffffff\r\na"), 413},
    {chunked("10000000000000005\r\nabcde\r\n0\r\n\r\n"), 413},
    {chunked("1\r\na\r\n0\r\nX : b\r\n\r\n"), 400},
    {chunked("1\r\na\r\n0\r\n a\r\n\r\n"), 400},
    {chunked("1\r\na\r\n0\r\nX: b\n\r\n"), 400},
    {chunked("0\r\nX: " + std::string(kMaxTrailerBytes, 'a')), 400},
    // What may stand only once; what is not met.
    {post("Authorization: Bearer a\r\nauthorization: Bearer b\r\n"), 400},
    {post("Origin: http://a\r\nOrigin: http://b\r\n"), 400},
    {post("Expect: 200-ok\r\n"), 417},
};

TEST(RequestHead, RefusesWhatOthersMayReadOtherwise) {
  for (const auto& [bytes, status] : kRefused) {
    for (const std::size_t part : {std::size_t{1}, std::size_t{7}, bytes.size()}) {
      EXPECT_EQ(read(bytes, part).status, status) << part << " bytes at a time: " << bytes;
    }
  }
}

TEST(RequestHead, RefusesTooManyFields) {
  std::string fields = "Host: a\r\n";
  for (std::size_t i = 1; i < kMaxHttpFields; ++i) fields += "X: y\r\n";
  EXPECT_EQ(read(get(fields), 1000).status, 200);
  EXPECT_EQ(read(get(fields + "X: y\r\n"), 1000).status, 431);
}

struct Taken {
  std::string bytes;
  std::string path;
  std::string body;
};
const Taken kTaken[] = {
    {get("Host: a\r\n"), "/", ""},
    {get("host:\t a:8080 \r\nX:\r\n"), "/", ""},
    {get("Host: [::1]:8080\r\n"), "/", ""},
    {get("Host: shop_1.example.\r\nX: caf\xc3\xa9\r\n"), "/", ""},
    {"GET / HTTP/1.0\r\nHost: a\r\n\r\n", "/", ""},
    {"GET http://a:80/b HTTP/1.0\r\n\r\n", "/b", ""},
    {"GET http://a:80/b?c HTTP/1.1\r\nHost: A:80\r\n\r\n", "/b", ""},
    {"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "*", ""},
    {"GET /a%2fb%20c?d=%2f HTTP/1.1\r\nHost: a\r\n\r\n", "/a%2Fb c", ""},
    {post("Content-Length: 5\r\n", "abcde"), "/", "abcde"},
    {post("Content-Length: 0\r\n"), "/", ""},
    {post("Content-Length: 1000\r\n", std::string(1000, 'a')), "/", std::string(1000, 'a')},
    {chunked("0\r\n\r\n"), "/", ""},
    {chunked("3\r\nabc\r\n2;e=1\r\nde\r\n0\r\n\r\n"), "/", "abcde"},
    {chunked("0003\r\na\nc\r\n0;x\r\nTrailer: dropped\r\nAuthorization: Bearer a\r\n\r\n"), "/", "a\nc"},
    {chunked("A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n"), "/", "01234567890123456789"},
    {post("transfer-encoding: CHUNKED\r\n", "1\r\na\r\n0\r\n\r\n"), "/", "a"},
};

TEST(RequestHead, TakesWhatIsWellFormedAndNotAByteMore) {
  const std::string next = "GET /next HTTP/1.1\r\n";
  for (const auto& [bytes, path, body] : kTaken) {
    for (const std::size_t part : {std::size_t{1}, std::size_t{7}, bytes.size() + next.size()}) {
      const Read got = read(bytes + next, part);
      EXPECT_EQ(got.status, 200) << bytes;
      EXPECT_TRUE(got.whole) << bytes;
      EXPECT_EQ(got.request.path, path) << bytes;
      EXPECT_EQ(got.request.body, body) << bytes;
      EXPECT_EQ(got.rest, next) << bytes;
      EXPECT_FALSE(got.request.headers.has("Authorization")) << "a trailer became a field: " << bytes;
    }
  }
}

TEST(RequestHead, AnythingCutShortIsWaitedFor) {
  for (const auto& [bytes, path, body] : kTaken) {
    for (std::size_t n = 0; n < bytes.size(); ++n) {
      const Read got = read(bytes.substr(0, n), 5);
      EXPECT_EQ(got.status, 200) << bytes.substr(0, n);
      EXPECT_FALSE(got.whole) << bytes.substr(0, n);
    }
  }
}

TEST(RequestHead, ReadsTheSameHoweverTheBytesAreCut) {
  constexpr std::string_view kBytes = "\r\n\0 \t:;,aA0%2fF/#\x7f\xff"sv;
  Prng prng(9112);
  int refused = 0;
  for (int i = 0; i < 20000; ++i) {
    std::string bytes = prng.chance(500) ? kTaken[prng.below(std::size(kTaken))].bytes
                                         : kRefused[prng.below(std::size(kRefused))].bytes;
    for (std::uint64_t changes = prng.below(4); changes > 0 && !bytes.empty(); --changes) {
      const auto at = prng.below(bytes.size());
      const char byte = kBytes[prng.below(kBytes.size())];
      if (prng.chance(300)) {
        bytes.erase(at, 1);
      } else if (prng.chance(500)) {
        bytes[at] = byte;
      } else {
        bytes.insert(at, 1, byte);
      }
    }
    const Read whole = read(bytes, bytes.size() + 1);
    const Read cut = read(bytes, 1 + prng.below(5));
    ASSERT_EQ(whole.status, cut.status) << bytes;
    ASSERT_EQ(whole.whole, cut.whole) << bytes;
    ASSERT_EQ(whole.request.body, cut.request.body) << bytes;
    ASSERT_EQ(whole.rest, cut.rest) << bytes;
    refused += whole.status != 200 ? 1 : 0;
  }
  EXPECT_GT(refused, 5000);
  EXPECT_LT(refused, 19000);
}

TEST(RequestHead, KnowsWhetherTheConnectionIsKept) {
  const auto kept = [](const std::string& bytes) { return parse_request_head(bytes).value().keep_alive; };
  EXPECT_TRUE(kept(get("Host: a\r\n")));
  EXPECT_FALSE(kept(get("Host: a\r\nConnection: x, Close\r\n")));
  EXPECT_FALSE(kept(get("Host: a\r\nConnection: keep-alive\r\nConnection: close\r\n")));
  EXPECT_FALSE(kept("GET / HTTP/1.0\r\nHost: a\r\n\r\n"));
  EXPECT_TRUE(kept("GET / HTTP/1.0\r\nHost: a\r\nConnection: Keep-Alive\r\n\r\n"));
  EXPECT_TRUE(parse_request_head(post("Expect: 100-Continue\r\nContent-Length: 1\r\n")).value().expects_continue);
}

TEST(HttpHost, IsANameOrAnAddress) {
  const auto host = [](std::string_view text) { return parse_http_host(text).value(); };
  EXPECT_EQ(host("Shop.Example.:8080").name, "shop.example");
  EXPECT_EQ(host("shop:8080").port, 8080);
  EXPECT_FALSE(host("shop").port);
  EXPECT_FALSE(host("shop").is_address);
  EXPECT_TRUE(host("10.0.0.1:80").is_address);
  EXPECT_EQ(host("[::1]:80").name, "::1");
  EXPECT_TRUE(host("[::1]").is_address);
}

}  // namespace
}  // namespace mysos
