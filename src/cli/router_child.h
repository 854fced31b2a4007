// SPDX-License-Identifier: Apache-2.0
#pragma once
// The router as a process of its own beside `mysos up`, started again when it ends. It is not to
// die with us: killed we leave it, and with it the stable addresses, behind; the next `mysos up`
// puts a new one in its place, and no session of HAProxy notices.
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
