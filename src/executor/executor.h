// SPDX-License-Identifier: Apache-2.0
#pragma once
// `mysos executor`: one member of a cluster. Under a Mesos agent it takes its MemberSpec from the
// task it is launched with (environment MESOS_*). Stand-alone it takes the spec from a file, and its
// orders come over the member API only (for tests, benches and experiments). Runs until its member is stopped
// (a kill, a shutdown, SIGTERM or SIGINT) and has shut mysqld down. An executor that dies
// otherwise leaves mysqld running, and the next one on the same volume adopts it.
#include <string>
#include <vector>

namespace mysos {

struct ExecutorOptions {
  bool standalone = false;
  std::string spec_file = {};  // stand-alone: a MemberSpec as JSON
  std::string data_dir = {};  // stand-alone: the member's volume; under Mesos "data" in the sandbox
  std::vector<std::string> mysql_roots =
      {};  // where to look for servers; empty: MYSOS_MYSQL_ROOTS, else "/"
  std::string template_dir = {};  // empty: MYSOS_TEMPLATE_DIR, else a cache of this user
  std::string mysql_user = {};    // the user that servers run as; empty: MYSOS_MYSQL_USER, else mysql
};

// The exit code of the process: 0 after a clean stop.
int run_executor(const ExecutorOptions& options);

}  // namespace mysos
