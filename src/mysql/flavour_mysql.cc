// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cctype>
#include <string>

#include "mysql/config.h"
#include "mysql/flavour_impl.h"
#include "mysql/password_hash.h"

namespace mysos::mysql {
namespace {

constexpr ReplicaColumns kColumns = {.receiver_running = "Replica_IO_Running",
                                     .applier_running = "Replica_SQL_Running",
                                     .host = "Source_Host",
                                     .port = "Source_Port",
                                     .behind = "Seconds_Behind_Source",
                                     .file = "Source_Log_File",
                                     .position = "Read_Source_Log_Pos"};

// gtid_owned names with each transaction the thread that has it: "uuid:7#21:8#22".
std::string without_owners(const std::string& owned) {
  std::string out;
  bool owner = false;
  for (const char c : owned) {
    owner = c == '#' || (owner && std::isdigit(static_cast<unsigned char>(c)) != 0);
    if (!owner) out += c;
  }
  return out;
}

// What a user may have. On databases:
constexpr std::string_view kOnDatabases =
    "SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, REFERENCES, INDEX, ALTER, CREATE TEMPORARY TABLES, LOCK TABLES, EXECUTE, "
    "CREATE VIEW, SHOW VIEW, CREATE ROUTINE, ALTER ROUTINE, EVENT, TRIGGER";
constexpr std::string_view kOnServer = "PROCESS, SHOW DATABASES, CREATE USER, CREATE ROLE, DROP ROLE, REPLICATION CLIENT";
constexpr std::string_view kDynamic = "XA_RECOVER_ADMIN, SHOW_ROUTINE, ROLE_ADMIN, APPLICATION_PASSWORD_ADMIN";

std::string without_spaces(std::string_view text) {
  std::string out(text);
  std::erase(out, ' ');
  return out;
}

std::vector<std::string> cut_in(const Tie& t, std::string_view name, std::string_view host, std::string_view of_name,
                                std::string_view of_host) {
  return {fmt::format("DELETE FROM mysql.{} WHERE {}={} AND {}={} AND {}={} AND {}={}", t.kind, name, quote(t.name), host,
                      quote(t.host), of_name, quote(t.of_name), of_host, quote(t.of_host)),
          "FLUSH PRIVILEGES"};
}

std::string receiver_of(const SourceSpec& s) {
  return fmt::format(
      "CHANGE REPLICATION SOURCE TO SOURCE_HOST={}, SOURCE_PORT={}, SOURCE_USER={}, SOURCE_PASSWORD={}, "
      "GET_SOURCE_PUBLIC_KEY=1, SOURCE_CONNECT_RETRY=1, SOURCE_RETRY_COUNT=4294967295, SOURCE_HEARTBEAT_PERIOD={}",
      quote(s.host), s.port, quote(s.user), quote(s.password), kHeartbeatSeconds);
}

class Mysql final : public Flavour {
 public:
  [[nodiscard]] FlavourKind kind() const override { return FlavourKind::kMysql; }
  [[nodiscard]] std::uint32_t max_d() const override { return 65535; }
  [[nodiscard]] bool has_clone() const override { return true; }
  [[nodiscard]] std::string executed_sql() const override { return "SELECT @@GLOBAL.gtid_executed"; }
  [[nodiscard]] std::string list_prepared() const override { return "XA RECOVER CONVERT XID"; }
  [[nodiscard]] bool keeps_idle_prepared() const override { return true; }
  [[nodiscard]] bool relay_log_survives() const override { return true; }
  [[nodiscard]] bool super_read_only() const override { return true; }

  [[nodiscard]] std::string set_read_only(bool on) const override {
    return on ? "SET GLOBAL super_read_only=ON" : "SET GLOBAL read_only=OFF";  // each implies the other's part
  }
  [[nodiscard]] std::string semi_sync_source(std::uint32_t d) const override {
    if (d == 0) return "SET GLOBAL rpl_semi_sync_source_enabled=OFF";
    return fmt::format(
        "SET GLOBAL rpl_semi_sync_source_wait_for_replica_count={}, GLOBAL rpl_semi_sync_source_timeout={}, "
        "GLOBAL rpl_semi_sync_source_wait_no_replica=ON, GLOBAL rpl_semi_sync_source_wait_point=AFTER_SYNC, "
        "GLOBAL rpl_semi_sync_source_enabled=ON",
        d, kSemiSyncTimeout);
  }
  [[nodiscard]] std::string semi_sync_replica(bool on) const override {
    return fmt::format("SET GLOBAL sync_relay_log={}, GLOBAL rpl_semi_sync_replica_enabled={}", on ? 1 : 0, on ? "ON" : "OFF");
  }
  [[nodiscard]] std::string stop_receiver() const override { return "STOP REPLICA IO_THREAD"; }
  [[nodiscard]] std::string stop_applier() const override { return "STOP REPLICA SQL_THREAD"; }
  [[nodiscard]] bool stop_waits_for_rest() const override { return true; }
  [[nodiscard]] std::string start_applier() const override { return "START REPLICA SQL_THREAD"; }
  // START REPLICA starts the applier too before it returns, and that takes ten times as long.
  [[nodiscard]] std::vector<std::string> start_replication() const override {
    return {"START REPLICA IO_THREAD", "START REPLICA SQL_THREAD"};
  }
  [[nodiscard]] bool has_no_relay_log(unsigned error) const override { return error == 1872; }
  [[nodiscard]] std::string forget_source() const override { return "RESET REPLICA ALL"; }
  [[nodiscard]] std::string change_source(const SourceSpec& s) const override {
    return receiver_of(s) + ", SOURCE_AUTO_POSITION=1";
  }
  // SOURCE_AUTO_POSITION cannot be said while the applier runs, even where it is so already.
  [[nodiscard]] std::string change_source_only(const SourceSpec& s, const std::vector<Rows>& snapshot) const override {
    if (snapshot.size() < 3 || snapshot[2].empty()) return {};
    const Rows& status = snapshot[2];
    const bool fit = status.text(0, "Replica_SQL_Running") == "Yes" && status.text(0, "Auto_Position") == "1";
    return fit ? receiver_of(s) : std::string();
  }
  [[nodiscard]] std::string align_position(const std::vector<Rows>&) const override { return {}; }  // AUTO_POSITION
  [[nodiscard]] std::string wait_executed(const GtidSet& set, double seconds) const override {
    return fmt::format("SELECT WAIT_FOR_EXECUTED_GTID_SET({}, {})", quote(set.to_string()), seconds);
  }

  [[nodiscard]] std::string snapshot_sql() const override {
    return "SELECT @@GLOBAL.gtid_owned AS owned; "
           "SELECT @@GLOBAL.read_only AS read_only, @@GLOBAL.gtid_executed AS executed, @@GLOBAL.gtid_purged AS purged, "
           "@@GLOBAL.rpl_semi_sync_source_enabled AS source_on, "
           "@@GLOBAL.rpl_semi_sync_source_wait_for_replica_count AS d, @@GLOBAL.server_uuid AS own, "
           "@@GLOBAL.event_scheduler AS events; "
           "SHOW REPLICA STATUS; SHOW GLOBAL STATUS LIKE 'Rpl\\_semi\\_sync%'; SHOW BINARY LOG STATUS; "
           "SELECT COUNT_RECEIVED_HEARTBEATS AS heartbeats FROM performance_schema.replication_connection_status "
           "WHERE CHANNEL_NAME=''; "
           "SELECT LAST_ERROR_MESSAGE AS words FROM performance_schema.replication_applier_status_by_worker "
           "WHERE CHANNEL_NAME='' AND LAST_ERROR_NUMBER<>0 LIMIT 1";
  }
  [[nodiscard]] std::string oldest_binlog_sql() const override { return {}; }  // gtid_purged says it
  [[nodiscard]] Result<ServerSnapshot> parse_snapshot(const std::vector<Rows>& answers) const override {
    if (answers.size() != 7 || answers[0].empty() || answers[1].empty()) {
      return fail(Errc::kInternal, "a snapshot has seven answers");
    }
    ServerSnapshot out;
    MYSOS_TRY(out.in_flight, GtidSet::parse(without_owners(answers[0].text(0, "owned"))));
    const Rows& own = answers[1];
    out.read_only = is_on(own.text(0, "read_only"));
    MYSOS_TRY(out.executed, GtidSet::parse(own.text(0, "executed")));
    out.logged = out.executed;
    out.binlog_complete = own.text(0, "purged").empty();
    out.gtid_source = own.text(0, "own");
    if (is_on(own.text(0, "source_on"))) out.semi_sync_d = static_cast<std::uint32_t>(own.number(0, "d").value_or(0));
    read_replica_status(answers[2], kColumns, out);
    // The coordinator only says that a worker has failed.
    if (out.applier_error.any() && !answers[6].empty()) out.last_error = out.applier_error.text = answers[6].text(0, "words");
    // Empty right after CHANGE SOURCE, although what was received before is there: so executed joins it.
    MYSOS_TRY(const GtidSet retrieved, GtidSet::parse(answers[2].text(0, "Retrieved_Gtid_Set")));
    out.received = out.executed.united(retrieved);
    // After `executed` was read, so that it is not before it.
    out.binlog_end = log_position(answers[4], "File", "Position");
    out.received_end = out.heard.position;
    out.heard.heartbeats = static_cast<std::uint64_t>(answers[5].number(0, "heartbeats").value_or(0));
    out.semi_sync_replica = is_on(global_status(answers[3], "Rpl_semi_sync_replica_status"));
    out.semi_sync_clients =
        static_cast<std::uint32_t>(std::atoi(global_status(answers[3], "Rpl_semi_sync_source_clients").c_str()));
    return out;
  }

  [[nodiscard]] std::string hold_commits() const override { return {}; }
  [[nodiscard]] std::string release_commits() const override { return {}; }

  [[nodiscard]] std::string list_events(std::string_view status) const override {
    return fmt::format("SELECT EVENT_SCHEMA AS db, EVENT_NAME AS name, DEFINER AS definer, CHARACTER_SET_CLIENT AS client, "
                       "COLLATION_CONNECTION AS collation FROM information_schema.events WHERE STATUS {}",
                       status);
  }

  [[nodiscard]] std::string list_accounts(std::string_view like) const override {
    return fmt::format(
        "SELECT User AS name, Host AS host, account_locked AS locked, authentication_string AS verifier FROM mysql.user "
        "WHERE User LIKE {}",
        quote(like));
  }
  [[nodiscard]] std::string verifier(std::string_view password, std::string_view salt) const override {
    return caching_sha2_hash(password, salt);
  }
  [[nodiscard]] std::string identified_by(const std::string& verifier) const override {
    return "IDENTIFIED WITH caching_sha2_password AS " + quote(verifier);
  }
  // SYSTEM_USER: no client can change or drop the account. SERVICE_CONNECTION_ADMIN: it may use the admin port.
  [[nodiscard]] std::vector<std::string> grant_replication(const std::string& account) const override {
    return {"GRANT REPLICATION SLAVE, SYSTEM_USER, SERVICE_CONNECTION_ADMIN ON *.* TO " + account};
  }
  [[nodiscard]] std::vector<std::string> grant_monitor(const std::string& account) const override {
    return {"GRANT PROCESS, REPLICATION CLIENT, SYSTEM_USER ON *.* TO " + account,
            "GRANT SELECT ON performance_schema.* TO " + account};
  }
  // Rights on all databases, less those on the server's own: with partial_revokes=ON whoever is granted something by this
  // account gets the same exceptions, and `%` in a grant is no pattern. No SYSTEM_USER, so CREATE USER does not reach our
  // accounts. No FLUSH_...: a FLUSH is written to the binlog of a read-only server too.
  [[nodiscard]] std::vector<std::string> grant_user(const std::string& account) const override {
    return {fmt::format("GRANT {}, {} ON *.* TO {} WITH GRANT OPTION", kOnDatabases, kOnServer, account),
            fmt::format("GRANT {} ON *.* TO {} WITH GRANT OPTION", kDynamic, account),
            fmt::format("REVOKE {} ON mysql.* FROM {}", kOnDatabases, account),
            "REVOKE INSERT, UPDATE, DELETE, CREATE, DROP, REFERENCES, INDEX, ALTER, CREATE VIEW, CREATE ROUTINE, "
            "ALTER ROUTINE, EVENT, TRIGGER ON sys.* FROM " +
                account,
            "REVOKE INSERT, UPDATE, DELETE, DROP, LOCK TABLES ON performance_schema.* FROM " + account};
  }
  [[nodiscard]] std::vector<std::string> grant_owner(const std::string& account) const override {
    return {fmt::format("GRANT {}, {} ON *.* TO {} WITH GRANT OPTION", kOnDatabases, kOnServer, account),
            fmt::format("GRANT {}, SYSTEM_USER ON *.* TO {} WITH GRANT OPTION", kDynamic, account)};
  }
  [[nodiscard]] std::vector<std::string> user_procedures(const std::string&, std::string_view) const override { return {}; }
  [[nodiscard]] std::string user_is_right(std::string_view name) const override {
    return fmt::format(
        "SELECT COUNT(*) AS ok, (SELECT COUNT(*) FROM mysql.user WHERE User={0} AND Host='%' AND authentication_string='') AS "
        "no_password, (SELECT authentication_string FROM mysql.user WHERE User={0} AND Host='%') AS current "
        "FROM mysql.user u WHERE User={0} AND Host='%' AND account_locked='N' AND Trigger_priv='Y' AND "
        "Create_user_priv='Y' AND Super_priv='N' AND Reload_priv='N' AND File_priv='N' AND Repl_slave_priv='N' AND "
        "Shutdown_priv='N' AND Create_tablespace_priv='N' AND "
        "JSON_SEARCH(User_attributes, 'one', 'mysql', NULL, '$.Restrictions[*].Database') IS NOT NULL AND "
        "JSON_SEARCH(User_attributes, 'one', 'performance_schema', NULL, '$.Restrictions[*].Database') IS NOT NULL AND "
        "JSON_SEARCH(User_attributes, 'one', 'sys', NULL, '$.Restrictions[*].Database') IS NOT NULL AND "
        "NOT EXISTS (SELECT 1 FROM mysql.db d WHERE d.User=u.User AND d.Host='%' AND d.Db IN ('%', 'mysql')) AND "
        "NOT EXISTS (SELECT 1 FROM mysql.global_grants g WHERE g.USER=u.User AND g.HOST='%' AND FIND_IN_SET(g.PRIV, {1})=0)",
        quote(name), quote(without_spaces(kDynamic)));
  }
  [[nodiscard]] std::string user_verifiers(std::string_view name) const override {
    return fmt::format("SELECT authentication_string AS current, "
                       "JSON_UNQUOTE(JSON_EXTRACT(User_attributes, '$.additional_password')) AS other "
                       "FROM mysql.user WHERE User={} AND Host='%'",
                       quote(name));
  }
  [[nodiscard]] std::vector<std::string> set_user_verifiers(const std::string& account, const UserVerifiers& now,
                                                            const UserVerifiers& wanted) const override {
    const std::string alter = "ALTER USER " + account + " ";
    std::vector<std::string> out;
    if (wanted.other.empty()) {
      if (now.current != wanted.current) out.push_back(alter + identified_by(wanted.current));
      if (!now.other.empty()) out.push_back(alter + "DISCARD OLD PASSWORD");
      return out;
    }
    if (now.current == wanted.current && now.other == wanted.other) return out;
    if (now.current != wanted.other) out.push_back(alter + identified_by(wanted.other));
    out.push_back(alter + identified_by(wanted.current) + " RETAIN CURRENT PASSWORD");
    return out;
  }

  [[nodiscard]] std::vector<std::pair<std::string_view, std::string_view>> guarded_settings() const override {
    return {{"sync_binlog", "1"},
            {"innodb_flush_log_at_trx_commit", "1"},
            {"binlog_row_image", "FULL"},
            {"init_connect", ""},
            {"gtid_mode", "ON"},
            {"enforce_gtid_consistency", "ON"},
            {"partial_revokes", "1"},
            {"replica_preserve_commit_order", "1"},
            {"rpl_semi_sync_source_wait_point", "AFTER_SYNC"},
            {"rpl_semi_sync_source_wait_no_replica", "1"},
            {"rpl_semi_sync_source_timeout", kSemiSyncTimeout}};
  }
  // Rights on all databases are powers where mysql.* is not excepted from each of them.
  [[nodiscard]] std::string guarded_accounts(std::string_view user) const override {
    constexpr std::string_view kRightColumns[] = {
        "Select", "Insert", "Update", "Delete", "Create", "Drop", "References", "Index", "Alter",
        "Create_tmp_table", "Lock_tables", "Execute", "Create_view", "Show_view", "Create_routine", "Alter_routine",
        "Event", "Trigger"};
    std::string count, rights = "Super_priv, Grant_priv, Create_user_priv, Reload_priv, Process_priv, Repl_slave_priv";
    for (const auto column : kRightColumns) {
      count += fmt::format("{}({}_priv='Y')", count.empty() ? "" : "+", column);
      rights += fmt::format(", {}_priv", column);
    }
    const auto on_mysql = [](std::string_view table) {
      return fmt::format("EXISTS (SELECT 1 FROM mysql.{} x WHERE x.User=u.User AND x.Host=u.Host AND x.Db='mysql')", table);
    };
    return fmt::format(
        "SELECT User AS name, Host AS host, account_locked AS locked, authentication_string AS verifier, "
        "CONCAT({}, (SELECT IFNULL(GROUP_CONCAT(PRIV ORDER BY PRIV), '') FROM mysql.global_grants g WHERE g.USER=u.User AND "
        "g.HOST=u.Host)) AS rights, "
        "CONCAT_WS(', ', IF(Super_priv='Y', 'SUPER', NULL), IF(Reload_priv='Y', 'RELOAD', NULL), "
        "IF(Shutdown_priv='Y', 'SHUTDOWN', NULL), IF(File_priv='Y', 'FILE', NULL), "
        "IF(Repl_slave_priv='Y', 'REPLICATION SLAVE', NULL), IF(Create_tablespace_priv='Y', 'CREATE TABLESPACE', NULL), "
        "(SELECT GROUP_CONCAT(PRIV ORDER BY PRIV SEPARATOR ', ') FROM mysql.global_grants g WHERE g.USER=u.User AND "
        "g.HOST=u.Host AND FIND_IN_SET(g.PRIV, {})=0), "
        "IF({} > IFNULL(JSON_LENGTH(JSON_EXTRACT(User_attributes, REPLACE(JSON_UNQUOTE(JSON_SEARCH(User_attributes, 'one', "
        "'mysql', NULL, '$.Restrictions[*].Database')), '.Database', '.Privileges'))), 0) OR {} OR {} OR {} OR {}, "
        "'rights on mysql.*', NULL)) AS powers "
        "FROM mysql.user u WHERE NOT (Host='localhost' AND User IN ('mysql.sys', 'mysql.session', 'mysql.infoschema')) AND "
        "NOT (Host='%' AND User={}) HAVING name LIKE 'mysos\\_%' OR name='' OR powers<>''",
        rights, quote(without_spaces(kDynamic)), count, on_mysql("db"), on_mysql("tables_priv"), on_mysql("columns_priv"),
        on_mysql("procs_priv"), quote(user));
  }
  [[nodiscard]] std::string guarded_ties() const override {
    constexpr std::string_view kTable =
        "SELECT '{0}' AS kind, {1} AS name, {2} AS host, {3} AS of_name, {4} AS of_host FROM mysql.{0} "
        "WHERE {1} LIKE 'mysos\\_%' OR {3} LIKE 'mysos\\_%' OR {3}=''";
    return fmt::format(kTable, "proxies_priv", "User", "Host", "Proxied_user", "Proxied_host") + " UNION ALL " +
           fmt::format(kTable, "role_edges", "TO_USER", "TO_HOST", "FROM_USER", "FROM_HOST") + " UNION ALL " +
           fmt::format(kTable, "default_roles", "USER", "HOST", "DEFAULT_ROLE_USER", "DEFAULT_ROLE_HOST");
  }
  [[nodiscard]] std::vector<std::string> cut_tie(const Tie& tie) const override {
    if (tie.kind == "proxies_priv") return cut_in(tie, "User", "Host", "Proxied_user", "Proxied_host");
    if (tie.kind == "role_edges") return cut_in(tie, "TO_USER", "TO_HOST", "FROM_USER", "FROM_HOST");
    return cut_in(tie, "USER", "HOST", "DEFAULT_ROLE_USER", "DEFAULT_ROLE_HOST");
  }
  [[nodiscard]] std::string_view replication_powers() const override {
    return "REPLICATION SLAVE, SERVICE_CONNECTION_ADMIN, SYSTEM_USER";
  }
  [[nodiscard]] std::string other_engines() const override {
    return "SELECT TABLE_SCHEMA AS db, TABLE_NAME AS name, ENGINE AS engine FROM information_schema.TABLES "
           "WHERE TABLE_TYPE='BASE TABLE' AND ENGINE<>'InnoDB' AND TABLE_SCHEMA NOT IN "
           "('mysql', 'sys', 'performance_schema', 'information_schema') LIMIT 1000";
  }
  // It would write to its binlog even so: tried on 9.7, with sql_log_bin=0 in the init file.
  [[nodiscard]] std::string open_memory_tables() const override { return {}; }
  [[nodiscard]] std::vector<std::string> remove_default_accounts() const override {
    return {"DROP USER 'root'@'localhost'"};
  }

  [[nodiscard]] Bytes min_memory() const override { return mib(512); }
  [[nodiscard]] Bytes fixed_memory() const override { return mib(320); }
  [[nodiscard]] Bytes diagnostics_memory() const override { return mib(260); }
  [[nodiscard]] ConfigLines config(const ConfigInput& in, const MemoryPlan& plan) const override {
    const auto m = [](Bytes b) { return fmt::format("{}M", b.mib()); };
    ConfigLines lines = {
        {"gtid_mode", "ON"},
        {"enforce_gtid_consistency", "ON"},
        {"partial_revokes", "ON"},  // what grant_user() says of mysql.* needs it
        {"log_replica_updates", "ON"},
        {"super_read_only", "ON"},
        {"read_only", "ON"},
        {"skip_replica_start", "ON"},
        // What was acknowledged is in the relay log: it survives a crash, and is read again after it.
        {"relay_log_recovery", "OFF"},
        {"sync_relay_log", "1"},
        {"replica_parallel_workers", std::to_string(plan.applier_threads)},
        {"replica_preserve_commit_order", "ON"},
        {"replica_pending_jobs_size_max", m(plan.applier_queue)},
        {"replica_net_timeout", "4"},
        {"plugin_load_add", "semisync_source.so"},
        {"plugin_load_add", "semisync_replica.so"},
        {"plugin_load_add", "mysql_clone.so"},
        {"rpl_semi_sync_source_enabled", "OFF"},
        {"rpl_semi_sync_replica_enabled", "OFF"},
        {"rpl_semi_sync_source_wait_point", "AFTER_SYNC"},
        {"rpl_semi_sync_source_wait_no_replica", "ON"},
        {"rpl_semi_sync_source_timeout", std::string(kSemiSyncTimeout)},
        {"mysqlx", "OFF"},
        {"binlog_expire_logs_seconds", "0"},
        {"binlog_expire_logs_auto_purge", "OFF"},
        {"innodb_buffer_pool_chunk_size", m(kPoolChunk)},
        {"innodb_buffer_pool_instances", std::to_string(plan.pool_instances)},
        {"innodb_redo_log_capacity", m(plan.redo)},
        {"temptable_max_ram", m(plan.temp_tables)},
        {"secure_file_priv", in.files_dir.empty() ? "NULL" : in.files_dir},  // NULL: off
    };
    if (in.admin_port != 0) {
      lines.emplace_back("admin_address", in.report_host);
      lines.emplace_back("admin_port", std::to_string(in.admin_port));
      lines.emplace_back("create_admin_listener_thread", "ON");
    }
    // What a crash leaves of their tables may differ from member to member; a MEMORY table that is first read after a restart
    // writes a transaction of its own.
    if (!in.any_engine) {
      lines.emplace_back("disabled_storage_engines", "MEMORY,MyISAM,MRG_MYISAM,ARCHIVE,BLACKHOLE,CSV,FEDERATED,EXAMPLE,NDB");
    }
    return lines;
  }
};

}  // namespace

const Flavour& mysql_flavour() {
  static const Mysql only;
  return only;
}

}  // namespace mysos::mysql
