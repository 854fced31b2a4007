// SPDX-License-Identifier: Apache-2.0
#include "scheduler/state_dir.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "core/state/records.h"
#include "scheduler/cluster_secrets.h"
#include "store/sqlite_record_store.h"

namespace mysos {
namespace {

struct StateDirTest : ::testing::Test {
  std::string dir =
      (std::filesystem::temp_directory_path() / ("mysos-state-" + std::to_string(::getpid())))
          .string();
  void SetUp() override { std::filesystem::remove_all(dir); }
  void TearDown() override { std::filesystem::remove_all(dir); }
};

TEST_F(StateDirTest, MakesATokenAndAKeyThatNobodyElseCanRead) {
  const auto state = StateDir::open(dir);
  ASSERT_TRUE(state) << state.error().message;
  for (const char* file : {"/admin.token", "/secret.key"}) {
    struct stat info{};
    ASSERT_EQ(::stat((dir + file).c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600u) << file;
  }
  EXPECT_EQ(*read_file(dir + "/admin.token"), state->admin_token() + "\n");
}

TEST_F(StateDirTest, ALostKeyIsRefusedWhereItsClustersAreInTheStore) {
  ASSERT_TRUE(StateDir::open(dir));
  const auto put = [&](const std::vector<Record>& records) {
    auto store = SqliteRecordStore::open(dir + "/state.db");
    ASSERT_TRUE(store);
    std::vector<RecordChange> changes;
    for (const Record& r : records) changes.emplace_back(PutRecord{r.kind, r.key, *r.json});
    ASSERT_TRUE((*store)->commit((*store)->begin_term().value(), changes));
  };
  SchedulerState known;
  known.framework = FrameworkId("fw-1");
  put({framework_record(known)});
  std::filesystem::remove(dir + "/secret.key");
  ASSERT_TRUE(StateDir::open(dir)) << "nothing was encrypted with it";
  Cluster cluster;
  cluster.id = ClusterId("aaaaaaaa");
  cluster.spec.members = 0;
  put(cluster_records(nullptr, &cluster));
  std::filesystem::remove(dir + "/secret.key");

  const auto refused = StateDir::open(dir);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("secret.key is lost"), std::string::npos) << refused.error().message;
  EXPECT_FALSE(path_exists(dir + "/secret.key")) << "no new one is made: it would hide the loss";
}

TEST_F(StateDirTest, KeepsASecondInstanceOutAndNamesTheFirst) {
  const auto first = StateDir::open(dir);
  ASSERT_TRUE(first);
  const auto second = StateDir::open(dir);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::kConflict);
  EXPECT_NE(second.error().message.find(std::to_string(::getpid())), std::string::npos)
      << second.error().message;
}

TEST_F(StateDirTest, FindsTokenAndKeyAgain) {
  std::string token;
  std::string sealed;
  const auto secrets = make_secrets("anna", "pass word");
  {
    const auto first = StateDir::open(dir);
    ASSERT_TRUE(first);
    token = first->admin_token();
    sealed = seal(first->box(), secrets);
  }
  const auto again = StateDir::open(dir);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->admin_token(), token);
  const auto unsealed = unseal(again->box(), sealed);
  ASSERT_TRUE(unsealed);
  EXPECT_EQ(unsealed->token, secrets.token);
  EXPECT_EQ(unsealed->accounts, secrets.accounts);
}

TEST_F(StateDirTest, RefusesATokenThatOthersCanRead) {
  ASSERT_TRUE(StateDir::open(dir));
  ::chmod((dir + "/admin.token").c_str(), 0644);
  const auto state = StateDir::open(dir);
  ASSERT_FALSE(state);
  EXPECT_EQ(state.error().code, Errc::kForbidden);
}

TEST(ClusterSecrets, DoNotOpenWithAnotherKey) {
  const auto sealed = seal(SecretBox::with_random_key(), make_secrets("anna", std::nullopt));
  EXPECT_EQ(sealed.find("anna"), std::string::npos);
  EXPECT_FALSE(unseal(SecretBox::with_random_key(), sealed));
}

TEST(ClusterSecrets, AreDifferentEachTime) {
  const auto a = make_secrets("anna", std::nullopt);
  const auto b = make_secrets("anna", std::nullopt);
  EXPECT_NE(a.token, b.token);
  EXPECT_NE(a.accounts.user_password, b.accounts.user_password);
  EXPECT_EQ(a.accounts.user_password.size(), kPasswordLength);
}

}  // namespace
}  // namespace mysos
