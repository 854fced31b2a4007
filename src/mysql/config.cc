// SPDX-License-Identifier: Apache-2.0
#include "mysql/config.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace mysos::mysql {
namespace {

constexpr Bytes kConnection{192 << 10};     // stack and net buffers of one that does little
constexpr Bytes kDiagnosticsFrom = gib(2);  // below, performance_schema would take what the pool needs
constexpr std::uint32_t kOwnConnections = 10;  // those that come before clients have taken all

Bytes part(Bytes of, std::uint64_t percent) { return {of.value / 100 * percent}; }
std::string megabytes(Bytes b) { return fmt::format("{}M", b.mib()); }

std::string render(const ConfigLines& lines) {
  std::string out;
  for (const auto& [key, value] : lines) out += fmt::format("{}={}\n", key, value);
  return out;
}

Status check_paths(const ConfigInput& in) {
  for (const std::string* path : {&in.datadir, &in.socket, &in.error_log, &in.pid_file, &in.init_file,
                                  &in.files_dir, &in.temp_dir}) {
    if (path->find_first_of("\n\r#\"'") != std::string::npos) {
      return fail(Errc::kInvalid, fmt::format("the path '{}' cannot stand in a server's configuration", *path));
    }
  }
  for (const auto& [key, value] : in.user_settings) {
    if (key.find_first_of("\n\r[]=# ") != std::string::npos || value.find_first_of("\n\r") != std::string::npos) {
      return fail(Errc::kInvalid, fmt::format("'{}' is no setting", key), key);
    }
  }
  return {};
}

}  // namespace

Bytes min_memory(FlavourKind kind) { return flavour(kind).min_memory(); }

Result<MemoryPlan> plan_memory(const Flavour& f, Bytes memory, double cpus) {
  if (memory < f.min_memory()) {
    return fail(Errc::kInvalid,
                fmt::format("{} needs at least {} of memory, not {}", f.name(), to_string(f.min_memory()), to_string(memory)),
                "mem");
  }
  MemoryPlan out;
  const std::uint64_t all = memory.mib();
  out.max_connections = static_cast<std::uint32_t>(std::clamp<std::uint64_t>(all / 8, 40, 4000));
  out.applier_threads =
      std::clamp(static_cast<std::uint32_t>(std::ceil(std::max(cpus, 1.0))) * 2, kMinApplierThreads, 16U);
  out.temp_tables = mib(std::clamp<std::uint64_t>(all / 32, 16, 1024));
  out.applier_queue = mib(std::clamp<std::uint64_t>(all / 64, 8, 128));
  // A row is in memory several times: on a replica of 600 MB one of 16 MB took all that was left, and one of 24 MB was the end.
  out.packet = mib(std::clamp<std::uint64_t>(all / 64, 4, 64));
  out.session_buffer = mib(std::clamp<std::uint64_t>(all / 32, 16, 1024));
  out.log_buffer = mib(std::clamp<std::uint64_t>(all / 64, 8, 64));
  out.diagnostics = memory >= kDiagnosticsFrom;

  std::uint64_t overhead = f.fixed_memory().value + out.max_connections * kConnection.value + out.temp_tables.value / 2;
  if (out.diagnostics) overhead += f.diagnostics_memory().value;
  const Bytes left{memory.value > overhead ? memory.value - overhead : 0};
  Bytes pool = part(left, 75);
  out.pool_instances = static_cast<std::uint32_t>(std::clamp<std::uint64_t>(pool.value / gib(1).value, 1, 8));
  const std::uint64_t grain = kPoolChunk.value * out.pool_instances;  // the server would round up
  pool = Bytes{std::max<std::uint64_t>(pool.value / grain * grain, kPoolChunk.value)};
  out.pool = pool;
  out.redo = mib(std::clamp<std::uint64_t>(pool.mib() / 2, 96, 1024));
  return out;
}

Result<std::string> server_config(const Distribution& d, const ConfigInput& in) {
  if (in.server_id == 0) return fail(Errc::kInvalid, "a server needs a server id", "server_id");
  MYSOS_TRY_VOID(check_paths(in));
  const Flavour& f = flavour(d.kind);
  MYSOS_TRY(const MemoryPlan plan, plan_memory(f, in.memory, in.cpus));
  ConfigLines lines = {
      {"basedir", d.basedir},
      {"datadir", in.datadir},
      {"tmpdir", in.temp_dir},
      {"socket", in.socket},
      {"pid_file", in.pid_file},
      {"log_error", in.error_log},
      {"port", std::to_string(in.port)},
      {"bind_address", in.bind_address},
      {"report_host", in.report_host},
      {"report_port", std::to_string(in.port)},
      {"server_id", std::to_string(in.server_id)},
      {"skip_name_resolve", "ON"},
      {"event_scheduler", "OFF"},  // on where clients can write, and only there: core/member/event_duty.h
      {"local_infile", "OFF"},
      {"character_set_server", "utf8mb4"},
      {"max_connections", std::to_string(plan.max_connections + kOwnConnections)},
      {"performance_schema", plan.diagnostics ? "ON" : "OFF"},
      {"log_bin", "binlog"},
      {"relay_log", "relay"},
      {"binlog_format", "ROW"},
      {"binlog_row_image", "FULL"},
      {"log_bin_trust_function_creators", "ON"},  // else nobody but a superuser makes functions and triggers; rows are logged
      {"sync_binlog", "1"},
      {"innodb_flush_log_at_trx_commit", "1"},
      {"innodb_doublewrite", "ON"},
      {"innodb_buffer_pool_size", megabytes(plan.pool)},
      {"innodb_log_buffer_size", megabytes(plan.log_buffer)},
      {"max_allowed_packet", megabytes(plan.packet)},
      {"myisam_recover_options", "BACKUP,FORCE"},
  };
  // The server keeps a session within these when it changes its own buffers.
  for (const char* buffer : {"sort_buffer_size", "join_buffer_size", "read_buffer_size", "read_rnd_buffer_size",
                             "bulk_insert_buffer_size", "max_heap_table_size", "tmp_table_size"}) {
    lines.emplace_back(std::string("maximum_") + buffer, megabytes(plan.session_buffer));
  }
  if (d.kind == FlavourKind::kMysql) std::erase_if(lines, [](const auto& l) { return l.first == "binlog_format"; });
  if (!d.messages_dir.empty()) lines.emplace_back("lc_messages_dir", d.messages_dir);
  if (!d.charsets_dir.empty()) lines.emplace_back("character_sets_dir", d.charsets_dir);
  if (!d.plugin_dir.empty()) lines.emplace_back("plugin_dir", d.plugin_dir);
  if (!in.init_file.empty()) lines.emplace_back("init_file", in.init_file);
  for (auto& line : f.config(in, plan)) lines.push_back(std::move(line));
  for (const auto& [key, value] : in.user_settings) lines.emplace_back(key, value);
  return "# Written by mysos at each start: changes here are lost.\n[mysqld]\n" + render(lines);
}

}  // namespace mysos::mysql
