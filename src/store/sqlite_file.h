// SPDX-License-Identifier: Apache-2.0
#pragma once
// A SQLite file of Mysos: mode 0600, WAL and synchronous=FULL, so that a commit survives a power cut. The version of its schema
// is in user_version: an older one is migrated when the file is opened, a newer one is refused.
#include <span>
#include <string>

#include "store/sqlite.h"

namespace mysos {

struct SqliteOptions {
  int busy_timeout_ms = 5000;  // how long to wait for another process
  std::int64_t max_pages = 0;  // 0 = as the disk allows; a limit stands for a full disk in tests
};

// Opens or makes the file; its folder must be there. Migration i leads from schema version i to i + 1; one that was released is
// never changed. kConflict: a newer Mysos wrote the file.
Result<SqliteDatabase> open_sqlite_file(const std::string& path, std::span<const char* const> migrations,
                                        SqliteOptions options);

// A consistent copy of such a file, which another process may be writing, in a new file of mode 0600. kNotFound: there is none;
// kConflict: `to` exists.
Status copy_sqlite_file(const std::string& from, const std::string& to);

}  // namespace mysos
