// SPDX-License-Identifier: Apache-2.0
#pragma once
// XA transactions that are prepared on a server and have no session. On a replica they have two origins. Those that were
// replicated have changed rows and stand in the replica's own binlog; only their primary may end them. Those that a user of
// the replica prepared have changed nothing, because a replica is read-only, and stand in no binlog; on MySQL they hold their
// locks after their session has ended. Pure, but for prepared_in_binlogs().
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/asio.h"
#include "base/result.h"
#include "mysql/rows.h"

namespace mysos::mysql {

struct Xid {
  std::int64_t format = 0;
  std::string global;  // raw bytes
  std::string branch;
  auto operator<=>(const Xid&) const = default;
  [[nodiscard]] std::string sql() const;    // as XA ROLLBACK takes it
  [[nodiscard]] std::string shown() const;  // for people: "'a1'", or as sql() where it is not printable
};

// The answer to XA RECOVER, or on MySQL to XA RECOVER CONVERT XID, whose bytes are written as hex.
std::set<Xid> prepared_xids(const Rows& recover);
// "'a1', 'a2' and 3 more"
std::string shown(const std::set<Xid>& xids);

// Fed one MySQL binlog from its beginning, in pieces of any size: the last word about each XA transaction in it.
class XaBinlogScanner {
 public:
  void feed(std::string_view bytes);
  // true: prepared. false: ended. nullopt: there is something in the file that cannot be read (compressed, encrypted).
  [[nodiscard]] std::optional<std::map<Xid, bool>> words() const;

 private:
  void take_event();

  std::string start_;           // of the event, as much as is looked at
  std::uint64_t skip_ = 0;      // bytes of it that are not
  std::size_t wanted_ = 0;      // of start_
  std::uint32_t length_ = 0;
  bool magic_ = false;
  bool checksums_ = false;
  bool unreadable_ = false;
  std::map<Xid, bool> words_;
};

// The XA transactions that are prepared by the MySQL binlogs of a datadir, the newest file first, until `wanted` of them are
// found. An Error where not so many are found in the files that are looked at. Blocking: off the loop.
Result<std::set<Xid>> prepared_in_binlogs(const std::string& datadir, std::size_t wanted);
// How ServerOps is given that.
using BinlogLook = std::function<asio::awaitable<Result<std::set<Xid>>>(std::size_t wanted)>;

}  // namespace mysos::mysql
