// SPDX-License-Identifier: Apache-2.0
#pragma once
// Reads which complete transactions a MariaDB replica's relay logs hold, without the server. MariaDB throws the logs away when
// replication next starts, so the executor reads first what the replica may have acknowledged (docs/mysql.md).
//
// Invariant: the answer contains everything that the replica can have acknowledged. If that is not certain, there is no answer.
// An acknowledgement is sent after the last event of a transaction was written (sync_relay_log=1), so only what was cut off at
// the end of a file may be left out. Certain means: each event has a right checksum, belongs to a type that is known here, and
// stands where it may; nothing is encrypted.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "model/gtid.h"

namespace mysos::mysql {

// Fed the files in the order they were written, each in pieces of any size. Pure.
class RelayLogScanner {
 public:
  void begin_file();
  void feed(std::string_view bytes);
  void end_file();
  [[nodiscard]] bool in_doubt() const { return doubt_.has_value(); }
  // The whole transactions of all files; an Error says what is not certain.
  [[nodiscard]] Result<GtidSet> held() const;

 private:
  struct Header {
    std::uint8_t type = 0;
    std::uint32_t server = 0;
    std::uint32_t length = 0;
    std::uint32_t end = 0;  // in the source's binlog; 0 = none
    std::uint16_t flags = 0;
  };
  struct Group {  // a transaction of which the beginning was read
    std::uint32_t domain = 0;
    std::uint32_t server = 0;
    std::uint64_t number = 0;
    bool standalone = false;   // ends with the next event that does something, not with a commit
    bool whole = false;
    bool interrupted = false;  // a new connection or file began since
  };

  void doubt(std::string why);
  std::size_t gather_magic(std::string_view bytes);
  std::size_t gather_header(std::string_view bytes);
  std::size_t gather_body(std::string_view bytes);
  void read_header();
  void take_event();
  void take_description();
  void take_gtid();
  void take_part_of_group();
  [[nodiscard]] bool right_checksum() const;
  [[nodiscard]] bool ends_group() const;

  std::optional<std::string> doubt_;
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint64_t> last_;  // of each domain and server
  std::optional<Group> group_;
  // of this file
  std::uint64_t offset_ = 0;
  bool described_ = false;  // the format description was read
  std::optional<std::uint32_t> source_end_;  // where the event before ended in the source's binlog
  // of this event
  Header header_;
  std::string start_;        // as much of it as is looked at
  std::uint32_t seen_ = 0;   // bytes of it
  std::uint32_t checksum_ = 0;
};

// Where a datadir's relay logs are, as config.h names them.
inline constexpr std::string_view kRelayLogName = "relay";

// All relay logs of the datadir of a server that does not run. Blocking: off the loop.
Result<GtidSet> read_relay_logs(const std::string& datadir);
// All that a server has written to its relay logs is durable. It may run; its receiver should not. Blocking: off the loop.
Status sync_relay_logs(const std::string& datadir);
// Hard links in `kept`, which is made, under names that were not used there; those that are linked already stay as they are.
Status keep_relay_logs(const std::string& datadir, const std::string& kept);

}  // namespace mysos::mysql
