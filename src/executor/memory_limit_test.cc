// SPDX-License-Identifier: Apache-2.0
#include "executor/memory_limit.h"

#include <gtest/gtest.h>

#include <csignal>

namespace mysos {
namespace {

constexpr ExitStatus kKilled{ExitStatus::Kind::kSignaled, SIGKILL};

TEST(MemoryLimit, FindsTheGroupOfEitherVersion) {
  const auto v1 = memory_group_files("9:cpu,cpuacct:/a\n4:memory:/mesos/c1\n0::/x\n");
  EXPECT_EQ(v1.v1, "/sys/fs/cgroup/memory/mesos/c1/memory.oom_control");
  const auto v2 = memory_group_files("0::/mesos/c1\n");
  EXPECT_EQ(v2.v2, "/sys/fs/cgroup/mesos/c1/memory.events");
  EXPECT_TRUE(v2.v1.empty());
  EXPECT_EQ(memory_group_files("0::/\n").v2, "/sys/fs/cgroup/memory.events") << "in a namespace of its own";
  EXPECT_TRUE(memory_group_files("nonsense").v2.empty());
}

TEST(MemoryLimit, ReadsTheCountOfEitherVersion) {
  EXPECT_EQ(kills_in("oom_kill_disable 0\nunder_oom 0\noom_kill 3\n"), 3U);
  EXPECT_EQ(kills_in("low 0\nhigh 0\nmax 12\noom 2\noom_kill 1\n"), 1U);
  EXPECT_EQ(kills_in("low 0\n"), std::nullopt);
}

TEST(MemoryLimit, BlamesMemoryOnlyWhereTheKernelKilledMeanwhile) {
  EXPECT_TRUE(killed_for_memory(kKilled, 1, 2));
  EXPECT_TRUE(killed_for_memory({ExitStatus::Kind::kGone, 0}, 0, 1)) << "a server that an executor before us started";
  EXPECT_FALSE(killed_for_memory(kKilled, 2, 2)) << "somebody else killed it";
  EXPECT_FALSE(killed_for_memory({ExitStatus::Kind::kExited, 1}, 1, 2));
  EXPECT_FALSE(killed_for_memory(kKilled, std::nullopt, 2));
}

TEST(MemoryLimit, TheTextNamesTheLimit) { EXPECT_NE(out_of_memory_text(mib(600)).find("600MB"), std::string::npos); }

}  // namespace
}  // namespace mysos
