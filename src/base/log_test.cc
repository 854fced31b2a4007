// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace mysos {
namespace {

std::string logged(LogOptions options, void (*speak)()) {
  const auto file =
      std::filesystem::temp_directory_path() / ("mysos-log-" + std::to_string(::getpid()));
  std::filesystem::remove(file);
  options.file = file.string();
  EXPECT_TRUE(log_init(options));
  speak();
  log_flush();
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  std::filesystem::remove(file);
  EXPECT_TRUE(log_init({}));
  return text.str();
}

TEST(Log, TextIsOneLineWithLevelAndComponent) {
  const std::string text = logged({.component = "executor"}, [] {
    log_info("said {}", "a\nb");
    Logger{"http"}.warn("slow");
    log_debug("not shown");
  });
  EXPECT_NE(text.find("Z info    executor: said a\\nb\n"), std::string::npos) << text;
  EXPECT_NE(text.find("Z warning http: slow\n"), std::string::npos) << text;
  EXPECT_EQ(text.find("not shown"), std::string::npos);
}

// Nobody reads the pipe, so whoever writes to it hangs, as on a disk that hangs.
TEST(Log, InBackgroundNobodyWaitsForTheDisk) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  ASSERT_TRUE(log_init({.file = "/proc/self/fd/" + std::to_string(ends[1]), .in_background = true}));

  for (std::size_t i = 0; i < 2 * kMaxWaitingLines; ++i) log_info("line {:0>100}", i);

  const std::string last = fmt::format("line {:0>100}\n", 2 * kMaxWaitingLines - 1);
  std::string text;
  char part[65536];
  while (text.find(last) == std::string::npos) {
    const ssize_t n = ::read(ends[0], part, sizeof part);
    ASSERT_GT(n, 0);
    text.append(part, static_cast<std::size_t>(n));
  }
  EXPECT_TRUE(log_init({}));
  ::close(ends[1]);
  ::close(ends[0]);
  EXPECT_LT(static_cast<std::size_t>(std::ranges::count(text, '\n')), 2 * kMaxWaitingLines);
}

TEST(Log, JsonParses) {
  const std::string text =
      logged({.format = LogFormat::kJson}, [] { log_error("a \"quote\"\n{}%v", 1); });
  const auto line = boost::json::parse(text.substr(0, text.find('\n'))).as_object();
  EXPECT_EQ(line.at("message").as_string(), "a \"quote\"\n1%v");
  EXPECT_EQ(line.at("level").as_string(), "error");
  EXPECT_EQ(line.at("component").as_string(), "mysos");
  EXPECT_TRUE(line.at("time").as_string().ends_with("Z"));
}

TEST(Log, AFileThatCannotBeOpenedIsAnError) {
  const Status status = log_init({.file = "/proc/no/such/file"});
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, Errc::kIo);
}

}  // namespace
}  // namespace mysos
