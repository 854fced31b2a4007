// SPDX-License-Identifier: Apache-2.0
#pragma once
// Seeding: a datadir made as a physical copy of another member's, the donor's. MySQL: CLONE INSTANCE ... DATA DIRECTORY, by a
// separate server on a template, which is reachable only over its socket. MariaDB: the xbstream of a mariadb-backup at the
// donor, unpacked and prepared here, then opened once to give it its position. Everything happens in seed/ beside the datadir;
// the copy takes the datadir's place by one rename, when it is complete. So a seeding that is cut off leaves nothing but
// seed/, which the next one removes, and the datadir that was.
//
// What the copy has: the donor's data and GTID set, the donor's accounts (ours are the same on all members of a cluster; the
// init_file repairs them at each start), and a server id and uuid of its own. Its binlog begins after the copy, so its
// binlog_complete is false. Source: MySQL manual, "Cloning Remote Data"; MariaDB manual, mariadb-backup and gtid_binlog_state.
//
// Belongs to the io_context's thread, but for the functions marked as blocking.
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/asio.h"
#include "base/result.h"
#include "model/gtid.h"
#include "mysql/server_process.h"

namespace mysos::mysql {

inline constexpr Duration kSeedSilence = std::chrono::seconds(30);  // without a byte, and the copy is given up
inline constexpr Duration kMaxSeeding = std::chrono::hours(24);
// By which a recipient proves to a donor's executor that it is of the same cluster.
std::string snapshot_token(const Secrets& secrets);

inline constexpr std::size_t kSeedChunk = std::size_t{256} << 10;

struct SeedSpec {
  ServerSpec server;      // as the member's server will be started
  std::string cache_dir;  // of template datadirs
  Secrets secrets;
};
// Where a clone comes from: the donor's mysqld.
struct CloneDonor {
  std::string host;
  std::uint16_t port = 0;
};
using SeedProgress = std::function<void(Bytes done)>;

// Ends the server of an earlier seeding whose executor died, and waits for its end. Before begin_seed(): that server must not
// write into the folder that begin_seed() removes.
asio::awaitable<void> end_old_seeding(SeedSpec spec);
// Removes what an earlier seeding left, and makes an empty seed/. Blocking.
Status begin_seed(const SeedSpec& spec);
// Ends what an earlier seeding left running, at once and without a wait: the server of an executor that died.
void end_seed_server(const ServerLayout& member);
// Removes what an earlier seeding left, where none is to follow. Blocking.
Status forget_seed(const SeedSpec& spec);
// The copy takes the datadir's place. What was there must be gone, or kept elsewhere, by then. Blocking.
Status finish_seed(const SeedSpec& spec);

// ---- MySQL ----

// kUnavailable: the donor is gone or refuses; kTimeout: no bytes came for kSeedSilence. After begin_seed().
asio::awaitable<Status> clone_from(SeedSpec spec, CloneDonor donor, SeedProgress progress);

// ---- MariaDB, at the donor ----

// One running mariadb-backup. Destroying it ends it. Its reader sets the pace: what is not read is not copied.
class Snapshot {
 public:
  // `server`: the one that is copied, which runs.
  static Result<Snapshot> begin(const asio::any_io_executor& executor, const ServerSpec& server, const Secrets& secrets);
  ~Snapshot();
  Snapshot(Snapshot&&) noexcept = default;
  Snapshot& operator=(Snapshot&&) = delete;
  Snapshot(const Snapshot&) = delete;

  // The next bytes; "" at the end of a copy that is complete. An Error is the tool's own last words.
  asio::awaitable<Result<std::string>> read_some(Duration idle);
  // Kills the tool: what it held in the server is free at once, and the next read fails.
  void end();

 private:
  Snapshot(Process process, asio::posix::stream_descriptor out, std::string files);
  std::optional<Process> process_;
  asio::posix::stream_descriptor out_;
  std::string files_;  // seed-donor/: the password and the log
};

// ---- MariaDB, at the recipient ----

// Unpacks a stream as it comes. Destroying it ends the tool.
class SnapshotReceiver {
 public:
  static Result<SnapshotReceiver> begin(const asio::any_io_executor& executor, const SeedSpec& spec);
  ~SnapshotReceiver();
  SnapshotReceiver(SnapshotReceiver&&) noexcept = default;
  SnapshotReceiver& operator=(SnapshotReceiver&&) = delete;
  SnapshotReceiver(const SnapshotReceiver&) = delete;

  asio::awaitable<Status> write(std::string bytes, Duration idle);
  // The stream was complete: waits until all of it is on disk.
  asio::awaitable<Status> finish();

 private:
  SnapshotReceiver(Process process, asio::posix::stream_descriptor in, std::string log);
  std::optional<Process> process_;
  asio::posix::stream_descriptor in_;
  std::string log_;
};

// Prepares what was unpacked and gives it its position: the donor's, `donor_executed` being a read of the donor from before
// the copy (a backup names the last transaction only, the read names every writer before it).
asio::awaitable<Status> prepare_snapshot(SeedSpec spec, GtidSet donor_executed);

// How much is there already: files under seed/. Blocking, some ms.
Bytes seeded_bytes(const SeedSpec& spec);

}  // namespace mysos::mysql
