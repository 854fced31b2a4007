// SPDX-License-Identifier: Apache-2.0
#include "mysql/flavour.h"

#include <charconv>

#include "mysql/flavour_impl.h"

namespace mysos::mysql {

const Flavour& flavour(FlavourKind kind) {
  switch (kind) {
    case FlavourKind::kMysql: return mysql_flavour();
    case FlavourKind::kMariadb: return mariadb_flavour();
  }
  return mysql_flavour();
}

ReplicaState replica_state(const ServerSnapshot& s) {
  return {.configured = !s.receiver_host.empty(),
          .receiver_running = s.receiver_running,
          .applier_running = s.applier_running,
          .executed = s.executed,
          .received = s.received,
          .last_error = s.last_error};
}

std::string global_status(const Rows& status, std::string_view name) {
  for (std::size_t i = 0; i < status.size(); ++i) {
    if (status.text(i, std::size_t{0}) == name) return status.text(i, std::size_t{1});
  }
  return {};
}

bool is_on(std::string_view value) { return value == "1" || value == "ON" || value == "Yes"; }

LogPosition log_position(const Rows& rows, std::string_view file, std::string_view offset) {
  if (rows.empty()) return {};
  const std::string name = rows.text(0, file);  // "binlog.000012"
  LogPosition out;
  const std::size_t dot = name.rfind('.');
  if (dot == std::string::npos) return {};
  const auto [end, ec] = std::from_chars(name.data() + dot + 1, name.data() + name.size(), out.file);
  if (ec != std::errc() || end != name.data() + name.size()) return {};
  out.offset = static_cast<std::uint64_t>(rows.number(0, offset).value_or(0));
  return out;
}

void read_replica_status(const Rows& status, const ReplicaColumns& columns, ServerSnapshot& out) {
  if (status.empty()) return;
  const std::string receiver = status.text(0, columns.receiver_running);
  out.receiver_running = !receiver.empty() && receiver != "No";
  out.receiver_connected = receiver == "Yes";
  out.applier_running = status.text(0, columns.applier_running) == "Yes";
  out.receiver_host = status.text(0, columns.host);
  out.receiver_port = static_cast<std::uint16_t>(status.number(0, columns.port).value_or(0));
  out.heard.position = log_position(status, columns.file, columns.position);
  const auto seconds = status.number(0, columns.behind);
  out.lag_ms = seconds ? *seconds * 1000 : -1;
  // Error 1236 is said for other reasons, too; of this one both flavours say that binlogs were "purged".
  const std::string refused = status.text(0, "Last_IO_Error");
  out.binlog_gone = refused.find("fatal error 1236") != std::string::npos && refused.find("purged") != std::string::npos;
  const auto error_of = [&](std::string_view number, std::string_view text) {
    return ReplicationError{static_cast<std::uint32_t>(status.number(0, number).value_or(0)), status.text(0, text)};
  };
  out.applier_error = error_of("Last_SQL_Errno", "Last_SQL_Error");
  out.receiver_error = error_of("Last_IO_Errno", "Last_IO_Error");
  out.last_error = out.applier_error.text.empty() ? out.receiver_error.text : out.applier_error.text;
}

}  // namespace mysos::mysql
