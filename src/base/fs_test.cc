// SPDX-License-Identifier: Apache-2.0
#include "base/fs.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/test_dir.h"

namespace mysos {
namespace {

mode_t mode_of(const std::string& path) {
  struct stat info{};
  EXPECT_EQ(::lstat(path.c_str(), &info), 0) << path;
  return info.st_mode & 07777;
}

TEST(Fs, WritesAtomicallyWithTheGivenMode) {
  const TestDir dir;
  ASSERT_TRUE(write_file_atomic(dir / "a", "one", 0600));
  ASSERT_TRUE(write_file_atomic(dir / "a", "two", 0640));
  EXPECT_EQ(read_file(dir / "a").value(), "two");
  EXPECT_EQ(mode_of(dir / "a"), 0640U);
  EXPECT_EQ(list_dir(dir.path()).value(), std::vector<std::string>{"a"});
}

TEST(Fs, AFailedWriteLeavesTheOldContentAndNothingElse) {
  const TestDir dir;
  ASSERT_TRUE(make_dirs(dir / "taken/by/a/folder"));
  EXPECT_FALSE(write_file_atomic(dir / "taken", "x"));
  EXPECT_EQ(list_dir(dir.path()).value(), std::vector<std::string>{"taken"});
  EXPECT_EQ(write_file_atomic(dir / "missing/a", "x").error().code, Errc::kNotFound);
}

TEST(Fs, ErrorsNameThePathAndTheReason) {
  const auto missing = read_file("/no/such/file");
  EXPECT_EQ(missing.error().code, Errc::kNotFound);
  EXPECT_EQ(missing.error().message, "cannot read /no/such/file: No such file or directory");
  const Error full = errno_error("write", "/tmp/x", ENOSPC);
  EXPECT_EQ(full.code, Errc::kIo);
  EXPECT_NE(full.message.find("cannot write /tmp/x: its disk is full ("), std::string::npos)
      << full.message;
  const TestDir dir;
  ASSERT_TRUE(append_file(dir / "long", std::string(100, 'x')));
  EXPECT_EQ(read_file(dir / "long", 99).error().code, Errc::kTooLarge);
}

TEST(Fs, AFullDiskIsToldAsSuch) {
  const auto full = append_file("/dev/full", "x");
  ASSERT_FALSE(full);
  EXPECT_NE(full.error().message.find("disk is full"), std::string::npos);
}

TEST(Fs, MakesFoldersAndSeesFilesInTheWay) {
  const TestDir dir;
  ASSERT_TRUE(make_dirs(dir / "a/b//c", 0700));
  ASSERT_TRUE(make_dirs(dir / "a/b/c", 0755));
  EXPECT_EQ(mode_of(dir / "a/b/c"), 0700U);
  ASSERT_TRUE(append_file(dir / "file", ""));
  EXPECT_FALSE(make_dirs(dir / "file/x"));
  EXPECT_FALSE(make_dirs(dir / "file"));
}

TEST(Fs, RemovesATreeButNotWhatItsLinksPointTo) {
  const TestDir dir;
  ASSERT_TRUE(make_dirs(dir / "keep"));
  ASSERT_TRUE(append_file(dir / "keep/me", "x"));
  ASSERT_TRUE(make_dirs(dir / "tree/a/b"));
  ASSERT_TRUE(append_file(dir / "tree/a/f", "x"));
  ASSERT_EQ(::symlink((dir / "keep").c_str(), (dir / "tree/a/link").c_str()), 0);
  EXPECT_TRUE(remove_tree(dir / "tree"));
  EXPECT_TRUE(remove_tree(dir / "tree"));
  EXPECT_FALSE(path_exists(dir / "tree"));
  EXPECT_TRUE(path_exists(dir / "keep/me"));
  EXPECT_TRUE(remove_file(dir / "keep/me"));
  EXPECT_TRUE(remove_file(dir / "keep/me"));
}

TEST(Fs, CopiesATreeWithModesLinksAndOwners) {
  const TestDir dir;
  ASSERT_TRUE(make_dirs(dir / "from/sub", 0750));
  ASSERT_TRUE(write_file_atomic(dir / "from/sub/f", std::string(3'000'000, 'q'), 0604));
  ASSERT_TRUE(append_file(dir / "from/empty", ""));
  ASSERT_EQ(::symlink("sub/f", (dir / "from/link").c_str()), 0);
  if (::geteuid() == 0) {
    ASSERT_EQ(::chown((dir / "from/sub/f").c_str(), 12, 34), 0);
  }

  ASSERT_TRUE(copy_tree(dir / "from", dir / "to"));

  EXPECT_EQ(read_file(dir / "to/link").value(), std::string(3'000'000, 'q'));
  EXPECT_EQ(mode_of(dir / "to/sub"), 0750U);
  EXPECT_EQ(mode_of(dir / "to/sub/f"), 0604U);
  EXPECT_EQ(list_dir(dir / "to").value(), (std::vector<std::string>{"empty", "link", "sub"}));
  struct stat info{};
  ASSERT_EQ(::stat((dir / "to/sub/f").c_str(), &info), 0);
  if (::geteuid() == 0) {
    EXPECT_EQ(info.st_uid, 12U);
    EXPECT_EQ(info.st_gid, 34U);
  }
  EXPECT_EQ(copy_tree(dir / "from", dir / "to").error().code, Errc::kConflict);
  EXPECT_EQ(copy_tree(dir / "none", dir / "to2").error().code, Errc::kNotFound);
}

TEST(LockFile, NamesWhoHoldsIt) {
  const TestDir dir;
  {
    const auto held = LockFile::acquire(dir / "lock");
    ASSERT_TRUE(held);
    const auto second = LockFile::acquire(dir / "lock");
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, Errc::kConflict);
    EXPECT_NE(second.error().message.find("(pid " + std::to_string(::getpid()) + ")"),
              std::string::npos);
  }
  EXPECT_TRUE(LockFile::acquire(dir / "lock"));
}

TEST(LockFile, EndsWithItsProcess) {
  const TestDir dir;
  const pid_t child = ::fork();
  if (child == 0) {
    const auto held = LockFile::acquire(dir / "lock");
    ::_exit(held ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
  EXPECT_TRUE(LockFile::acquire(dir / "lock"));
}

// As a child of a process that was killed holds it until it execs.
TEST(LockFile, IsWaitedForWhileAChildOfItsFormerHolderLives) {
  const TestDir dir;
  auto held = std::optional(LockFile::acquire(dir / "lock"));
  ASSERT_TRUE(*held);
  const pid_t child = ::fork();
  if (child == 0) {
    ::usleep(200'000);
    ::_exit(0);
  }
  held.reset();
  EXPECT_TRUE(LockFile::acquire(dir / "lock"));
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
}

TEST(Fs, FreeBytesOfADisk) {
  EXPECT_GT(free_bytes("/tmp").value().value, 0U);
  EXPECT_FALSE(free_bytes("/no/such/place"));
}

TEST(GiveTree, GivesAllOfItAndFollowsNoLink) {
  const TestDir dir;
  ASSERT_TRUE(make_dirs(dir / "tree/inner"));
  ASSERT_TRUE(write_file_atomic(dir / "tree/inner/file", "x"));
  ASSERT_TRUE(write_file_atomic(dir / "outside", "x"));
  ASSERT_EQ(::symlink("../../outside", (dir / "tree/inner/link").c_str()), 0);
  if (::geteuid() != 0) {
    EXPECT_EQ(give_tree(dir / "tree", 1, 1).error().code, Errc::kForbidden);
    return;
  }
  ASSERT_TRUE(give_tree(dir / "tree", 1, 1));
  const auto owner = [&](const std::string& name) {
    struct stat info{};
    EXPECT_EQ(::lstat((dir / name).c_str(), &info), 0);
    return info.st_uid;
  };
  for (const char* name : {"tree", "tree/inner", "tree/inner/file", "tree/inner/link"}) EXPECT_EQ(owner(name), 1U) << name;
  EXPECT_EQ(owner("outside"), 0U);

  // A second name of somebody else's file is no way to get it.
  ASSERT_EQ(::link((dir / "outside").c_str(), (dir / "tree/stolen").c_str()), 0);
  EXPECT_EQ(give_tree(dir / "tree", 2, 2).error().code, Errc::kForbidden);
  EXPECT_EQ(owner("outside"), 0U);
  EXPECT_EQ(owner("tree"), 1U) << "it shows that it is not done";
}

}  // namespace
}  // namespace mysos
