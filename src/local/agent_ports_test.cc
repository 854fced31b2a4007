// SPDX-License-Identifier: Apache-2.0
#include "local/agent_ports.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "base/fs.h"
#include "base/process.h"

namespace mysos::local {
namespace {

const Reservation kOurs{"mysos", "mysos", {{"cluster", "c1"}}};

Resource reserved(std::uint64_t begin, std::uint64_t end) {
  Resource r = ports({{begin, end}});
  r.reservations = {kOurs};
  return r;
}

TaskRecord task(const std::string& id, const Resources& resources, mesos::TaskState state = mesos::TaskState::kRunning) {
  TaskRecord t;
  t.framework = FrameworkId("f");
  t.info.id = TaskId(id);
  t.info.executor = ExecutorId(id);
  t.info.resources = resources;
  t.state = state;
  return t;
}

ExecutorRecord executor(const std::string& id, pid_t pid, std::uint64_t start_time) {
  ExecutorRecord e;
  e.framework = FrameworkId("f");
  e.info.id = TaskId(id);
  e.info.executor = ExecutorId(id);
  e.pid = pid;
  e.start_time = start_time;
  return e;
}

TEST(AgentPortsTest, ABlockThatHasMovedLeavesWhatIsReservedOrInUse) {
  AgentState state;
  state.total = Resources{scalar("cpus", 4000), reserved(20000, 20002), ports({{20003, 20099}})};
  Resource used = ports({{20050, 20051}});
  used.allocation_role = "mysos";
  state.tasks = {task("t1", Resources{used}), task("t2", Resources{ports({{20060, 20060}})}, mesos::TaskState::kFinished)};
  const Resources moved = with_block(state, Resources{scalar("cpus", 1000), ports({{25000, 25099}})});
  EXPECT_EQ(moved, (Resources{scalar("cpus", 4000), reserved(20000, 20002), ports({{20050, 20051}, {25000, 25099}})}))
      << describe(moved);
}

TEST(AgentPortsTest, TheSameBlockChangesNothing) {
  AgentState state;
  state.total = Resources{reserved(20000, 20002), reserved(20007, 20007), ports({{20003, 20006}, {20008, 20099}})};
  EXPECT_EQ(with_block(state, Resources{ports({{20000, 20099}})}), state.total);
}

TEST(AgentPortsTest, WhatIsListenedOnIsOursWhereTheExecutorLives) {
  const auto dir = std::filesystem::temp_directory_path() / ("mysos-agent-ports-" + std::to_string(::getpid()));
  EXPECT_TRUE(agent_ports(dir.string())->held.empty()) << "a directory that is new";
  std::filesystem::create_directories(dir / "mesos" / "agent-0");
  std::filesystem::create_directories(dir / "mesos" / "agent-1");  // has not been started yet
  const std::uint64_t now = process_start_time(::getpid()).value();
  AgentState state;
  state.total = Resources{reserved(20000, 20005), ports({{20006, 20099}})};
  state.tasks = {task("lives", Resources{reserved(20000, 20002)}), task("died", Resources{reserved(20003, 20005)})};
  state.executors = {executor("lives", ::getpid(), now), executor("died", ::getpid(), now + 1)};
  const std::string file = (dir / "mesos" / "agent-0" / "agent.json").string();
  ASSERT_TRUE(write_file_atomic(file, encode_state(state)));

  const auto found = agent_ports(dir.string());
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->reserved, (std::set<std::uint16_t>{20000, 20001, 20002, 20003, 20004, 20005}));
  EXPECT_EQ(found->held, (std::set<std::uint16_t>{20000, 20001, 20002}));

  ASSERT_TRUE(write_file_atomic(file, "torn"));
  EXPECT_FALSE(agent_ports(dir.string()));
  std::filesystem::remove_all(dir);
}

}  // namespace
}  // namespace mysos::local
