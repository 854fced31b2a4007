// SPDX-License-Identifier: Apache-2.0
#include "discovery/port_table.h"

#include <gtest/gtest.h>

namespace mysos::discovery {
namespace {

bool all_free(std::uint16_t) { return true; }

TEST(PortTable, GivesAClusterTheSamePortsForEver) {
  PortTable table({100, 199});
  const auto first = table.take("a", all_free);
  const auto second = table.take("b", all_free);
  ASSERT_TRUE(first && second);
  EXPECT_EQ(*first, (PortPair{100, 101}));
  EXPECT_EQ(*second, (PortPair{102, 103}));

  PortTable again({100, 199}, table.entries());
  EXPECT_EQ(again.take("b", all_free).value(), *second);
}

TEST(PortTable, PassesOverAPortThatSomethingElseListensAt) {
  PortTable table({100, 199});
  EXPECT_EQ(table.take("a", [](std::uint16_t port) { return port != 101; }).value(),
            (PortPair{102, 103}));
}

TEST(PortTable, KeepsThePortsOfAGoneClusterForItsName) {
  PortTable table({100, 199});
  const auto first = table.take("a", all_free).value();
  table.give_back("a");
  EXPECT_NE(table.take("b", all_free).value(), first);
  EXPECT_EQ(table.take("a", all_free).value(), first);
}

TEST(PortTable, GivesAwayWhatHasBeenFreeForLongest) {
  PortTable table({100, 105});
  for (const char* name : {"a", "b", "c"}) ASSERT_TRUE(table.take(name, all_free));
  EXPECT_EQ(table.take("d", all_free).error().code, Errc::kConflict);
  table.give_back("b");
  table.give_back("a");
  EXPECT_EQ(table.take("d", all_free).value(), (PortPair{102, 103}));
  EXPECT_EQ(table.take("e", all_free).value(), (PortPair{100, 101}));
}

TEST(PortTable, ForgetsWhatIsOutsideTheRange) {
  PortTable table({200, 299}, {{"a", {100, 101}, true}});
  EXPECT_EQ(table.take("a", all_free).value(), (PortPair{200, 201}));
}

TEST(PortRange, SaysWhatIsWrong) {
  EXPECT_EQ(parse_port_range("13306-14305").value(), PortRange{});
  for (const char* wrong : {"", "5", "5-", "-5", "9-8", "7-7", "0-5", "1-70000", "1-5x", "a-b"}) {
    EXPECT_EQ(parse_port_range(wrong).error().field, "ports") << wrong;
  }
}

}  // namespace
}  // namespace mysos::discovery
