// SPDX-License-Identifier: Apache-2.0
#include "model/resources.h"

#include <gtest/gtest.h>

namespace mysos {
namespace {

const Reservation kOurs{"mysos", "mysos", {{"mysos_resource", "r1"}}};

Resource volume(std::int64_t milli, const std::string& id) {
  Resource r = scalar("disk", milli);
  r.reservations = {kOurs};
  r.volume = Volume{VolumeId(id), "mysos", "data"};
  return r;
}

TEST(Resources, MergesWhatIsAlikeOnly) {
  const Resources all{scalar("cpus", 500), scalar("cpus", 250), ports({{5, 6}}), ports({{7, 9}, {1, 2}})};

  EXPECT_EQ(all.list().size(), 2U);
  EXPECT_EQ(all.milli("cpus"), 750);
  EXPECT_EQ(describe(all), "cpus:0.75; ports:[1-2,5-9]");
}

TEST(Resources, ReservedAndFreeAreDifferentThings) {
  const Resources free{scalar("mem", 1000)};
  const Resources reserved = free.reserved_as(kOurs);

  EXPECT_FALSE(reserved.contains(free));
  EXPECT_FALSE(free.contains(reserved));
  EXPECT_EQ(reserved.popped(), free);
}

TEST(Resources, SubtractsExactly) {
  Resources all{scalar("cpus", 1000), ports({{100, 110}})};

  all -= Resources{scalar("cpus", 100), ports({{100, 100}, {105, 106}})};

  EXPECT_EQ(describe(all), "cpus:0.9; ports:[101-104,107-110]");
  EXPECT_FALSE(all.contains(Resources{ports({{104, 105}})}));
}

TEST(Resources, VolumesAreNeverSplitOrMerged) {
  const Resources two{volume(1000, "v1"), volume(1000, "v2")};

  EXPECT_EQ(two.list().size(), 2U);
  EXPECT_TRUE(two.contains(Resources{volume(1000, "v2")}));
  EXPECT_FALSE(two.contains(Resources{volume(500, "v2")}));
}

TEST(Resources, SurviveJson) {
  const Resources all{scalar("cpus", 1250), ports({{1, 2}}), volume(2000, "v")};
  const auto back = from_json<std::vector<Resource>>(to_json_list(all));

  ASSERT_TRUE(back);
  EXPECT_EQ(Resources(*back), all);
}

}  // namespace
}  // namespace mysos
