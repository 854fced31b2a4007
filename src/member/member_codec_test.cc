// SPDX-License-Identifier: Apache-2.0
#include "member/member_codec.h"

#include <gtest/gtest.h>

namespace mysos {
namespace {

GtidSet gtids(std::string_view text) { return GtidSet::parse(text).value(); }

MemberReport a_report() {
  MemberReport r;
  r.member = MemberId("abcdefgh-1");
  r.task = TaskId("abcdefgh-1.3");
  r.seq = 17;
  r.executor = "e1";
  r.promised = {4, 2};
  r.role = MemberRole::kReplica;
  r.server = ServerState::kRunning;
  r.incarnation = "i1";
  r.executed = gtids("0-257-12");
  r.received = gtids("0-257-14");
  r.source = MemberId("abcdefgh-0");
  r.acking = true;
  r.lag_ms = 3;
  r.port = 31001;
  return r;
}

TEST(MemberCodec, EveryOrderComesBackAsItWasSent) {
  const std::vector<Order> orders = {
      order::Fence{{5, 0}},
      order::Fence{{5, 0}, *GtidSet::parse("0-1-5"), "10.0.0.2", 3306},
      order::Promote{
          {5, 1}, 1, gtids("0-257-12"), {MemberId("m-1"), MemberId("m-2")}, {MemberId("m-2")}},
      order::Follow{{5, 2},
                    MemberId("m-0"),
                    "10.0.0.1",
                    3306,
                    true,
                    gtids("3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5")},
      order::Certify{{5, 3}, "i7", gtids("0-257-12")},
      order::Rebuild{{5, 4}},
  };

  for (const Order& sent : orders) {
    const auto got = decode_order(order_name(sent), json::serialize(encode_order(sent)));
    ASSERT_TRUE(got) << got.error().message;
    EXPECT_EQ(got->order, sent);
  }
}

TEST(MemberCodec, SetupCarriesTheSecretsUnread) {
  const json::object secrets{{"anything", {{"at", "all"}}}};

  const auto got = decode_order("setup", json::serialize(encode_order(order::Setup{}, &secrets)));

  ASSERT_TRUE(got);
  EXPECT_EQ(got->secrets, secrets);
  EXPECT_EQ(decode_order("setup", "{}").error().field, "secrets");
}

TEST(MemberCodec, ABadOrderIsRefusedWithTheField) {
  EXPECT_EQ(decode_order("fence", "{").error().code, Errc::kInvalid);
  EXPECT_EQ(decode_order("fence", "{}").error().field, "pair");
  EXPECT_EQ(decode_order("fence", R"({"pair":{"epoch":-1}})").error().field, "pair.epoch");
  EXPECT_EQ(
      decode_order("follow",
                   R"({"pair":{"epoch":1,"config":1},"source":"m","host":"h","port":70000,"acking":true})")
          .error()
          .field,
      "port");
  EXPECT_EQ(decode_order("explode", "{}").error().code, Errc::kNotFound);
}

TEST(MemberCodec, ATooLowPairIsAnsweredWithThePromisedOne) {
  const HttpResponse response = order_problem({Errc::kFenced, "below", {}}, {7, 3});

  EXPECT_EQ(response.status, 409);
  EXPECT_EQ(json::parse(response.body).at("promised").at("epoch").to_number<int>(), 7);
  EXPECT_EQ(error_from_response(response).code, Errc::kFenced);
  EXPECT_EQ(order_problem({Errc::kInvalid, "no", "pair"}, {}).status, 400);
}

TEST(ReportLines, AreCutTheSameHoweverTheyArrive) {
  const std::string stream = encode_report(a_report()) + "\n" + encode_report(a_report()) + "\n";

  for (const std::size_t chunk : {std::size_t{1}, std::size_t{7}, stream.size()}) {
    ReportLines lines;
    std::size_t seen = 0;
    for (std::size_t i = 0; i < stream.size(); i += chunk) {
      const auto reports = lines.feed(std::string_view(stream).substr(i, chunk));
      ASSERT_TRUE(reports);
      for (const MemberReport& r : *reports) EXPECT_EQ(r, a_report());
      seen += reports->size();
    }
    EXPECT_EQ(seen, 2U);
  }
}

TEST(ReportLines, AnEndlessLineIsRefused) {
  ReportLines lines;
  EXPECT_EQ(lines.feed(std::string(kMaxReportBytes + 1, 'x')).error().code, Errc::kTooLarge);
  EXPECT_EQ(ReportLines{}.feed("nonsense\n").error().code, Errc::kInvalid);
}

}  // namespace
}  // namespace mysos
