// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <algorithm>

#include "base/did_you_mean.h"
#include "cli/parsed_flags.h"

namespace mysos::cli {
namespace {

constexpr auto kVersionText = "mysos 0.1.0";

void add_log_options(CLI::App& app, Parsed& p) {
  app.add_option("--log-format", p.log_format, "text or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  app.add_option("--log-level", p.log_level, "debug, info, warn or error")
      ->check(CLI::IsMember({"debug", "info", "warn", "error"}))
      ->capture_default_str();
}

void add_api_options(CLI::App& app, Parsed& p) {
  app.add_option("--url", p.client.url, "address of the API, or MYSOS_URL (default: the server of --dir)");
  app.add_option("--token", p.client.token,
                 "admin token, or MYSOS_TOKEN; other users can see a command line, but not the environment");
  app.add_option("--token-file", p.client.token_file, "file that holds the token, or MYSOS_TOKEN_FILE");
  app.add_option("--dir", p.client.dir, "state directory, whose server and admin.token are used, or MYSOS_DIR (default " +
                                            default_dir() + "); wins over all these variables");
}

void add_client_options(CLI::App& app, Parsed& p) {
  add_api_options(app, p);
  app.add_option("-o,--output", p.output, "text or json")->check(CLI::IsMember({"text", "json"}));
}

void add_wait_options(CLI::App& app, Parsed& p, const std::string& until) {
  app.add_flag("--wait", p.wait, "wait until " + until + ", and show the progress on stderr");
  app.add_option("--timeout", p.timeout, "how many seconds to wait at most")
      ->check(CLI::Range(1, 86400))
      ->capture_default_str();
}

// A flag with a variable of a script that is not set: the default would be another installation.
CLI::Validator not_empty() {
  return {[](const std::string& given) { return given.empty() ? std::string("it is empty") : std::string(); }, "", "not empty"};
}

void add_server_options(CLI::App& app, Parsed& p, ServerOptions& s) {
  app.add_option("--config", p.config, "TOML file whose keys are the names of these flags; flags win");
  app.add_option("--dir", s.dir, "state directory (default " + default_dir() + ")")
      ->check(not_empty())
      ->envname("MYSOS_DIR");
  app.add_option("--framework-id", s.framework_id, "id of the Mesos framework, for a state that has lost it");
  app.add_option("--listen", s.listen, "address of API and status page")->capture_default_str();
  app.add_option("--port", s.port, "port of API and status page")
      ->check(CLI::Range(1, 65535))
      ->capture_default_str();
  app.add_option("--mysql-root", s.mysql_roots,
                 "where MySQL or MariaDB is installed or unpacked; may be repeated (default /)")
      ->allow_extra_args(false);
  app.add_option("--allowed-host", s.allowed_hosts,
                 "further host name under which clients and web pages may call the API; may be repeated")
      ->allow_extra_args(false);
  app.add_option("--mysql-user", s.mysql_user,
                 "user that servers run as, and that owns the data (default: mysql; only root can choose)")
      ->envname("MYSOS_MYSQL_USER");
  app.add_option("--reader-idle-limit", s.reader_idle_limit_s,
                 "how many seconds a user's transaction on a replica may be idle; 0: for ever")
      ->check(CLI::Range(0, 86400))
      ->capture_default_str();
  app.add_option("--cotton-api", p.cotton, "who may use Cotton's two calls: token or open")
      ->check(CLI::IsMember({"token", "open"}))
      ->capture_default_str();
  add_log_options(app, p);
}

void add_servers(CLI::App& app, Parsed& p) {
  auto* up = app.add_subcommand("up", "run everything on this machine: Mesos, scheduler, API");
  add_server_options(*up, p, p.up.server);
  up->add_option("--agents", p.up.agents,
                 "number of Mesos agents; members of one cluster run on different agents")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  up->add_option("--on-exit", p.on_exit, "what happens to the databases when this ends: stop or keep")
      ->check(CLI::IsMember({"stop", "keep"}))->capture_default_str();
  up->add_option("--cgroups", p.cgroups, "limit containers by cgroups, where permitted: auto or off")
      ->check(CLI::IsMember({"auto", "off"}))
      ->capture_default_str();
  up->add_option("--router", p.with_router,
                 "give the clusters fixed ports, if haproxy is installed: auto or off")
      ->check(CLI::IsMember({"auto", "off"}))
      ->capture_default_str();
  up->footer("Examples:\n  mysos up\n  mysos up --dir /srv/mysos --port 9000 --on-exit keep");

  auto* scheduler = app.add_subcommand("scheduler", "run the scheduler on an Apache Mesos");
  add_server_options(*scheduler, p, p.scheduler.server);
  scheduler->add_option("--master", p.masters, "Mesos masters: HOST:PORT[,HOST:PORT]...")
      ->required();
  scheduler->add_option("--role", p.scheduler.role, "Mesos role")->capture_default_str();
  scheduler->add_option("--principal", p.scheduler.principal, "Mesos principal")->capture_default_str();
  scheduler
      ->add_option("--secret-file", p.scheduler.secret_file,
                   "file with the principal's secret, of mode 0600 (default: no credential is sent)")
      ->envname("MYSOS_SECRET_FILE");
  scheduler->add_option("--framework-name", p.scheduler.framework_name, "name in Mesos")->capture_default_str();
  scheduler->add_option("--user", p.scheduler.user, "user the executors run as")->capture_default_str();
  scheduler->add_option("--executor", p.scheduler.executor,
                        "path of mysos on the agents (default: its path on this machine)");
  scheduler->footer(
      "Example:\n  mysos scheduler --master 10.0.0.1:5050,10.0.0.2:5050 --dir /var/lib/mysos "
      "--listen 0.0.0.0");

  auto* executor = app.add_subcommand("executor", "run one member; started by a Mesos agent");
  executor
      ->add_option("--mysql-root", p.executor.mysql_roots,
                   "where MySQL or MariaDB is; may be repeated")
      ->allow_extra_args(false);
  executor->add_option("--template-dir", p.executor.template_dir,
                       "where templates of data directories are kept");
  executor->add_option("--mysql-user", p.executor.mysql_user, "user that the server runs as");
  executor->add_flag("--standalone", p.executor.standalone,
                     "without Mesos; orders come over the member API only");
  executor->add_option("--spec", p.executor.spec_file,
                       "stand-alone: file with the member's specification");
  executor->add_option("--data-dir", p.executor.data_dir, "stand-alone: the member's volume");
}

void add_router(CLI::App& app, Parsed& p) {
  auto* router = app.add_subcommand(
      "router", "give each cluster a fixed read-write port and a fixed read-only port, by HAProxy");
  add_api_options(*router, p);
  router->add_option("--listen", p.router.listen, "IP address of the ports")->capture_default_str();
  router->add_option("--ports", p.router.ports, "range of the ports, two for each cluster")->capture_default_str();
  router
      ->add_option("--max-lag", p.router.max_lag_s,
                   "how many seconds a replica of the read-only port may be behind")
      ->check(CLI::Range(0.0, 86400.0))
      ->capture_default_str();
  router->add_option("--haproxy", p.router.haproxy, "path of the haproxy program")->capture_default_str();
  router
      ->add_option("--status-port", p.router.status_port,
                   "port of /status and /metrics on 127.0.0.1; 0 takes a free one")
      ->check(CLI::Range(0, 65535))
      ->capture_default_str();
  add_log_options(*router, p);
  router->footer(
      "Example, on a machine of the clients:\n  mysos router --url http://10.0.0.1:8080 "
      "--token-file /etc/mysos/token --dir /var/lib/mysos-router");
}

void add_cluster_commands(CLI::App& app, Parsed& p) {
  auto* create = app.add_subcommand("create", "create a cluster");
  create->add_option("name", p.create.name, "name of the cluster, a DNS label")->required();
  create->add_option("--members", p.create.members, "number of members, 1 to 9 (default 3)");
  create->add_option("--cpus", p.create.cpus, "CPUs of each member (default 1)");
  create->add_option("--mem", p.create.mem, "memory of each member, e.g. 512MB (default 1GB)");
  create->add_option("--disk", p.create.disk, "disk of each member (default 5GB)");
  create->add_option("--version", p.create.version, "one of `mysos versions`");
  create->add_option("--user", p.create.user, "name of the database user (default app)");
  create->add_option("--password-file", p.create.password_file,
                     "file with the user's password (default: Mysos generates it)");
  create->add_flag("--any-engine", p.create.any_engine,
                   "also allow MEMORY, MyISAM and other engines whose tables a crash may change");
  add_wait_options(*create, p, "it is healthy");
  create->footer(
      "Examples:\n  mysos create shop --wait\n  mysos create shop --members 5 --mem 4GB --version "
      "mariadb-10.11");

  auto* orphans = app.add_subcommand("orphans", "volumes and tasks of Mysos that belong to no known cluster");
  orphans->add_option("action", p.orphans.action, "list, adopt or destroy")
      ->check(CLI::IsMember({"list", "adopt", "destroy"}))
      ->capture_default_str();
  orphans->add_option("id", p.orphans.id, "name or id of the cluster to take back; id of the orphan to destroy, with its data");
  orphans->add_option("--as", p.orphans.as, "adopt: another name for the cluster");
  orphans->add_flag("-y,--yes", p.orphans.yes, "do not ask");
  app.add_subcommand("list", "list the clusters");
  app.add_subcommand("versions", "list the available MySQL and MariaDB versions");
  app.add_subcommand("show", "show one cluster")->add_option("name", p.show.name)->required();
  app.add_subcommand("members", "show the members of a cluster")->add_option("name", p.members.name)->required();

  auto* events = app.add_subcommand("events", "show what happened, and why");
  events->add_option("name", p.events.name, "only events of this cluster");
  events->add_option("--limit", p.events.limit, "how many events")->check(CLI::Range(1, 1000))->capture_default_str();
  events->add_flag("--follow", p.events.follow, "show new events as they happen");

  auto* remove = app.add_subcommand("delete", "delete a cluster and its data, for good");
  remove->add_option("name", p.remove.name)->required();
  remove->add_flag("-y,--yes", p.remove.yes, "do not ask");
  add_wait_options(*remove, p, "it is gone");

  auto* credentials = app.add_subcommand("credentials", "show the user and password of a cluster");
  credentials->add_option("name", p.credentials.name)->required();
  auto* rotate = credentials->add_flag("--rotate", p.credentials.rotate, "set another password; the old one stays valid");
  credentials->add_flag("--retire", p.credentials.retire, "make the old password invalid")->excludes(rotate);
  auto* connect = app.add_subcommand("connect", "run SQL on the primary, with the mariadb or mysql client");
  connect->add_option("name", p.connect.name)->required();
  connect->add_option("-e,--execute", p.connect.execute, "run this SQL and exit");
  connect->footer(
      "Examples:\n  mysos connect shop\n  mysos connect shop -e 'select 1'\n  mysos connect shop "
      "-- --table shopdb < file.sql");

  for (const char* name : {"create", "list", "versions", "show", "members", "events", "delete", "credentials", "connect",
                           "orphans"}) {
    add_client_options(*app.get_subcommand(name), p);
  }
}

// The commands that are one call of the API: what the call needs stands in its place, what it may have is a flag.
void add_calls(CLI::App& app, Parsed& p) {
  for (const CommandForm& form : command_forms()) {
    const std::string verb(form.words.verb);
    if (verb.empty()) continue;
    auto* sub = app.add_subcommand(verb, std::string(form.words.help));
    GivenFields& given = p.calls[verb];
    if (form.named()) sub->add_option("name", given.name)->required();
    for (const BodyField& field : form.body) {
      const FieldWords& words = form.words_of(field);
      const std::string word(words.word);
      const std::string help(words.help);
      CLI::Option* option = field.type == FieldType::kFlag ? sub->add_flag(word, given.flags[field.name], help)
                                                           : sub->add_option(word, given.texts[field.name], help);
      if (field.required) option->required();
      if (!field.choices.empty()) option->check(CLI::IsMember(field.choices));
    }
    if (form.words.awaited != Awaited::kNothing) add_wait_options(*sub, p, "it is done");
    add_client_options(*sub, p);
  }
}

void add_state_commands(CLI::App& app, Parsed& p) {
  p.backup_state.dir = p.restore_state.dir = default_dir();
  auto* backup = app.add_subcommand("backup-state", "copy the scheduler's state, while it runs, into a new directory");
  backup->add_option("to", p.backup_state.to, "the directory to create")->required();
  auto* restore = app.add_subcommand("restore-state", "put such a copy back; no scheduler may be running");
  restore->add_option("from", p.restore_state.from, "a directory that mysos backup-state has made")->required();
  const std::string which = "state directory (default " + default_dir() + ")";
  backup->add_option("--dir", p.backup_state.dir, which)->check(not_empty())->envname("MYSOS_DIR");
  restore->add_option("--dir", p.restore_state.dir, which)->check(not_empty())->envname("MYSOS_DIR");
}

std::vector<std::string> flags_of(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

Status check_leftovers(const CLI::App& app, const CLI::App& chosen) {
  for (const std::string& word : chosen.remaining()) {
    const std::string flag = word.substr(0, word.find('='));
    if (flag.starts_with("-")) {
      return fail(Errc::kInvalid, "mysos " + chosen.get_name() + " has no flag " + flag +
                                      did_you_mean(flag, flags_of(chosen)));
    }
    return fail(Errc::kInvalid, "'" + word + "' is one word too many for mysos " + chosen.get_name());
  }
  for (const std::string& word : app.remaining())
    return fail(Errc::kInvalid, "'" + word + "' is not expected here");
  return {};
}

// The flags of the file that the command line does not give.
Result<std::vector<std::string>> flags_from_file(const CLI::App& chosen, const std::string& file) {
  MYSOS_TRY(const auto entries, read_config_file(file));
  std::vector<std::string> flags;
  std::vector<std::string> known;
  for (const std::string& flag : flags_of(chosen)) {
    if (flag != "--config" && flag != "--help") known.push_back(flag.substr(2));
  }
  for (const auto& [key, values] : entries) {
    if (std::ranges::find(known, key) == known.end()) {
      return fail(Errc::kInvalid, file + ": there is no key " + key + did_you_mean(key, known), key);
    }
    // An environment variable stands below the file.
    if (chosen.get_option("--" + key)->count() > 0) continue;
    for (const std::string& value : values) flags.push_back("--" + key + "=" + value);
  }
  return flags;
}

}  // namespace

Result<Command> parse_command_line(std::vector<std::string> arguments) {
  Parsed parsed;
  CLI::App app("MySQL as a service on Apache Mesos.", "mysos");
  app.set_version_flag("--version", kVersionText);
  app.require_subcommand(0, 1);
  app.allow_extras();
  app.footer(
      "Begin with `mysos up`, then `mysos create shop --wait` and `mysos connect shop`.\n"
      "Exit codes: 0 done, 2 wrong input, 3 token, 4 not found, 5 conflict, 6 not now, 7 timeout, "
      "8 I/O, 9 internal.");
  add_servers(app, parsed);
  add_router(app, parsed);
  add_cluster_commands(app, parsed);
  add_calls(app, parsed);
  add_state_commands(app, parsed);
  std::vector<std::string> commands;
  for (CLI::App* command : app.get_subcommands({})) {
    command->allow_extras();
    commands.push_back(command->get_name());
  }

  // What follows "--" belongs to the client program.
  const auto rest = std::ranges::find(arguments, "--");
  std::vector<std::string> more(rest == arguments.end() ? rest : rest + 1, arguments.end());
  arguments.erase(rest, arguments.end());
  const auto parse = [&](std::vector<std::string> words) {
    std::ranges::reverse(words);  // as CLI11 wants them
    app.parse(std::move(words));
  };
  try {
    parse(arguments);
    if (app.get_subcommands().empty()) {
      const auto left = app.remaining();
      if (left.empty()) return Say{app.help()};
      return fail(Errc::kInvalid, "there is no command '" + left.front() + "'" +
                                      did_you_mean(left.front(), commands));
    }
    CLI::App* chosen = app.get_subcommands().front();
    MYSOS_TRY_VOID(check_leftovers(app, *chosen));
    if (!parsed.config.empty()) {
      MYSOS_TRY(const auto flags, flags_from_file(*chosen, parsed.config));
      arguments.insert(arguments.end(), flags.begin(), flags.end());
      parse(arguments);
      chosen = app.get_subcommands().front();
    }
    if (!more.empty() && chosen->get_name() != "connect") {
      return fail(Errc::kInvalid, "'" + more.front() + "' is one word too many for mysos " + chosen->get_name());
    }
    parsed.connect.more = std::move(more);
    return chosen_command(chosen->get_name(), parsed);
  } catch (const CLI::CallForHelp&) {
    const auto chosen = app.get_subcommands();
    return Say{chosen.empty() ? app.help() : chosen.front()->help("mysos")};
  } catch (const CLI::CallForVersion&) {
    return Say{std::string(kVersionText) + "\n"};
  } catch (const CLI::ParseError& error) {
    return fail(Errc::kInvalid, error.what());
  }
}

}  // namespace mysos::cli
