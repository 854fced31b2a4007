// SPDX-License-Identifier: Apache-2.0
// What bad input gets: the field, the limit, nothing made.
#include "core/provisioning/admission.h"

#include <gtest/gtest.h>

#include <functional>

namespace mysos {
namespace {

const std::vector<VersionInfo> kVersions = {{"mariadb-10.11", Flavour::kMariadb, mib(256)},
                                            {"mysql-9.7", Flavour::kMysql, mib(512)}};

AgentSpace agent(const std::string& name, std::int64_t cpus, std::int64_t mem_mib, std::int64_t disk_mib) {
  const Needs all{cpus * 1000, mem_mib * 1000, disk_mib * 1000};
  return {AgentId(name), "host-" + name, all, 10, all};
}

ClusterSpec good() {
  ClusterSpec spec;
  spec.name = "shop";
  return spec;
}

struct Refusal {
  std::string why;
  std::function<void(ClusterSpec&)> change;
  Errc code;
  std::string field;
  std::string says;
};
void PrintTo(const Refusal& r, std::ostream* out) { *out << r.why; }

class Admission : public testing::TestWithParam<Refusal> {};

TEST_P(Admission, Refuses) {
  ClusterSpec spec = good();
  GetParam().change(spec);
  SchedulerState state;
  Cluster taken;
  taken.id = ClusterId("aaaaaaaa");
  taken.spec.name = "taken";
  state.clusters[taken.id] = taken;
  taken.id = ClusterId("bbbbbbbb");
  taken.spec.name = "going";
  taken.deleting = true;
  state.clusters[taken.id] = taken;

  const auto result = admit(spec, state, kVersions, {agent("1", 4, 4096, 20480), agent("2", 8, 2048, 20480)});

  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, GetParam().code);
  EXPECT_EQ(result.error().field, GetParam().field);
  EXPECT_NE(result.error().message.find(GetParam().says), std::string::npos) << result.error().message;
}

const auto kName = [](std::string name) { return [name](ClusterSpec& s) { s.name = name; }; };
const auto kUser = [](std::string user) { return [user](ClusterSpec& s) { s.user = user; }; };

INSTANTIATE_TEST_SUITE_P(
    BadInput, Admission,
    testing::Values(
        Refusal{"no name", kName(""), Errc::kInvalid, "name", "DNS label"},
        Refusal{"capitals", kName("Shop"), Errc::kInvalid, "name", "DNS label"},
        Refusal{"digit first", kName("1shop"), Errc::kInvalid, "name", "beginning with a letter"},
        Refusal{"hyphen last", kName("shop-"), Errc::kInvalid, "name", "not ending"},
        Refusal{"too long", kName(std::string(64, 'a')), Errc::kInvalid, "name", "63"},
        Refusal{"a dot", kName("a.b"), Errc::kInvalid, "name", "DNS label"},
        Refusal{"taken", kName("taken"), Errc::kConflict, "name", "exists already"},
        Refusal{"being deleted", kName("going"), Errc::kConflict, "name", "still being deleted"},
        Refusal{"no members", [](auto& s) { s.members = 0; }, Errc::kInvalid, "members", "1 to 9, not 0"},
        Refusal{"ten members", [](auto& s) { s.members = 10; }, Errc::kInvalid, "members", "1 to 9, not 10"},
        Refusal{"unknown version", [](auto& s) { s.version = "mariadb-10.1"; }, Errc::kInvalid, "version",
                "did you mean 'mariadb-10.11'?"},
        Refusal{"no such version", [](auto& s) { s.version = "oracle"; }, Errc::kInvalid, "version",
                "known: mariadb-10.11, mysql-9.7"},
        Refusal{"little memory", [](auto& s) { s.mem = mib(64); }, Errc::kInvalid, "mem", "at least 256MB for mariadb"},
        Refusal{"little memory for that version", [](auto& s) { s.mem = mib(300), s.version = "mysql-9.7"; },
                Errc::kInvalid, "mem", "at least 512MB"},
        Refusal{"little cpu", [](auto& s) { s.cpus_milli = 10; }, Errc::kInvalid, "cpus", "0.1"},
        Refusal{"absurd cpu", [](auto& s) { s.cpus_milli = std::int64_t{1} << 60; }, Errc::kInvalid, "cpus", "1024"},
        Refusal{"little disk", [](auto& s) { s.disk = mib(10); }, Errc::kInvalid, "disk", "at least 1GB"},
        Refusal{"absurd disk", [](auto& s) { s.disk = Bytes{~std::uint64_t{0}}; }, Errc::kInvalid, "disk", "at most"},
        Refusal{"more cpu than any agent", [](auto& s) { s.cpus_milli = 9000; }, Errc::kInvalid, "cpus",
                "the largest, host-2, has 8"},
        Refusal{"more memory than any agent", [](auto& s) { s.mem = gib(5); }, Errc::kInvalid, "mem",
                "the largest, host-1, has 4GB"},
        Refusal{"more disk than any agent", [](auto& s) { s.disk = gib(21); }, Errc::kInvalid, "disk", "has 20GB"},
        Refusal{"more than one agent has at once", [](auto& s) { s.mem = gib(4), s.cpus_milli = 8000; }, Errc::kInvalid,
                "mem", "at once"},
        Refusal{"root", kUser("root"), Errc::kInvalid, "user", "reserved"},
        Refusal{"Root", kUser("Root"), Errc::kInvalid, "user", "reserved"},
        Refusal{"system user", kUser("mysql.sys"), Errc::kInvalid, "user", "letters"},
        Refusal{"mysql", kUser("mysql_x"), Errc::kInvalid, "user", "reserved"},
        Refusal{"ours", kUser("mysos_admin"), Errc::kInvalid, "user", "reserved"},
        Refusal{"a quote", kUser("a'b"), Errc::kInvalid, "user", "letters"},
        Refusal{"long user", kUser(std::string(33, 'u')), Errc::kInvalid, "user", "32"}));

TEST(AdmissionOfGoodInput, FillsInDefaultsAndRoundsUp) {
  ClusterSpec spec = good();
  spec.mem = Bytes{mib(512).value + 1};
  const auto result = admit(spec, {}, kVersions, {});
  ASSERT_TRUE(result);
  EXPECT_EQ(result->version, "mariadb-10.11");
  EXPECT_EQ(result->flavour, Flavour::kMariadb);
  EXPECT_EQ(result->user, "app");
  EXPECT_EQ(result->mem, mib(513));
}

TEST(AdmissionOfGoodInput, DoesNotJudgeSizesBeforeAnyAgentWasSeen) {
  ClusterSpec spec = good();
  spec.mem = gib(100);
  EXPECT_TRUE(admit(spec, {}, kVersions, {}));
}

TEST(AdmissionOfGoodInput, AsksForAVersionWhereThereIsNone) {
  EXPECT_EQ(admit(good(), {}, {}, {}).error().code, Errc::kUnavailable);
}

TEST(AddMembers, NoIndexIsUsedTwice) {
  Cluster cluster;
  cluster.id = ClusterId("abc");
  add_members(cluster, 3);
  ASSERT_EQ(cluster.members.size(), 3U);
  EXPECT_EQ(cluster.members[2].id, MemberId("abc-2"));
  cluster.members.pop_back();
  add_members(cluster, 1);
  EXPECT_EQ(cluster.members.back().id, MemberId("abc-3"));
  EXPECT_EQ(cluster.members.back().index, 3U);
  EXPECT_EQ(cluster.next_index, 4U);
}

}  // namespace
}  // namespace mysos
