// SPDX-License-Identifier: Apache-2.0
#pragma once
// A whole member: its volume, brain, server and API, on one io_context. open()
// fails with a clear sentence (no such MySQL on this machine, a volume of another member, a port in
// use). After open() the member API is up, and all further orders come over it.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/asio.h"
#include "base/http/server.h"
#include "base/task_group.h"
#include "executor/member_api.h"
#include "executor/member_loop.h"
#include "executor/member_volume.h"
#include "executor/server_keeper.h"
#include "executor/surroundings.h"

namespace mysos {

struct MemberShellConfig {
  MemberSpec spec;
  std::string data_dir;
  std::vector<std::string> mysql_roots;
  std::string template_dir;
  std::string mysql_user;  // whom servers run as (mysql/datadir.h)
  Duration reader_idle_limit = MemberConfig{}.reader_idle_limit;
};

class MemberShell {
 public:
  static Result<std::unique_ptr<MemberShell>> open(const asio::any_io_executor& executor,
                                                   MemberShellConfig config);
  ~MemberShell();

  // Starts the loop: adopts or starts the server according to the promise, and answers orders.
  void start();
  // Shuts mysqld down within `grace` (then kills it), and ends once it is gone. May be called again
  // with less grace.
  asio::awaitable<void> stop(Duration grace);
  // Ends the API and all tasks; to be awaited before destruction.
  asio::awaitable<void> close();
  [[nodiscard]] const MemberSpec& spec() const { return spec_; }
  [[nodiscard]] MemberIdentity identity() const;

 private:
  MemberShell(const asio::any_io_executor& executor, MemberSpec spec, MemberVolume volume,
              LockFile lock);
  Status build(const MemberShellConfig& config);

  asio::any_io_executor executor_;
  MemberSpec spec_;
  MemberVolume volume_;
  LockFile lock_;
  TaskGroup tasks_;
  std::unique_ptr<ServerKeeper> keeper_;
  std::unique_ptr<MemberLoop> loop_;
  std::unique_ptr<MemberApi> api_;
  std::unique_ptr<HttpServer> server_;
  std::unique_ptr<Surroundings> surroundings_;
};

}  // namespace mysos
