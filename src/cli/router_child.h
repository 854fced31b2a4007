// SPDX-License-Identifier: Apache-2.0
#pragma once
// The router as a separate process beside `mysos up`, which restarts it when it ends. The router
// must survive a kill of `mysos up`, so that the stable addresses stay. The next `mysos up`
// replaces it with a new router, without an effect on HAProxy's sessions.
#include <optional>
#include <string>

#include "base/asio.h"
#include "base/process.h"
#include "base/task_group.h"
#include "cli/options.h"

namespace mysos::cli {

// Called by the router itself: by this file the next `mysos up` finds it.
Status note_router(const std::string& router_dir);

class RouterChild {
 public:
  // `state_dir` is absolute.
  RouterChild(asio::any_io_executor executor, const ServerOptions& server, std::string state_dir,
              std::string program);
  // kNotFound where there is no haproxy; says what to install.
  Status start();
  asio::awaitable<void> stop();

 private:
  asio::awaitable<void> keep();
  Status spawn();

  const ServerOptions& server_;
  std::string state_dir_;
  std::string program_;  // of mysos
  std::optional<Process> process_;
  TaskGroup tasks_;
};

}  // namespace mysos::cli
