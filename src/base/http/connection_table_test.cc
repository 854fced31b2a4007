// SPDX-License-Identifier: Apache-2.0
#include "base/http/connection_table.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>

namespace mysos {
namespace {

// Connections with names; those that were closed are listed.
struct Connections {
  explicit Connections(std::size_t max, std::size_t held = 1000) : table(max, held) {}
  HttpConnectionTable table;
  std::map<std::string, std::unique_ptr<HttpConnectionTable::Place>> places;
  std::string closed;

  HttpConnectionTable::Place& add(const std::string& name, const std::string& peer = "") {
    auto place = std::make_unique<HttpConnectionTable::Place>(table, peer.empty() ? name : peer,
                                                              [this, name] { closed += name + " "; });
    return *(places[name] = std::move(place));
  }
  void served(const std::string& name) {
    places.at(name)->begin_request();
    places.at(name)->end_request();
  }
};

TEST(ConnectionTable, MakesRoomByTheOneThatWaitsLongest) {
  Connections c(3);
  for (const char* name : {"a", "b", "d"}) c.add(name);
  c.served("a");  // b waits longest now

  EXPECT_TRUE(c.add("e").admitted());
  EXPECT_TRUE(c.add("f").admitted());

  EXPECT_EQ(c.closed, "b d ");
  EXPECT_EQ(c.table.size(), 3u);
  EXPECT_EQ(c.table.closed(), 2u);
  c.places.erase("b");  // what was closed ends later
  EXPECT_EQ(c.table.size(), 3u);
}

TEST(ConnectionTable, KeepsKnownCallersAsLongAsThereAreOthers) {
  Connections c(4);
  c.add("known").trust();
  c.add("stream").begin_request();
  c.add("busy").begin_request();
  c.add("idle");

  c.add("1").begin_request();
  EXPECT_EQ(c.closed, "idle ");
  c.add("2").begin_request();
  EXPECT_EQ(c.closed, "idle 1 ");  // the newest busy one: what is asked for now is answered, what goes on goes on
  c.places.at("stream")->trust();
  c.places.at("busy")->trust();
  c.places.at("2")->trust();
  EXPECT_TRUE(c.add("3").admitted());
  EXPECT_EQ(c.closed, "idle 1 known ");
  c.places.at("3")->begin_request();
  c.places.at("3")->trust();
  EXPECT_FALSE(c.add("4").admitted());
  EXPECT_FALSE(c.add("5").admitted());
  EXPECT_EQ(c.closed, "idle 1 known 4 ");  // one that is turned away takes no place from the next
}

TEST(ConnectionTable, OnePeerTakesAQuarter) {
  Connections c(16);
  for (int i = 0; i < 8; ++i) c.add("idle" + std::to_string(i));
  for (int i = 0; i < 100; ++i) c.add("x" + std::to_string(i), "crowd").begin_request();

  EXPECT_EQ(c.table.size(), 12u);
  EXPECT_EQ(c.closed.find("idle"), std::string::npos);
  for (int i = 0; i < 8; ++i) {
    c.places.at("x" + std::to_string(i))->trust();
    EXPECT_TRUE(c.add("y" + std::to_string(i), "crowd").admitted());
  }
}

TEST(ConnectionTable, BoundsWhatIsHeldOfUnfinishedRequests) {
  Connections c(10, 100);
  c.add("a").hold(40);
  c.add("b").hold(40);
  c.add("idle");
  c.places.at("b")->hold(60);
  EXPECT_EQ(c.closed, "");
  c.places.at("b")->begin_request();  // it is whole: the handler's affair
  c.add("d").hold(60);
  EXPECT_EQ(c.closed, "");
  c.places.at("d")->hold(70);
  EXPECT_EQ(c.closed, "a ");
  c.add("e").hold(101);
  EXPECT_EQ(c.closed, "a d e ");
}

TEST(ConnectionTable, ClosesOneForADescriptor) {
  Connections c(10);
  c.add("known").trust();
  c.add("idle");
  EXPECT_TRUE(c.table.close_one());
  EXPECT_FALSE(c.table.close_one());
  EXPECT_EQ(c.closed, "idle ");
}

}  // namespace
}  // namespace mysos
