// SPDX-License-Identifier: Apache-2.0
// Golden stories: testdata/*.txt hold commands (stories/storyteller.h) and everything that the scheduler put out. A change of
// the scheduler shows here as a change of a story, to be read in review. MYSOS_REWRITE_STORIES=1 writes the files again.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "stories/storyteller.h"

namespace mysos::scenario {
namespace {

std::vector<std::filesystem::path> stories() {
  std::vector<std::filesystem::path> found;
  for (const auto& entry : std::filesystem::directory_iterator(MYSOS_STORIES)) found.push_back(entry.path());
  std::ranges::sort(found);
  return found;
}

std::string read(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

class Stories : public testing::TestWithParam<std::filesystem::path> {};

TEST_P(Stories, GoAsTheyAreTold) {
  const std::string written = read(GetParam());
  const std::string told = tell(written);
  ASSERT_GT(std::ranges::count(told, '\n'), 10) << "a story in which nothing happens";
  if (std::getenv("MYSOS_REWRITE_STORIES") != nullptr) {
    std::ofstream(GetParam()) << told;
    return;
  }
  EXPECT_EQ(told, written) << "MYSOS_REWRITE_STORIES=1 rewrites it; read what has changed";
}

INSTANTIATE_TEST_SUITE_P(All, Stories, testing::ValuesIn(stories()),
                         [](const auto& info) { return info.param.stem().string(); });

}  // namespace
}  // namespace mysos::scenario
