// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <map>

#include "mysql/config.h"
#include "mysql/flavour_impl.h"
#include "mysql/password_hash.h"
#include "mysql/user_procedures.h"

namespace mysos::mysql {
namespace {

constexpr ReplicaColumns kColumns = {.receiver_running = "Slave_IO_Running",
                                     .applier_running = "Slave_SQL_Running",
                                     .host = "Master_Host",
                                     .port = "Master_Port",
                                     .behind = "Seconds_Behind_Master",
                                     .file = "Master_Log_File",
                                     .position = "Read_Master_Log_Pos"};

// What a user may have on databases.
constexpr std::string_view kOnDatabases =
    "SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, REFERENCES, INDEX, ALTER, CREATE TEMPORARY TABLES, LOCK TABLES, EXECUTE, "
    "CREATE VIEW, SHOW VIEW, CREATE ROUTINE, ALTER ROUTINE, EVENT, TRIGGER, DELETE HISTORY";
// SHOW DATABASES and BINLOG MONITOR, as mysql.global_priv has them.
constexpr std::uint64_t kUserAccess = (1U << 14) | (1U << 20);

// The last transaction of each domain. One domain has one history (gtid_strict_mode), so the higher number is later.
struct Last {
  std::uint64_t seq = 0;
  std::string gtid;
};
void read_positions(std::string_view text, std::map<std::string, Last>& out) {
  while (!text.empty()) {
    const auto comma = std::min(text.find(','), text.size());
    const std::string gtid(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
    const auto first = gtid.find('-'), last = gtid.rfind('-');
    if (first == std::string::npos || last == first) continue;
    const std::uint64_t seq = std::strtoull(gtid.c_str() + last + 1, nullptr, 10);
    Last& known = out[gtid.substr(0, first)];
    if (seq >= known.seq) known = {.seq = seq, .gtid = gtid};
  }
}

class Mariadb final : public Flavour {
 public:
  [[nodiscard]] FlavourKind kind() const override { return FlavourKind::kMariadb; }
  [[nodiscard]] std::uint32_t max_d() const override { return 1; }
  [[nodiscard]] bool has_clone() const override { return false; }
  [[nodiscard]] std::string executed_sql() const override { return "SELECT @@GLOBAL.gtid_current_pos"; }
  [[nodiscard]] std::string list_prepared() const override { return "XA RECOVER"; }
  [[nodiscard]] bool keeps_idle_prepared() const override { return false; }
  [[nodiscard]] bool relay_log_survives() const override { return false; }
  [[nodiscard]] bool super_read_only() const override { return false; }

  [[nodiscard]] std::string set_read_only(bool on) const override {
    return on ? "SET GLOBAL read_only=ON" : "SET GLOBAL innodb_strict_mode=ON, GLOBAL read_only=OFF";
  }
  [[nodiscard]] std::string semi_sync_source(std::uint32_t d) const override {
    if (d == 0) return "SET GLOBAL rpl_semi_sync_master_enabled=OFF";
    return fmt::format(
        "SET GLOBAL rpl_semi_sync_master_timeout={}, GLOBAL rpl_semi_sync_master_wait_no_slave=ON, "
        "GLOBAL rpl_semi_sync_master_wait_point=AFTER_SYNC, GLOBAL rpl_semi_sync_master_enabled=ON",
        kSemiSyncTimeout);
  }
  [[nodiscard]] std::string semi_sync_replica(bool on) const override {
    return fmt::format("SET GLOBAL sync_relay_log={}, GLOBAL rpl_semi_sync_slave_enabled={}", on ? 1 : 0, on ? "ON" : "OFF");
  }
  [[nodiscard]] std::string stop_receiver() const override { return "STOP SLAVE IO_THREAD"; }
  [[nodiscard]] std::string stop_applier() const override { return "STOP SLAVE SQL_THREAD"; }
  [[nodiscard]] bool stop_waits_for_rest() const override { return false; }
  [[nodiscard]] std::string start_applier() const override { return "START SLAVE SQL_THREAD"; }
  [[nodiscard]] bool has_no_relay_log(unsigned error) const override { return error == 1201; }
  // A client may switch innodb_strict_mode off for its session on the primary. The binlog does not say so: a strict applier
  // would stop at a table that the primary has made. An applier that is not strict does what either did.
  [[nodiscard]] std::vector<std::string> start_replication() const override {
    return {"SET GLOBAL innodb_strict_mode=OFF", "START SLAVE"};
  }
  [[nodiscard]] std::string forget_source() const override { return "RESET SLAVE ALL"; }
  [[nodiscard]] std::string change_source(const SourceSpec& s) const override {
    return fmt::format(
        "CHANGE MASTER TO MASTER_HOST={}, MASTER_PORT={}, MASTER_USER={}, MASTER_PASSWORD={}, MASTER_USE_GTID=slave_pos, "
        "MASTER_CONNECT_RETRY=1, MASTER_HEARTBEAT_PERIOD={}",
        quote(s.host), s.port, quote(s.user), quote(s.password), kHeartbeatSeconds);
  }
  // Its CHANGE MASTER wants the applier stopped.
  [[nodiscard]] std::string change_source_only(const SourceSpec&, const std::vector<Rows>&) const override { return {}; }
  // gtid_slave_pos knows what was applied; what this server wrote as a primary is in its binlog only. Asked from the
  // former, the source would send what is here already, and gtid_strict_mode would stop the applier.
  [[nodiscard]] std::string align_position(const std::vector<Rows>& snapshot) const override {
    if (snapshot.empty()) return {};
    std::map<std::string, Last> slave, both;
    read_positions(snapshot[0].text(0, "slave_pos"), slave);
    both = slave;
    read_positions(snapshot[0].text(0, "binlog_pos"), both);
    std::string want;
    bool differs = false;
    for (const auto& [domain, last] : both) {
      want += (want.empty() ? "" : ",") + last.gtid;
      const auto known = slave.find(domain);
      differs = differs || known == slave.end() || known->second.gtid != last.gtid;
    }
    return differs ? "SET GLOBAL gtid_slave_pos=" + quote(want) : std::string();
  }
  [[nodiscard]] std::string wait_executed(const GtidSet& set, double seconds) const override {
    // Only the last one of a domain can be waited for: the one with the highest number.
    std::map<std::string, Last> domains;
    read_positions(set.to_string(), domains);
    std::string position;
    for (const auto& [domain, last] : domains) position += (position.empty() ? "" : ",") + last.gtid;
    return fmt::format("SELECT MASTER_GTID_WAIT({}, {})", quote(position), seconds);
  }

  [[nodiscard]] std::string snapshot_sql() const override {
    return "SELECT @@GLOBAL.read_only AS read_only, @@GLOBAL.gtid_binlog_state AS binlog_state, "
           "@@GLOBAL.gtid_binlog_pos AS binlog_pos, @@GLOBAL.gtid_slave_pos AS slave_pos, "
           "@@GLOBAL.rpl_semi_sync_master_enabled AS source_on, "
           "CONCAT(@@GLOBAL.gtid_domain_id, '-', @@GLOBAL.server_id) AS own, @@GLOBAL.event_scheduler AS events; "
           "SHOW ALL SLAVES STATUS; SHOW GLOBAL STATUS LIKE 'Rpl\\_semi\\_sync%'";
  }
  // Not part of a snapshot: it waits for the binlog's lock, which commits hold that wait for an acker.
  [[nodiscard]] std::string oldest_binlog_sql() const override { return "SHOW BINLOG EVENTS LIMIT 1"; }
  [[nodiscard]] Result<ServerSnapshot> parse_snapshot(const std::vector<Rows>& answers) const override {
    if (answers.size() != 3 || answers[0].empty()) return fail(Errc::kInternal, "a snapshot has three answers");
    ServerSnapshot out;
    const Rows& own = answers[0];
    out.read_only = is_on(own.text(0, "read_only"));
    out.gtid_source = own.text(0, "own");
    MYSOS_TRY(const GtidSet written, GtidSet::parse(own.text(0, "binlog_state")));
    MYSOS_TRY(const GtidSet applied, GtidSet::parse(own.text(0, "slave_pos")));
    out.executed = written.united(applied);
    out.logged = written;
    if (is_on(own.text(0, "source_on"))) out.semi_sync_d = 1;
    read_replica_status(answers[1], kColumns, out);
    out.heard.heartbeats = static_cast<std::uint64_t>(answers[1].number(0, "Slave_received_heartbeats").value_or(0));
    // Where the receiver is. Empty after a restart, until it starts again: by then the relay log is gone.
    MYSOS_TRY(const GtidSet position, GtidSet::parse(answers[1].text(0, "Gtid_IO_Pos")));
    out.received = out.executed.united(position);
    out.semi_sync_replica = is_on(global_status(answers[2], "Rpl_semi_sync_slave_status"));
    out.semi_sync_clients =
        static_cast<std::uint32_t>(std::atoi(global_status(answers[2], "Rpl_semi_sync_master_clients").c_str()));
    return out;
  }

  // A kill ends the wait of the one commit of a group that waits for the acker, and the server then acknowledges the others
  // of the group to their clients, whom nobody has killed yet.
  [[nodiscard]] std::string hold_commits() const override {
    return "BACKUP STAGE START; BACKUP STAGE BLOCK_COMMIT";
  }
  [[nodiscard]] std::string release_commits() const override { return "BACKUP STAGE END"; }

  // information_schema.events opens and parses each of them.
  [[nodiscard]] std::string list_events(std::string_view status) const override {
    return fmt::format("SELECT db, name, definer, character_set_client AS client, collation_connection AS collation "
                       "FROM mysql.event WHERE status {}",
                       status);
  }

  [[nodiscard]] std::string list_accounts(std::string_view like) const override {
    return fmt::format(
        "SELECT User AS name, Host AS host, IF(IFNULL(JSON_VALUE(Priv, '$.account_locked'), 0), 'Y', 'N') AS locked, "
        "JSON_VALUE(Priv, '$.authentication_string') AS verifier FROM mysql.global_priv WHERE User LIKE {}",
        quote(like));
  }
  [[nodiscard]] std::string verifier(std::string_view password, std::string_view /*salt*/) const override {
    return native_password_hash(password);
  }
  [[nodiscard]] std::string identified_by(const std::string& verifier) const override {
    return "IDENTIFIED VIA mysql_native_password USING " + quote(verifier);
  }
  // CONNECTION ADMIN: the last place of the admin port is for such accounts, whatever clients hold.
  [[nodiscard]] std::vector<std::string> grant_replication(const std::string& account) const override {
    return {"GRANT REPLICATION SLAVE, CONNECTION ADMIN ON *.* TO " + account};
  }
  [[nodiscard]] std::vector<std::string> grant_monitor(const std::string& account) const override {
    return {"GRANT PROCESS, BINLOG MONITOR, SLAVE MONITOR ON *.* TO " + account};
  }
  // There is no SYSTEM_USER here, and CREATE USER reaches every account: so it is not given, and nothing can be granted
  // on (what a user calls instead is in user_procedures.h). What is granted on `%`.* holds for every database without a line of
  // its own for this account: so the server's databases and ours have one each, with little. No RELOAD: it allows RESET
  // MASTER. No PROCESS: the statement that points a replica at its source, password and all, is shown there.
  [[nodiscard]] std::vector<std::string> grant_user(const std::string& account) const override {
    return {"GRANT EXECUTE ON mysql.* TO " + account,
            "GRANT SELECT, EXECUTE, SHOW VIEW ON sys.* TO " + account,
            "GRANT SELECT ON performance_schema.* TO " + account,
            fmt::format("GRANT EXECUTE ON {}.* TO {}", kProcedureSchema, account),
            "GRANT SHOW DATABASES, BINLOG MONITOR ON *.* TO " + account,
            fmt::format("GRANT {} ON `%`.* TO {}", kOnDatabases, account)};
  }
  [[nodiscard]] std::vector<std::string> grant_owner(const std::string& account) const override {
    return {fmt::format("GRANT {}, SHOW DATABASES, BINLOG MONITOR, CREATE USER ON *.* TO {} WITH GRANT OPTION", kOnDatabases,
                        account)};
  }
  [[nodiscard]] std::vector<std::string> user_procedures(const std::string& definer, std::string_view user) const override {
    return procedure_sql(definer, user);
  }
  [[nodiscard]] std::string user_is_right(std::string_view name) const override {
    const auto only = [](std::string_view database, std::string_view rights) {
      return fmt::format("EXISTS (SELECT 1 FROM mysql.db d WHERE d.User=u.User AND d.Host='%' AND d.Db='{}' AND "
                         "d.Insert_priv='N' AND d.Update_priv='N' AND d.Grant_priv='N' AND {})",
                         database, rights);
    };
    return fmt::format(
        "SELECT COUNT(*) AS ok, (SELECT COUNT(*) FROM mysql.global_priv WHERE User={0} AND Host='%' AND "
        "(IFNULL(JSON_VALUE(Priv, '$.authentication_string'), '')='' OR "
        "JSON_SEARCH(Priv, 'one', '', NULL, '$.auth_or[*].authentication_string') IS NOT NULL)) AS no_password, "
        "(SELECT JSON_VALUE(Priv, '$.authentication_string') FROM mysql.global_priv WHERE User={0} AND Host='%') AS current "
        "FROM mysql.global_priv u WHERE User={0} AND Host='%' AND "
        "IFNULL(JSON_VALUE(Priv, '$.account_locked'), 0)=0 AND (JSON_VALUE(Priv, '$.access') & ~{1})=0 AND "
        "{2} AND {3} AND {4} AND {5} "
        "AND {6}=(SELECT COUNT(*) FROM mysql.proc WHERE db='{7}' AND comment='{8}') "
        "AND EXISTS (SELECT 1 FROM mysql.db d WHERE d.User=u.User AND d.Host='%' AND d.Db='%' AND d.Grant_priv='N' AND "
        "d.Trigger_priv='Y')",
        quote(name), kUserAccess, only("mysql", "d.Select_priv='N'"), only("sys", "d.Select_priv='Y'"),
        only("performance_schema", "d.Select_priv='Y'"), only(kProcedureSchema, "d.Select_priv='N'"),
        kProcedures, kProcedureSchema, kProcedureForm);
  }
  [[nodiscard]] std::string user_verifiers(std::string_view name) const override {
    return fmt::format("SELECT JSON_VALUE(Priv, '$.authentication_string') AS current, "
                       "JSON_VALUE(Priv, '$.auth_or[1].authentication_string') AS other "
                       "FROM mysql.global_priv WHERE User={} AND Host='%'",
                       quote(name));
  }
  [[nodiscard]] std::vector<std::string> set_user_verifiers(const std::string& account, const UserVerifiers& now,
                                                            const UserVerifiers& wanted) const override {
    if (now.current == wanted.current && now.other == wanted.other) return {};
    std::string out = fmt::format("ALTER USER {} {}", account, identified_by(wanted.current));
    if (!wanted.other.empty()) out += " OR mysql_native_password USING " + quote(wanted.other);
    return {out};
  }

  [[nodiscard]] std::vector<std::pair<std::string_view, std::string_view>> guarded_settings() const override {
    return {{"sync_binlog", "1"},
            {"innodb_flush_log_at_trx_commit", "1"},
            {"binlog_format", "ROW"},
            {"binlog_row_image", "FULL"},
            {"init_connect", ""},
            {"gtid_strict_mode", "1"},
            {"replicate_events_marked_for_skip", "REPLICATE"},
            {"rpl_semi_sync_master_wait_point", "AFTER_SYNC"},
            {"rpl_semi_sync_master_wait_no_slave", "1"},
            {"rpl_semi_sync_master_timeout", kSemiSyncTimeout}};
  }
  [[nodiscard]] std::string guarded_accounts(std::string_view user) const override {
    return fmt::format(
        "SELECT User AS name, Host AS host, IF(IFNULL(JSON_VALUE(Priv, '$.account_locked'), 0), 'Y', 'N') AS locked, "
        "JSON_VALUE(Priv, '$.authentication_string') AS verifier, IFNULL(JSON_VALUE(Priv, '$.access'), 0) AS rights, "
        "CONCAT_WS(', ', IF(IFNULL(JSON_VALUE(Priv, '$.access'), 0) & ~{}, CONCAT('rights on the whole server: access ', "
        "JSON_VALUE(Priv, '$.access')), NULL), "
        "IF(EXISTS (SELECT 1 FROM mysql.db d WHERE d.User=u.User AND d.Host=u.Host AND ('mysql' LIKE d.Db OR '{}' LIKE d.Db)) "
        "OR EXISTS (SELECT 1 FROM mysql.tables_priv t WHERE t.User=u.User AND t.Host=u.Host AND t.Db='mysql') "
        "OR EXISTS (SELECT 1 FROM mysql.procs_priv p WHERE p.User=u.User AND p.Host=u.Host AND p.Db='mysql'), "
        "'rights on mysql.*', NULL)) AS powers "
        "FROM mysql.global_priv u WHERE NOT (Host='localhost' AND User='mariadb.sys') AND NOT (Host='%' AND User={}) "
        "HAVING name LIKE 'mysos\\_%' OR name='' OR powers<>''",
        kUserAccess, kProcedureSchema, quote(user));
  }
  // A role has no host here.
  [[nodiscard]] std::string guarded_ties() const override {
    return "SELECT 'proxies_priv' AS kind, User AS name, Host AS host, Proxied_user AS of_name, Proxied_host AS of_host "
           "FROM mysql.proxies_priv WHERE User LIKE 'mysos\\_%' OR Proxied_user LIKE 'mysos\\_%' OR Proxied_user='' "
           "UNION ALL SELECT 'roles_mapping', User, Host, Role, '' FROM mysql.roles_mapping "
           "WHERE User LIKE 'mysos\\_%' OR Role LIKE 'mysos\\_%'";
  }
  [[nodiscard]] std::vector<std::string> cut_tie(const Tie& t) const override {
    const std::string who = fmt::format("User={} AND Host={}", quote(t.name), quote(t.host));
    const std::string whose = t.kind == "proxies_priv"
                                  ? fmt::format("Proxied_user={} AND Proxied_host={}", quote(t.of_name), quote(t.of_host))
                                  : fmt::format("Role={}", quote(t.of_name));
    return {fmt::format("DELETE FROM mysql.{} WHERE {} AND {}", t.kind, who, whose), "FLUSH PRIVILEGES"};
  }
  [[nodiscard]] std::string_view replication_powers() const override {
    return "rights on the whole server: access 4295491584";  // REPLICATION SLAVE and CONNECTION ADMIN
  }
  [[nodiscard]] std::string other_engines() const override {
    return "SELECT TABLE_SCHEMA AS db, TABLE_NAME AS name, ENGINE AS engine FROM information_schema.TABLES "
           "WHERE TABLE_TYPE IN ('BASE TABLE', 'SEQUENCE') AND ENGINE<>'InnoDB' AND TABLE_SCHEMA NOT IN "
           "('mysql', 'sys', 'performance_schema', 'information_schema') LIMIT 1000";
  }
  // What cannot be opened does not keep the server from starting.
  [[nodiscard]] std::string open_memory_tables() const override {
    return "BEGIN NOT ATOMIC FOR t IN (SELECT CONCAT('`', REPLACE(TABLE_SCHEMA, '`', '``'), '`.`', "
           "REPLACE(TABLE_NAME, '`', '``'), '`') AS name FROM information_schema.TABLES WHERE TABLE_TYPE='BASE TABLE' AND "
           "ENGINE='MEMORY') DO BEGIN DECLARE CONTINUE HANDLER FOR SQLEXCEPTION BEGIN END; "
           "EXECUTE IMMEDIATE CONCAT('SELECT 1 FROM ', t.name, ' LIMIT 0'); END; END FOR; END";
  }
  [[nodiscard]] std::vector<std::string> remove_default_accounts() const override {
    return {"DELETE FROM mysql.global_priv WHERE User <> 'mariadb.sys'", "DELETE FROM mysql.proxies_priv",
            "DELETE FROM mysql.db"};
  }

  [[nodiscard]] Bytes min_memory() const override { return mib(256); }
  [[nodiscard]] Bytes fixed_memory() const override { return mib(128); }
  [[nodiscard]] Bytes diagnostics_memory() const override { return mib(110); }
  [[nodiscard]] ConfigLines config(const ConfigInput& in, const MemoryPlan& plan) const override {
    const auto m = [](Bytes b) { return fmt::format("{}M", b.mib()); };
    ConfigLines lines = {
        {"gtid_strict_mode", "ON"},
        {"gtid_domain_id", "0"},
        {"log_slave_updates", "ON"},
        {"read_only", "ON"},
        {"symbolic_links", "OFF"},  // a user could put tables outside the volume: DATA DIRECTORY needs no right here
        {"skip_slave_start", "ON"},
        {"relay_log_recovery", "OFF"},
        {"sync_relay_log", "1"},
        {"sync_master_info", "10000"},
        {"slave_parallel_threads", std::to_string(plan.applier_threads)},
        {"slave_parallel_mode", "optimistic"},
        {"slave_net_timeout", "4"},
        {"rpl_semi_sync_master_enabled", "OFF"},
        {"rpl_semi_sync_slave_enabled", "OFF"},
        // STOP SLAVE connects to the source to kill the dump thread, and waits so long (5 by default) for one that is gone.
        {"rpl_semi_sync_slave_kill_conn_timeout", "1"},
        {"rpl_semi_sync_master_wait_point", "AFTER_SYNC"},
        {"rpl_semi_sync_master_wait_no_slave", "ON"},
        {"rpl_semi_sync_master_timeout", std::string(kSemiSyncTimeout)},
        {"expire_logs_days", "0"},
        {"innodb_log_file_size", m(plan.redo)},
        {"aria_pagecache_buffer_size", "8M"},
        {"key_buffer_size", "8M"},
    };
    if (in.admin_port != 0) {
      lines.emplace_back("extra_port", std::to_string(in.admin_port));
      lines.emplace_back("extra_max_connections", std::to_string(kAdminConnections));
    }
    if (!in.files_dir.empty()) lines.emplace_back("secure_file_priv", in.files_dir);
    // As for MySQL. With NO_ENGINE_SUBSTITUTION in sql_mode, as it is by default, another engine is refused; without, the
    // table is made with InnoDB.
    if (!in.any_engine) lines.emplace_back("enforce_storage_engine", "InnoDB");
    return lines;
  }
};

}  // namespace

const Flavour& mariadb_flavour() {
  static const Mariadb only;
  return only;
}

}  // namespace mysos::mysql
