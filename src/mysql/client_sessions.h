// SPDX-License-Identifier: Apache-2.0
#pragma once
// Who is connected to a server, read from SHOW PROCESSLIST and information_schema.innodb_trx: which sessions are users',
// whether the applier waits for a lock, and which sessions may be the ones that hold it. Pure. No server says exactly who
// holds a metadata lock (MySQL's performance_schema is off where memory is small, MariaDB's plugin is not loaded). So the
// functions name the likely sessions first, and more sessions if that did not help.
#include <cstdint>
#include <string>
#include <vector>

#include "base/time.h"
#include "mysql/rows.h"

namespace mysos::mysql {

// What connected() takes, in this order. The columns of the second: id, waits and locks (0 or 1), seconds.
std::string sessions_sql();

// A thread that executes what was received, or that leads those that do.
bool is_applier(const Rows& processlist, std::size_t row);

// Neither the server itself nor one of ours (replication among them).
bool is_client(const Rows& processlist, std::size_t row);

struct ClientSession {
  std::uint64_t id = 0;
  std::string who;   // "app@10.0.0.7:41200"
  bool idle = false;
  std::int64_t idle_seconds = 0;
  bool waits = false;              // for a lock itself
  bool locks_rows = false;
  std::int64_t open_seconds = -1;  // its transaction; -1 = none that InnoDB knows of
};

struct Connected {
  std::vector<ClientSession> clients;
  bool copied = false;            // a copy of the server is being made: that may hold locks too
  std::string applier_waits_for;  // "a table metadata lock"; "" = for no lock of a user's
  std::string applier_does;       // the state of the applier that waits, or works, as the server shows it
  std::size_t writers_without_session = 0;  // transactions that have changed rows: prepared XA transactions
  bool prepared = false;  // an XA transaction that has no session may hold the lock; the caller says so
};
Connected connected(const Rows& processlist, const Rows& transactions);

// The sessions to end so that the applier can continue. Round 1: sessions with an open transaction (a running statement has
// one). Round 2: all sessions that do not wait themselves (LOCK TABLES and FLUSH TABLES ... WITH READ LOCK show nowhere). Then
// all. If a copy of the server or a prepared XA transaction may hold the lock, no session is ended on suspicion. `waited`: how
// long the applier has waited; a session that began its transaction later cannot hold the lock.
std::vector<ClientSession> in_the_way(const Connected& seen, int round, Duration waited = Duration::zero());
inline constexpr int kRounds = 3;

// Sessions that have been idle in a transaction for `limit`.
std::vector<ClientSession> idle_for(const Connected& seen, Duration limit);

// "app@10.0.0.7:41200 (12 s in a transaction)", the first few of them.
std::string named(const std::vector<ClientSession>& sessions);

}  // namespace mysos::mysql
