// SPDX-License-Identifier: Apache-2.0
#pragma once
// The member's persistent volume, which holds everything that must survive the executor, its task
// and its container.
//
//   mysos/promise        MemberPromise; durable before anything that follows from it (base/slot_file.h: elections wait for it)
//   mysos/secrets.json   the accounts' secrets, 0600
//   mysos/sealed         the secrets of the cluster's record, encrypted with the scheduler's key, 0600
//   mysos/lock           held by the one executor that may use the volume
//   mysql/               the server's (mysql/server_process.h): data/ with the binlogs, my.cnf,
//   server.json; seed/ while it is copied from another member
//   errant/<generation>/ binlogs with what only this member held (mysql/errant_binlogs.h)
//
// Invariant: a file has either its old or its new content. Reads
// and writes block. The files have a few hundred bytes, and a member whose volume does not answer
// must look dead anyway.
#include <sys/types.h>

#include <optional>
#include <string>

#include "base/fs.h"
#include "base/json.h"
#include "base/result.h"
#include "core/member/member_core.h"

namespace mysos {

class MemberVolume {
 public:
  // `dir` must exist (Mesos mounts it). Makes missing files inside.
  static Result<MemberVolume> open(const std::string& dir);

  // An unreadable promise is an Error, never a fresh promise, which would forget what was
  // promised.
  [[nodiscard]] Result<MemberPromise> load_promise() const;
  [[nodiscard]] Status save_promise(const MemberPromise& promise) const;
  [[nodiscard]] Result<std::optional<json::object>> load_secrets() const;
  [[nodiscard]] Status save_secrets(const json::object& secrets) const;
  [[nodiscard]] Result<std::string> load_sealed() const;  // "" = there are none
  [[nodiscard]] Status save_sealed(const std::string& sealed) const;
  // kConflict: another executor has it.
  [[nodiscard]] Result<LockFile> lock() const;

  [[nodiscard]] std::string promise_file() const { return own_dir() + "/promise"; }
  [[nodiscard]] std::string own_dir() const { return dir_ + "/mysos"; }
  [[nodiscard]] std::string server_dir() const { return dir_ + "/mysql"; }
  [[nodiscard]] const std::string& dir() const { return dir_; }

 private:
  explicit MemberVolume(std::string dir) : dir_(std::move(dir)) {}
  std::string dir_;
};

}  // namespace mysos
