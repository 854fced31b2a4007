// SPDX-License-Identifier: Apache-2.0
#pragma once
// The member's persistent volume: where what must outlive the executor, its task and its container
// is kept.
//
//   mysos/promise.json   MemberPromise; durable before anything that follows from it
//   mysos/secrets.json   the accounts' secrets, 0600
//   mysos/server.json    pid and start time of the mysqld we started, so that a restarted executor
//   finds it again mysql/               the datadir, binlogs included
//
// Invariant: a file is either its old or its new content (written aside, fsynced, renamed). Reads
// and writes block: these are files of a few hundred bytes, and a volume that does not answer means
// a member that must look dead anyway.
#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "base/json.h"
#include "base/result.h"
#include "core/member_core.h"

namespace mysos {

struct ServerRecord {
  std::int64_t pid = 0;
  std::uint64_t start_time = 0;  // /proc/PID/stat, field 22
  std::string incarnation;
  std::uint64_t generation = 0;  // of the datadir it runs on
  bool operator==(const ServerRecord&) const = default;
};
template <class Io>
void fields(Io& io, ServerRecord& r) {
  io.required("pid", r.pid);
  io.required("start_time", r.start_time);
  io.required("incarnation", r.incarnation);
  io("generation", r.generation);
}

class Volume {
 public:
  // `dir` exists (Mesos mounted it); makes what is missing inside.
  static Result<Volume> open(const std::string& dir);

  // A promise that is there but cannot be read is an Error, never a fresh promise: that would
  // forget what was promised.
  [[nodiscard]] Result<MemberPromise> load_promise() const;
  [[nodiscard]] Status save_promise(const MemberPromise& promise) const;
  [[nodiscard]] Result<std::optional<json::object>> load_secrets() const;
  [[nodiscard]] Status save_secrets(const json::object& secrets) const;
  // nullopt also when it cannot be read: then no mysqld is taken for ours.
  [[nodiscard]] std::optional<ServerRecord> load_server() const;
  [[nodiscard]] Status save_server(const ServerRecord& record) const;
  [[nodiscard]] Status forget_server() const;

  [[nodiscard]] std::string own_dir() const { return dir_ + "/mysos"; }
  [[nodiscard]] std::string datadir() const { return dir_ + "/mysql"; }
  [[nodiscard]] const std::string& dir() const { return dir_; }

 private:
  explicit Volume(std::string dir) : dir_(std::move(dir)) {}
  std::string dir_;
};

}  // namespace mysos
