// SPDX-License-Identifier: Apache-2.0
#pragma once
// The donor's side of a seeding, MariaDB: a running mariadb-backup as the body of GET /v1/snapshot. One at a time. The
// recipient sets the pace. The copy never delays this server's other work: end() ends the tool at once. A caller authenticates
// with a token that is derived from the cluster's replication key, which only members have; the executor has only a hash of the
// member's own token. MySQL's CLONE goes from server to server, so on MySQL this refuses. Belongs to the io_context's thread.
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "base/asio.h"
#include "base/http/server.h"
#include "executor/member_api.h"
#include "model/gtid.h"
#include "mysql/seeding.h"

namespace mysos {

inline constexpr std::string_view kSnapshotHeader = "Mysos-Executed";  // what the donor had executed before the copy

class SnapshotSource final : public SnapshotService {
 public:
  struct Server {
    mysql::ServerSpec spec;
    mysql::Secrets secrets;
  };
  struct Eyes {
    std::function<std::optional<mysql::Secrets>()> secrets;
    std::function<std::optional<Server>()> server;                  // the one that runs
    std::function<asio::awaitable<Result<GtidSet>>()> executed;     // a read of it
  };
  explicit SnapshotSource(Eyes eyes) : eyes_(std::move(eyes)) {}

  [[nodiscard]] bool accepts(std::string_view token) const override;
  asio::awaitable<void> serve(HttpExchange& exchange) override;
  // Ends the copy under way.
  void end();

 private:
  asio::awaitable<void> stream(mysql::Snapshot& snapshot, HttpExchange& exchange);

  Eyes eyes_;
  bool busy_ = false;
  mysql::Snapshot* snapshot_ = nullptr;  // of the stream under way
};

}  // namespace mysos
