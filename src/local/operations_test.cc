// SPDX-License-Identifier: Apache-2.0
#include "local/operations.h"

#include <gtest/gtest.h>

namespace mysos::local {
namespace {

const Reservation kOurs{"mysos", "mysos", {}};

Resource reserved_disk(std::int64_t mib) {
  Resource r = scalar("disk", mib * 1000);
  r.reservations = {kOurs};
  return r;
}
Resource volume(const std::string& id, std::int64_t mib) {
  Resource r = reserved_disk(mib);
  r.volume = Volume{VolumeId(id), "mysos", "data"};
  return r;
}
std::string why_not(const mesos::Operation& operation, const Resources& total) {
  const Resources pool = total.allocated_to("mysos");
  const OperationContext context{pool, total, "mysos", "mysos",
                                 "S0 at slave(1)@127.0.0.1:5051 (127.0.0.1)"};
  return refusal(allocated(operation, "mysos"), context).value_or("");
}

TEST(Operations, GoThereAndBack) {
  const Resources total{scalar("disk", 20'000'000)};
  const mesos::Operation steps[] = {{mesos::Reserve{Resources{reserved_disk(1024)}}, {}},
                                    {mesos::Create{Resources{volume("v", 1024)}}, {}},
                                    {mesos::Destroy{Resources{volume("v", 1024)}}, {}},
                                    {mesos::Unreserve{Resources{reserved_disk(1024)}}, {}}};
  Resources now = total;
  for (const auto& step : steps) {
    EXPECT_EQ(why_not(step, now), "");
    now = converted(now, step);
  }
  EXPECT_EQ(now, total);
}

TEST(Operations, AreRefusedInTheWordsOfMesos) {
  const Resources total{scalar("cpus", 4000), volume("vol-1", 1024), reserved_disk(1024)};
  const std::string tail = "; on agent S0 at slave(1)@127.0.0.1:5051 (127.0.0.1)";

  EXPECT_EQ(why_not({mesos::Create{Resources{volume("vol-1", 1024)}}, {}}, total),
            "Persistence ID 'vol-1' is not unique" + tail);
  Resource unreserved = volume("v", 10);
  unreserved.reservations.clear();
  EXPECT_EQ(why_not({mesos::Create{Resources{unreserved}}, {}}, total),
            "Invalid resources: Invalid DiskInfo: Persistent volumes cannot be created from "
            "unreserved resources" +
                tail);
  EXPECT_EQ(
      why_not({mesos::Reserve{Resources{scalar("cpus", 500)}.reserved_as({"mysos", "", {}})}, {}},
              total),
      "A reserve operation was attempted by principal 'mysos', but there is a reserved resource in "
      "the request with "
      "no principal set" +
          tail);
  EXPECT_EQ(
      why_not(
          {mesos::Reserve{Resources{scalar("cpus", 500)}.reserved_as({"other", "mysos", {}})}, {}},
          total),
      "A reserve operation was attempted for a resource with role 'other', but the resource was "
      "allocated to role "
      "'mysos'" +
          tail);
  EXPECT_EQ(why_not({mesos::Unreserve{Resources{volume("vol-1", 1024)}}, {}}, total),
            "A dynamically reserved persistent volume disk(allocated: mysos)(reservations: "
            "[(DYNAMIC,mysos,mysos)])"
            "[vol-1:data]:1024 cannot be unreserved directly. Please destroy the persistent volume "
            "first then unreserve "
            "the resource" +
                tail);
  EXPECT_TRUE(
      why_not({mesos::Reserve{Resources{scalar("cpus", 100'000)}.reserved_as(kOurs)}, {}}, total)
          .ends_with("does not contain cpus(allocated: mysos):100"));
}

TEST(Operations, NeverPutAVolumeOutsideTheSandbox) {
  for (const char* path : {"", "/etc", "../x", "a/../../x"}) {
    Resource v = volume("v", 1024);
    v.volume->container_path = path;
    EXPECT_NE(why_not({mesos::Create{Resources{v}}, {}}, Resources{reserved_disk(1024)}), "")
        << path;
  }
}

}  // namespace
}  // namespace mysos::local
