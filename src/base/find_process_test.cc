// SPDX-License-Identifier: Apache-2.0
#include "base/find_process.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>

#include "base/clock.h"
#include "base/process.h"
#include "base/secret.h"

namespace mysos {
namespace {

// A shell that has `argument`, and has stopped itself: it starts nothing that would have the same command line for a moment.
class Found {
 public:
  explicit Found(const std::string& argument) {
    ProcessOptions options;
    options.argv = {"/bin/sh", "-c", "kill -STOP $$", argument};
    process_.emplace(Process::spawn(options).value());
    // Its files are closed, which spawn() waits for, a moment before its command line shows.
    const Instant end = steady_now() + std::chrono::seconds(20);
    while (find_processes(argument, {::getuid()}).empty() && steady_now() < end) continue;
  }
  Found(const Found&) = delete;
  Found& operator=(const Found&) = delete;
  ~Found() { (void)process_->kill_group(SIGKILL); }
  [[nodiscard]] pid_t pid() const { return process_->pid(); }

 private:
  std::optional<Process> process_;
};

TEST(FindProcess, ItHasExactlyTheArgumentAndItsParentIsKnown) {
  const std::string word = "--file=/" + random_token();
  EXPECT_TRUE(find_processes(word, {::getuid()}).empty());
  const Found one(word);
  const Found longer(word + "x");
  const auto found = find_processes(word, {::getuid()});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].pid, one.pid());
  EXPECT_EQ(found[0].parent, ::getpid());
}

TEST(FindProcess, AnotherUsersProcessMaySayAnything) {
  const std::string word = "--file=/" + random_token();
  const Found ours(word);
  EXPECT_TRUE(find_processes(word, {::getuid() + 1}).empty());
  EXPECT_EQ(find_processes(word, {::getuid() + 1, ::getuid()}).size(), 1U);
}

}  // namespace
}  // namespace mysos
