// SPDX-License-Identifier: Apache-2.0
#pragma once
// For tests on real servers: members of one cluster, each a server of its own on a free port of the loopback. The servers end
// with the fixture, by their pids.
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/asio.h"
#include "mysql/datadir.h"
#include "mysql/server_ops.h"
#include "mysql/server_process.h"

namespace mysos::mysql {

std::uint16_t free_port();
// A folder of this test program, removed at its end.
const std::string& test_root();
// Of that flavour; where it is missing the test fails, and says how to get it.
const Distribution* test_distribution(FlavourKind kind);
inline const Secrets kTestSecrets{.admin_password = "ad'min\\1", .monitor_password = "monitor", .replication_key = "k",
                                  .user = "shop", .user_password = "sh'op\\pw"};

class TestMember {
 public:
  TestMember(asio::io_context& io, FlavourKind kind, int index);
  ~TestMember();
  TestMember(const TestMember&) = delete;
  TestMember& operator=(const TestMember&) = delete;

  // All of these fail the test when they fail.
  void make_and_start(Bytes memory = mib(640), std::vector<std::string> cgroup_procs = {});
  void start();
  void kill9();
  void stop();
  void run(const ServerStep& step, Duration at_most = std::chrono::seconds(10));
  Status try_run(const ServerStep& step, Duration at_most = std::chrono::seconds(10));
  ServerSnapshot read();
  bool wait_for(const std::function<bool(const ServerSnapshot&)>& condition,
                Duration at_most = std::chrono::seconds(20));
  void follow(const TestMember& source, bool acking = true);
  void promote(std::uint32_t d, const std::vector<TestMember*>& replicas);
  Rows admin(const std::string& sql);  // on a session that writes the binlog
  Result<Rows> user(const std::string& sql, Duration at_most = std::chrono::seconds(5));  // over TCP
  [[nodiscard]] Session user_session() const;
  template <class T>
  T await(asio::awaitable<T> task);

  MemberId id;
  std::uint16_t port = 0;
  ServerSpec spec;
  std::optional<ServerProcess> process;
  std::unique_ptr<ServerOps> ops;

 private:
  asio::io_context& io_;
};

template <class T>
T TestMember::await(asio::awaitable<T> task) {
  std::optional<T> out;
  asio::co_spawn(
      io_,
      [](asio::awaitable<T> t, std::optional<T>& o) -> asio::awaitable<void> { o.emplace(co_await std::move(t)); }(
          std::move(task), out),
      [](const std::exception_ptr& e) {
        if (e) std::rethrow_exception(e);
      });
  while (!out) {
    io_.restart();
    io_.run_one_for(std::chrono::seconds(1));
  }
  return *std::move(out);
}

}  // namespace mysos::mysql
