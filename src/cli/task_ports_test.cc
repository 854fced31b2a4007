// SPDX-License-Identifier: Apache-2.0
#include "cli/task_ports.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>

#include "base/fd.h"
#include "base/fs.h"

namespace mysos::cli {
namespace {

struct TaskPorts : ::testing::Test {
  std::string dir =
      (std::filesystem::temp_directory_path() / ("mysos-ports-" + std::to_string(::getpid())))
          .string();
  void SetUp() override { std::filesystem::create_directories(dir); }
  void TearDown() override { std::filesystem::remove_all(dir); }
};

Fd listen_on(std::uint16_t port) {
  Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(port);
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at), 0);
  EXPECT_EQ(::listen(fd.get(), 1), 0);
  return fd;
}

constexpr char kHere[] = "127.0.0.1";

TEST_F(TaskPorts, StayTheSameForADirectory) {
  const auto first = task_ports(dir, 3, kHere, {});
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_GE(*first, kFirstTaskPort);
  EXPECT_LE(*first + 3 * kPortsPerAgent, kEndOfTaskPorts);

  const Fd member = listen_on(*first);  // one of its own, which has been kept
  EXPECT_EQ(*task_ports(dir, 3, kHere, {.reserved = {*first}, .held = {*first}}), *first);
}

TEST_F(TaskPorts, KeepAwayFromWhatIsListenedOn) {
  const auto first = task_ports(dir, 1, kHere, {});
  ASSERT_TRUE(first);
  ASSERT_TRUE(remove_file(dir + "/task-ports"));

  const Fd stranger = listen_on(static_cast<std::uint16_t>(*first + 7));
  const auto second = task_ports(dir, 1, kHere, {});
  ASSERT_TRUE(second);
  EXPECT_NE(*second, *first);
}

TEST_F(TaskPorts, MoveWhereAStrangerListens) {
  const auto first = task_ports(dir, 2, kHere, {});
  ASSERT_TRUE(first);
  const auto taken = static_cast<std::uint16_t>(*first + kPortsPerAgent + 3);
  const Fd stranger = listen_on(taken);
  // A port that is reserved for a member of ours which does not run is taken as any other.
  const auto second = task_ports(dir, 2, kHere, {.reserved = {*first, taken}, .held = {*first}});
  ASSERT_TRUE(second) << second.error().message;
  EXPECT_TRUE(*second >= *first + 2 * kPortsPerAgent || *first >= *second + 2 * kPortsPerAgent)
      << *first << " and " << *second << " overlap";
  EXPECT_EQ(*task_ports(dir, 2, kHere, {.reserved = {*first, taken}, .held = {*first}}), *second) << "it is kept";
}

TEST_F(TaskPorts, ANewBlockLeavesOutWhatMembersHaveFromBlocksBefore) {
  const auto first = task_ports(dir, 1, kHere, {});
  ASSERT_TRUE(first);
  ASSERT_TRUE(remove_file(dir + "/task-ports"));
  const auto second = task_ports(dir, 1, kHere, {.reserved = {static_cast<std::uint16_t>(*first + 99)}, .held = {}});
  ASSERT_TRUE(second);
  EXPECT_NE(*second, *first);
}

TEST_F(TaskPorts, StayWhereNothingElseIsFree) {
  ASSERT_TRUE(write_file_atomic(dir + "/task-ports", "20000\n"));
  local::AgentPorts ours;
  for (std::uint32_t p = kFirstTaskPort; p < kEndOfTaskPorts; p += kPortsPerAgent) {
    ours.reserved.insert(static_cast<std::uint16_t>(p));
  }
  const Fd stranger = listen_on(20001);
  EXPECT_EQ(*task_ports(dir, 1, kHere, ours), 20000) << "its members can still be launched";
  ASSERT_TRUE(remove_file(dir + "/task-ports"));
  EXPECT_EQ(task_ports(dir, 1, kHere, ours).error().code, Errc::kConflict);
}

TEST_F(TaskPorts, MoveWhereMoreAgentsWouldGetNumbersAboveTheLastPort) {
  ASSERT_TRUE(write_file_atomic(dir + "/task-ports", "65300\n"));
  EXPECT_EQ(*task_ports(dir, 2, kHere, {}), 65300);
  const auto more = task_ports(dir, 3, kHere, {});
  ASSERT_TRUE(more);
  EXPECT_LE(*more + 3 * kPortsPerAgent, kEndOfTaskPorts);
}

TEST_F(TaskPorts, RefusesAFileThatHoldsNoPort) {
  ASSERT_TRUE(write_file_atomic(dir + "/task-ports", "many\n"));
  EXPECT_FALSE(task_ports(dir, 1, kHere, {}));
}

}  // namespace
}  // namespace mysos::cli
