// SPDX-License-Identifier: Apache-2.0
#pragma once
// The state directory of one instance, and the files that an instance needs first: the lock against
// a second instance, the key that encrypts stored secrets, the admin token.
//
//   DIR/lock          held as long as the process lives, with its pid
//   DIR/state.db      records (store/sqlite_record_store.h)
//   DIR/events.db     the event log (store/sqlite_event_log.h)
//   DIR/state.mark    how many changes state.db has seen (marked_store.h)
//   DIR/secret.key    encrypts the clusters' secrets; 0600. Without it the passwords in state.db are lost
//   DIR/admin.token   the API's admin token; 0600
//   DIR/api.url       the address of the API, for clients that know only the directory
//   DIR/mesos/        of the embedded Mesos (`mysos up`)
//   DIR/templates/    of the executors on this machine (`mysos up`)
#include <string>

#include "base/fs.h"
#include "base/result.h"
#include "base/secret.h"

namespace mysos {

class StateDir {
 public:
  // Makes missing files. kConflict: another instance holds the directory; the message has its pid.
  static Result<StateDir> open(const std::string& dir);

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string store_file() const { return path_ + "/state.db"; }
  [[nodiscard]] std::string event_file() const { return path_ + "/events.db"; }
  [[nodiscard]] static std::string token_file(const std::string& dir) {
    return dir + "/admin.token";
  }
  [[nodiscard]] static std::string url_file(const std::string& dir) { return dir + "/api.url"; }
  [[nodiscard]] const SecretBox& box() const { return box_; }
  [[nodiscard]] const std::string& admin_token() const { return admin_token_; }

 private:
  StateDir(std::string path, LockFile lock, SecretBox box, std::string admin_token)
      : path_(std::move(path)),
        lock_(std::move(lock)),
        box_(box),
        admin_token_(std::move(admin_token)) {}
  std::string path_;
  LockFile lock_;
  SecretBox box_;
  std::string admin_token_;
};

}  // namespace mysos
