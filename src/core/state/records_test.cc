// SPDX-License-Identifier: Apache-2.0
// The records of the state: apart by kind, each with a version, and none of them ever read as a default.
#include "core/state/records.h"

#include <algorithm>
#include <numeric>

#include "core/scenario/scheduler_scenario.h"

namespace mysos::scenario {
namespace {

// With every kind of record, and with a value in every field that may have none.
RecordTexts full_records() {
  Scenario s = a_healthy_cluster();
  Cluster cluster = s.cluster("shop");
  cluster.doubt = RecordDoubt{"the state was put back", 7};
  cluster.switchover_to = cluster.members[1].id;
  cluster.failover = FailoverRequest{cluster.members[2].id, true};
  cluster.epoch.rebuilding = cluster.members[1].id;
  cluster.epoch.floor = *GtidSet::parse("0-1-17");
  cluster.members[1].promotion = Promotion::kPrefer;
  for (const Record& r : cluster_records(nullptr, &cluster)) s.records[r.kind][r.key] = *r.json;
  const OrphanWord word{OrphanFate::kDestroy, AgentId("a1")};
  s.records["orphan"]["r1"] = *orphan_record("r1", &word).json;
  return s.records;
}

std::size_t bytes_of(const std::vector<Record>& records) {
  return std::accumulate(records.begin(), records.end(), std::size_t{0},
                         [](std::size_t sum, const Record& r) { return sum + (r.json ? r.json->size() : 0); });
}

// Calls f with the document less one field, for each field at any depth.
void without_each_field(json::value& document, json::value& at, const std::string& path,
                        const std::function<void(const std::string&)>& f) {
  if (auto* list = at.if_array()) {
    for (json::value& e : *list) without_each_field(document, e, path, f);
  }
  auto* object = at.if_object();
  if (object == nullptr) return;
  std::vector<std::string> keys;
  for (const auto& entry : *object) keys.emplace_back(entry.key());
  for (const std::string& key : keys) {
    const json::value was = object->at(key);
    object->erase(key);
    f(path + "." + key);
    (*object)[key] = was;
    without_each_field(document, object->at(key), path + "." + key, f);
  }
}

TEST(Records, EachPartOfAClusterIsARecordWithAVersion) {
  const RecordTexts records = full_records();
  std::map<std::string, std::size_t> counts;
  for (const auto& [kind, of_kind] : records) {
    counts[kind] = of_kind.size();
    const int version = kind == "spec" || kind == "member" ? 2 : 1;
    for (const auto& [key, text] : of_kind) {
      EXPECT_EQ(parse_json(text)->at("v").to_number<int>(), version) << kind << "/" << key;
    }
  }
  EXPECT_EQ(counts, (std::map<std::string, std::size_t>{
                        {"framework", 1}, {"spec", 1}, {"epoch", 1}, {"secrets", 1}, {"member", 3}, {"orphan", 1}}));
  const auto state = SchedulerState::recover(records);
  ASSERT_TRUE(state) << state.error().message;
  const Cluster& shop = *state->find_by_name("shop");
  RecordTexts again;
  for (const Record& r : cluster_records(nullptr, &shop)) again[r.kind][r.key] = *r.json;
  for (const char* kind : {"spec", "epoch", "secrets", "member"}) EXPECT_EQ(again[kind], records.at(kind));
  EXPECT_EQ(shop.failover->to, shop.members[2].id);
  EXPECT_EQ(state->orphans.at("r1").fate, OrphanFate::kDestroy);
}

TEST(Records, OnlyWhatAStepChangedIsWritten) {
  const Scenario s = a_healthy_cluster(9);
  const Cluster before = s.cluster("shop");
  EXPECT_TRUE(cluster_records(&before, &before).empty());
  const std::size_t whole = bytes_of(cluster_records(nullptr, &before));

  Cluster after = before;
  after.members[4].volume_name = "another";
  auto written = cluster_records(&before, &after);
  ASSERT_EQ(written.size(), 1U);
  EXPECT_EQ(written[0].kind, "member");
  EXPECT_EQ(written[0].key, after.members[4].id.value);
  EXPECT_LT(bytes_of(written) * 8, whole);

  after = before;
  ++after.epoch.pair.config;
  written = cluster_records(&before, &after);
  ASSERT_EQ(written.size(), 1U);
  EXPECT_EQ(written[0].kind, "epoch");
  EXPECT_LT(bytes_of(written) * 8, whole);
}

// What a member that ends costs the store, of a cluster of nine.
TEST(Records, AnUpdateAboutOneMemberWritesOneRecord) {
  Scenario s = a_healthy_cluster(9);
  const Member& member = s.member("shop", 5);
  mesos::Update update;
  update.task = member.task;
  update.agent = member.place().agent;
  update.state = mesos::TaskState::kFailed;
  s.core->step(scheduler_input::FromMesos{update}, s.now);
  const auto written = s.core->take_output().records;
  ASSERT_EQ(std::ranges::count(written, "member", &Record::kind), 1);
  EXPECT_EQ(std::ranges::count(written, "spec", &Record::kind) + std::ranges::count(written, "secrets", &Record::kind), 0);
  EXPECT_LE(written.size(), 2U) << "the member, and the epoch where it was an acker";
  EXPECT_LT(bytes_of(written), 1200U);
}

TEST(Records, NothingIsWrittenForAStepThatChangesNothing) {
  Scenario s = a_healthy_cluster();
  const MemberId member = s.member("shop", 1).id;
  s.core->step(Command{RequestId("r"), {}, "shop", command::Promote{member, Promotion::kNeutral}}, s.now);
  EXPECT_TRUE(s.core->take_output().records.empty());
}

TEST(Records, EveryFieldMustBeThere) {
  const RecordTexts records = full_records();
  int fields = 0;
  for (const auto& [kind, of_kind] : records) {
    for (const auto& [key, text] : of_kind) {
      json::value document = *parse_json(text);
      without_each_field(document, document, kind, [&](const std::string& path) {
        ++fields;
        RecordTexts damaged = records;
        damaged[kind][key] = json::serialize(document);
        const auto state = SchedulerState::recover(damaged);
        ASSERT_FALSE(state) << path << " is read as a default";
        EXPECT_EQ(state.error().code, Errc::kInvalid);
        EXPECT_NE(state.error().message.find(kind + "/" + key + " is damaged"), std::string::npos) << state.error().message;
      });
    }
  }
  EXPECT_GT(fields, 80);
}

TEST(Records, ADamagedTextIsAnError) {
  const RecordTexts records = full_records();
  for (const auto& [kind, of_kind] : records) {
    for (const auto& [key, text] : of_kind) {
      for (const std::string& broken : {std::string(), text.substr(0, text.size() / 2), std::string("[]"), std::string("null"),
                                        "{\"v\":0," + text.substr(text.find(',') + 1)}) {
        RecordTexts damaged = records;
        damaged[kind][key] = broken;
        EXPECT_FALSE(SchedulerState::recover(damaged)) << kind << ": " << broken;
      }
    }
  }
}

TEST(Records, AMissingRecordIsAnError) {
  const RecordTexts records = full_records();
  for (const char* kind : {"spec", "epoch", "secrets", "member"}) {
    for (const auto& [key, text] : records.at(kind)) {
      RecordTexts damaged = records;
      damaged[kind].erase(key);
      const auto state = SchedulerState::recover(damaged);
      ASSERT_FALSE(state) << kind << "/" << key;
      EXPECT_NE(state.error().message.find("missing"), std::string::npos) << state.error().message;
    }
  }
}

TEST(Records, MembersThatDoNotFitTheirClusterAreAnError) {
  const Scenario s = a_healthy_cluster();
  const auto refused = [&](const std::string& why, const auto& change) {
    Cluster cluster = s.cluster("shop");
    change(cluster);
    RecordTexts records;
    for (const Record& r : cluster_records(nullptr, &cluster)) records[r.kind][r.key] = *r.json;
    const auto state = SchedulerState::recover(records);
    ASSERT_FALSE(state) << why;
    EXPECT_NE(state.error().message.find(why), std::string::npos) << state.error().message;
  };
  refused("one too many", [](Cluster& c) { c.spec.members = 2; });
  refused("one is missing", [](Cluster& c) { c.members[1].leaves = true; });
  refused("which another one has or would get", [](Cluster& c) { c.next_index = 2; });
  refused("which another one has or would get", [](Cluster& c) { c.members[1].index = 2; });
  refused("does not fit the stage", [](Cluster& c) { c.members[1].granted.reset(); });
  refused("does not fit the stage", [](Cluster& c) { c.members[1].stage = MemberStage::kWanted; });
}

TEST(Records, OneThatLeavesIsNotCountedAndItsIndexIsNotMissed) {
  Cluster cluster = a_healthy_cluster().cluster("shop");
  cluster.spec.members = 2;
  cluster.members[1].leaves = true;
  for (const bool gone : {false, true}) {
    if (gone) cluster.members.erase(cluster.members.begin() + 1);
    RecordTexts records;
    for (const Record& r : cluster_records(nullptr, &cluster)) records[r.kind][r.key] = *r.json;
    const auto state = SchedulerState::recover(records);
    ASSERT_TRUE(state) << state.error().message;
    EXPECT_TRUE(*state->find_by_name("shop") == cluster);
  }
}

TEST(Records, ARecordUnderAnotherKeyIsAnError) {
  RecordTexts records = full_records();
  auto& members = records["member"];
  auto moved = members.extract(members.begin());
  moved.key() = "somebody-else";
  members.insert(std::move(moved));
  EXPECT_FALSE(SchedulerState::recover(records));
}

TEST(Records, ANewerVersionIsRefusedAsSuch) {
  for (const auto& [kind, of_kind] : full_records()) {
    RecordTexts records = full_records();
    records[kind][of_kind.begin()->first] = R"({"v":3,"what":"nobody knows"})";
    const auto state = SchedulerState::recover(records);
    ASSERT_FALSE(state) << kind;
    EXPECT_EQ(state.error().code, Errc::kConflict);
    EXPECT_NE(state.error().message.find("newer Mysos"), std::string::npos) << state.error().message;
  }
}

TEST(Records, AnUnknownKindIsRefused) {
  for (const char* kind : {"plan", "token", "cluster"}) {
    RecordTexts records = full_records();
    records[kind]["abc"] = R"({"v":1})";
    const auto state = SchedulerState::recover(records);
    ASSERT_FALSE(state) << kind;
    EXPECT_EQ(state.error().code, Errc::kConflict);
    EXPECT_NE(state.error().message.find(std::string(kind) + "/abc"), std::string::npos) << state.error().message;
  }
  RecordTexts records = full_records();
  records["framework"]["id"] = "\"fw-1\"";
  EXPECT_FALSE(SchedulerState::recover(records)) << "a key that only 0.1 wrote";
}

// ---- what was written before `leaves` and `granted` ----

// "spec" and "member" of version 1, in which a member is down and another has no place.
RecordTexts records_of_1(bool deleting) {
  const std::string gone = deleting ? "true" : "false";
  return {{"spec", {{"abc", R"({"v":1,"spec":{"name":"shop","members":2,"cpus_milli":500,"mem":402653184,"disk":1073741824,
             "version":"mariadb-10.11","flavour":"mariadb","user":"app","any_engine":true},"created":100,"deleting":)" +
                          gone + "}"}}},
          {"secrets", {{"abc", R"({"v":1,"sealed":"sealed","token_hash":"hash","credentials":0,"credentials_applied":0})"}}},
          {"epoch", {{"abc", R"({"v":1,"epoch":{"pair":{"epoch":4,"config":2},"electing":false,"mode":"solo","primary":"abc-0",
             "ackers":[],"d":1,"raising_to":0,"leaving":[],"joining":[],"shut_out":[],"rebuilding":null,"floor":"0-1-17",
             "names_from":{"epoch":0,"config":0}},"next_server_id":12,"doubt":null,"switchover_to":null,"failover":null})"}}},
          {"member",
           {{"abc-0", R"({"v":1,"cluster":"abc","member":{"id":"abc-0","index":0,"stage":"down","agent":"a1","hostname":"h1",
             "ip":"10.0.0.1","port":3306,"api_port":3307,"admin_port":3308,"resource_id":"abc-0-1-xyz","volume":"v1",
             "task":"shop.abc.0.2","launches":2,"holds_data":true,"released_volume":false,"volume_name":"n","volume_lost":false,
             "promotion":"prefer","server_id":11}})"},
            {"abc-1", R"({"v":1,"cluster":"abc","member":{"id":"abc-1","index":1,"stage":"wanted","agent":"","hostname":"",
             "ip":"","port":0,"api_port":0,"admin_port":0,"resource_id":"","volume":"","task":"","launches":0,
             "holds_data":false,"released_volume":false,"volume_name":"","volume_lost":false,"promotion":"neutral",
             "server_id":0}})"}}}};
}

TEST(RecordsOf1, AreMigrated) {
  const auto stored = read_state(records_of_1(false));
  ASSERT_TRUE(stored) << stored.error().message;
  const Cluster& shop = *stored->state.find_by_name("shop");
  EXPECT_EQ(shop.next_index, 2U);
  const Member& down = shop.members.at(0);
  ASSERT_TRUE(down.granted);
  EXPECT_EQ(down.place().agent, AgentId("a1"));
  EXPECT_EQ(down.place().hostname, "h1");
  EXPECT_EQ(down.place().ip, "10.0.0.1");
  EXPECT_EQ(down.place().port, 3306);
  EXPECT_EQ(down.place().api_port, 3307);
  EXPECT_EQ(down.place().admin_port, 3308);
  EXPECT_EQ(down.place().resource_id, "abc-0-1-xyz");
  EXPECT_EQ(down.place().volume, VolumeId("v1"));
  EXPECT_EQ(down.granted->size, (MemberSize{500, Bytes{402653184}, gib(1)}));
  EXPECT_EQ(down.granted->version, "mariadb-10.11");
  EXPECT_TRUE(down.granted->any_engine);
  EXPECT_EQ(down.stage, MemberStage::kDown);
  EXPECT_EQ(down.task, TaskId("shop.abc.0.2"));
  EXPECT_EQ(down.launches, 2U);
  EXPECT_TRUE(down.holds_data);
  EXPECT_EQ(down.volume_name, "n");
  EXPECT_EQ(down.promotion, Promotion::kPrefer);
  EXPECT_EQ(down.server_id, 11U);
  EXPECT_FALSE(down.leaves);
  EXPECT_FALSE(shop.members.at(1).granted);

  RecordTexts records = records_of_1(false);
  for (const Record& r : stored->migration) {
    EXPECT_TRUE(r.kind == "spec" || r.kind == "member") << r.kind << " has the form that it had";
    records[r.kind][r.key] = *r.json;
  }
  const auto again = read_state(records);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_TRUE(again->migration.empty()) << "once is enough";
  EXPECT_TRUE(again->state == stored->state);
}

TEST(RecordsOf1, TheMembersOfAClusterThatIsDeletedLeave) {
  RecordTexts records = records_of_1(true);
  records["member"].erase("abc-1");  // it has left already
  const auto stored = read_state(records);
  ASSERT_TRUE(stored) << stored.error().message;
  const Cluster& shop = *stored->state.find_by_name("shop");
  EXPECT_TRUE(shop.members.at(0).leaves);
  EXPECT_EQ(shop.next_index, 2U);
}

TEST(RecordsOf1, ThatAreDamagedAreAnErrorToo) {
  const RecordTexts whole = records_of_1(false);
  int fields = 0;
  for (const char* kind : {"spec", "member"}) {
    for (const auto& [key, text] : whole.at(kind)) {
      json::value document = *parse_json(text);
      without_each_field(document, document, kind, [&](const std::string& path) {
        ++fields;
        RecordTexts records = whole;
        records[kind][key] = json::serialize(document);
        const auto stored = read_state(records);
        ASSERT_FALSE(stored) << path << " is read as a default";
        EXPECT_EQ(stored.error().code, Errc::kInvalid);
      });
    }
  }
  EXPECT_GT(fields, 50);
  RecordTexts records = records_of_1(false);
  records["member"]["abc-1"] = records["member"]["abc-0"];
  EXPECT_FALSE(read_state(records)) << "it is that of another";
  records = records_of_1(false);
  records["member"].erase("abc-1");
  EXPECT_FALSE(read_state(records)) << "a member is missing";
}

// ---- what version 0.1 wrote ----

// Of a time when 0.1 did not have all of its fields yet.
constexpr auto kEarly = R"({"id":"abc","spec":{"name":"shop","members":1,"cpus_milli":500,"mem":402653184,"disk":1073741824,
  "version":"mariadb-10.11","flavour":"mariadb","user":"app"},"members":[{"id":"abc-0","index":0,"stage":"running","agent":"a1",
  "hostname":"h1","ip":"10.0.0.1","port":3306,"api_port":3307,"resource_id":"abc-0-1-xyz","volume":"v1","task":"shop.abc.0.2",
  "launches":2,"holds_data":true,"released_volume":false}],"epoch":{"pair":{"epoch":4,"config":2},"electing":false,
  "mode":"solo","primary":"abc-0","ackers":[],"d":1,"leaving":[],"joining":[],"shut_out":[],"floor":"0-1-17"},"deleting":false,
  "sealed_secrets":"sealed","token_hash":"hash","created":100})";

RecordTexts early_records() {
  return {{"framework", {{"id", "\"fw-2\""}, {"former", "[\"fw-1\"]"}}},
          {"cluster", {{"abc", kEarly}}},
          {"orphan", {{"r1", R"({"fate":"destroying","agent":"a1"})"}}}};
}

TEST(RecordsOf01, AreMigrated) {
  const auto stored = read_state(early_records());
  ASSERT_TRUE(stored) << stored.error().message;
  const SchedulerState& state = stored->state;
  EXPECT_EQ(state.framework, FrameworkId("fw-2"));
  EXPECT_EQ(state.former, std::set{FrameworkId("fw-1")});
  EXPECT_EQ(state.orphans.at("r1").fate, OrphanFate::kDestroy);
  const Cluster& shop = *state.find_by_name("shop");
  EXPECT_EQ(shop.epoch.pair, (Pair{4, 2}));
  EXPECT_EQ(shop.epoch.primary, MemberId("abc-0"));
  EXPECT_EQ(shop.epoch.mode, EpochMode::kSolo);
  EXPECT_EQ(shop.members.at(0).task, TaskId("shop.abc.0.2"));
  EXPECT_TRUE(shop.members.at(0).holds_data);
  EXPECT_EQ(shop.members.at(0).promotion, Promotion::kNeutral);
  EXPECT_FALSE(shop.members.at(0).leaves);
  EXPECT_EQ(shop.members.at(0).place().resource_id, "abc-0-1-xyz");
  EXPECT_EQ(shop.members.at(0).granted->size, shop.spec.size());
  EXPECT_EQ(shop.members.at(0).granted->version, "mariadb-10.11");
  EXPECT_EQ(shop.next_index, 1U);
  EXPECT_EQ(shop.sealed_secrets, "sealed");
  EXPECT_EQ(shop.members.at(0).server_id, kFirstServerId) << "for its next data";
  EXPECT_EQ(shop.next_server_id, kFirstServerId + 1);

  RecordTexts records = early_records();
  for (const Record& r : stored->migration) {
    if (r.json) {
      records[r.kind][r.key] = *r.json;
    } else {
      records[r.kind].erase(r.key);
    }
  }
  const auto again = read_state(records);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_TRUE(again->migration.empty()) << "once is enough";
  EXPECT_TRUE(again->state == state);
}

TEST(RecordsOf01, ThatAreDamagedAreAnErrorToo) {
  json::value document = *parse_json(kEarly);
  const std::set<std::string> optional = {"cluster.epoch.primary"};  // 0.1 left out what has no value
  int fields = 0;
  without_each_field(document, document, "cluster", [&](const std::string& path) {
    if (optional.contains(path)) return;
    ++fields;
    RecordTexts records = early_records();
    records["cluster"]["abc"] = json::serialize(document);
    const auto stored = read_state(records);
    ASSERT_FALSE(stored) << path << " is read as a default";
    EXPECT_TRUE(stored.error().message.contains("cluster/abc of version 0.1 is damaged")) << stored.error().message;
  });
  EXPECT_GT(fields, 40);
  RecordTexts records = early_records();
  records["cluster"]["other"] = kEarly;
  EXPECT_FALSE(read_state(records)) << "it is that of another";
}

TEST(RecordsOf01, AreNotTakenForThoseOfToday) {
  EXPECT_FALSE(SchedulerState::recover(early_records()));
  RecordTexts records = full_records();
  records["orphan"]["r1"] = R"({"fate":"destroying","agent":"a1"})";
  EXPECT_FALSE(read_state(records)) << "a record of today that lost its version";
}

}  // namespace
}  // namespace mysos::scenario
