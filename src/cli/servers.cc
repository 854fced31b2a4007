// SPDX-License-Identifier: Apache-2.0
// `mysos up` and `mysos scheduler`: the same loop and API, on an embedded Mesos or on somebody's
// Apache Mesos.
#include <fmt/core.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <exception>
#include <filesystem>

#include "api/api_server.h"
#include "base/descriptors.h"
#include "base/log.h"
#include "base/secret_file.h"
#include "cli/commands.h"
#include "cli/router_child.h"
#include "cli/task_ports.h"
#include "discovery/router_file.h"
#include "local/local_mesos.h"
#include "mesos/credential.h"
#include "mysql/datadir.h"
#include "mysql/distribution.h"
#include "scheduler/marked_store.h"
#include "scheduler/scheduler_loop.h"
#include "store/sqlite_event_log.h"
#include "store/sqlite_record_store.h"

namespace mysos::cli {
namespace {
constexpr Logger kLog{"mysos"};

Result<std::vector<VersionInfo>> find_versions(const std::vector<std::string>& roots) {
  std::vector<VersionInfo> versions;
  for (const mysql::Distribution& found : mysql::find_distributions(roots)) {
    const std::string name = found.name();
    if (std::ranges::find(versions, name, &VersionInfo::name) != versions.end()) continue;
    const Flavour flavour =
        found.kind == mysql::FlavourKind::kMysql ? Flavour::kMysql : Flavour::kMariadb;
    versions.push_back({name, flavour, mysql::flavour(found.kind).min_memory()});
  }
  if (!versions.empty()) return versions;
  std::string where;
  for (const std::string& root : roots) where += (where.empty() ? "" : ", ") + root;
  return fail(Errc::kNotFound,
              "there is no MySQL and no MariaDB under " + where +
                  ": apt install mariadb-server-core, or name an unpacked server with --mysql-root");
}

std::string shell_quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

std::string own_program() {
  std::error_code ec;
  return std::filesystem::read_symlink("/proc/self/exe", ec).string();
}

std::string own_user() {
  const passwd* me = ::getpwuid(::geteuid());
  return me != nullptr ? me->pw_name : "root";
}

SchedulerConfig core_config(const ServerOptions& options, std::vector<VersionInfo> versions,
                            const std::string& executor) {
  SchedulerConfig config;
  config.executor_command = "exec " + shell_quoted(executor) + " executor";
  config.versions = std::move(versions);
  std::string roots;
  for (const std::string& root : options.mysql_roots) {
    std::error_code ec;
    roots += (roots.empty() ? "" : ":") + std::filesystem::absolute(root, ec).string();
  }
  config.executor_env["MYSOS_MYSQL_ROOTS"] = roots;
  if (!options.mysql_user.empty()) config.executor_env["MYSOS_MYSQL_USER"] = options.mysql_user;
  config.executor_env["MYSOS_READER_IDLE_LIMIT"] = std::to_string(options.reader_idle_limit_s);
  config.webui_url = "http://" + to_string(Endpoint{options.listen, options.port}) + "/";
  return config;
}

// Scheduler, store and API of one state directory, on one io_context.
class Service {
 public:
  Service(asio::io_context& io, const ServerOptions& options, StateDir state)
      : io_(io),
        options_(options),
        state_(std::move(state)),
        addresses_(discovery::router_dir(state_.path())) {}

  const StateDir& state() const { return state_; }

  // Takes the port before anything is begun: it is answered from once the loop runs.
  Status listen() {
    server_ = std::make_unique<HttpServer>(
        io_.get_executor(),
        [this](const HttpRequest& request, HttpExchange& exchange) {
          return api_->handle(request, exchange);
        },
        ApiServer::server_options(options_.allowed_hosts));
    auto port = server_->listen(options_.listen, options_.port);
    if (!port) return fail(port.error().code, port.error().message + "; take another one with --port");
    return write_file_atomic(StateDir::url_file(state_.path()), "http://" + to_string(reached_at()) + "\n", 0644);
  }

  Status start(SchedulerOptions options) {
    auto store = SqliteRecordStore::open(state_.store_file());
    if (!store) return std::unexpected(std::move(store).error());
    auto log = SqliteEventLog::open(state_.event_file());
    if (!log) return std::unexpected(std::move(log).error());
    MYSOS_TRY_VOID((*log)->take_events_of_0_1(state_.store_file()));
    auto marked = MarkedStore::open(*std::move(store), state_);
    if (!marked) return std::unexpected(std::move(marked).error());
    options.state_put_back = (*marked)->put_back();
    options.state_only_moved = (*marked)->only_moved();
    options.framework_id = options_.framework_id;
    loop_ = std::make_unique<SchedulerLoop>(io_.get_executor(), state_, *std::move(marked), *std::move(log),
                                            std::move(options));
    ApiOptions api;
    api.token_hash = hash_token(state_.admin_token());
    api.cotton = options_.cotton == CottonApi::kOpen ? CottonAccess::kOpen : CottonAccess::kToken;
    api.base_url = url();
    api.stable_addresses =
        [this](const ClusterId& cluster) -> std::optional<ApiOptions::StableAddresses> {
      const auto known = addresses_.of(cluster.value);
      if (!known) return std::nullopt;
      return ApiOptions::StableAddresses{known->read_write, known->read_only};
    };
    api_ = std::make_unique<ApiServer>(*loop_, std::move(api));
    return loop_->start();
  }

  // By clients of this machine.
  Endpoint reached_at() const {
    const bool any4 = options_.listen == "0.0.0.0" || options_.listen == "localhost";
    return {any4 ? "127.0.0.1" : options_.listen == "::" ? "::1" : options_.listen, options_.port};
  }

  std::string url() const {
    return "http://" + to_string(Endpoint{options_.listen, options_.port});
  }

  // Until a signal, or the loop cannot go on.
  asio::awaitable<Status> serve() {
    asio::signal_set signals(io_, SIGINT, SIGTERM);
    bool asked = false;
    Signal& changed = loop_->changed();
    signals.async_wait([&](error_code ec, int number) {
      if (ec) return;
      kLog.info("{}: stopping", number == SIGINT ? "interrupted" : "asked to end");
      asked = true;
      changed.notify_all();
    });
    while (!asked && loop_->fatal().empty()) co_await changed.wait();
    signals.cancel();
    if (!loop_->fatal().empty()) co_return fail(Errc::kConflict, loop_->fatal());
    co_return Status();
  }

  asio::awaitable<void> stop() {
    co_await server_->stop();
    if (loop_) co_await loop_->stop();
  }

 private:
  asio::io_context& io_;
  const ServerOptions& options_;
  StateDir state_;
  discovery::RouterAddresses addresses_;  // of a router that shares our state directory
  std::unique_ptr<HttpServer> server_;
  std::unique_ptr<SchedulerLoop> loop_;
  std::unique_ptr<ApiServer> api_;
};

void say_ready(const Service& service, const std::string& more) {
  fmt::print(
      "Mysos is running: API and status page at {}/\n"
      "Admin token: {}\n{}"
      "Create a cluster: mysos create shop --wait\n",
      service.url(), StateDir::token_file(service.state().path()), more);
  std::fflush(stdout);
}

// Runs `body` on the io_context to its end.
Status run_on(asio::io_context& io, asio::awaitable<Status> body) {
  Status result;
  std::exception_ptr failure;
  asio::co_spawn(io, std::move(body), [&](std::exception_ptr e, Status status) {
    failure = std::move(e);
    result = std::move(status);
    io.stop();
  });
  io.run();
  if (failure) std::rethrow_exception(failure);
  return result;
}

Status init(const ServerOptions& options) {
  std::signal(SIGPIPE, SIG_IGN);
  raise_descriptor_limit();
  return log_init({.level = options.log_level, .format = options.log_format});
}

asio::awaitable<Status> serve_up(Service& service, local::LocalMesos& mesos, RouterChild& router,
                                 OnExit on_exit, Status started) {
  Status ended = std::move(started);
  if (ended) ended = co_await service.serve();
  co_await router.stop();
  co_await service.stop();
  co_await mesos.stop(on_exit == OnExit::kKeep ? local::Containers::kKeep
                                               : local::Containers::kEnd);
  co_return ended;
}

asio::awaitable<Status> serve_scheduler(Service& service, Status started) {
  Status ended = std::move(started);
  if (ended) ended = co_await service.serve();
  co_await service.stop();
  co_return ended;
}

}  // namespace

Status run(const Up& command) {
  MYSOS_TRY_VOID(init(command.server));
  MYSOS_TRY(StateDir state, StateDir::open(command.server.dir));
  MYSOS_TRY(auto versions, find_versions(command.server.mysql_roots));
  MYSOS_TRY(const auto server_user, mysql::server_user(command.server.mysql_user));
  if (const std::string warning = mysql::warning_about(server_user); !warning.empty()) kLog.warn("{}", warning);
  asio::io_context io(1);
  Service service(io, command.server, std::move(state));
  local::LocalMesosOptions local;
  local.agents = command.agents;
  local.cpu_overcommit =
      static_cast<double>(command.agents);  // the agents share the machine's processors by weight
  local.cgroups = command.cgroups;
  local.ports_per_agent = kPortsPerAgent;
  MYSOS_TRY(const local::AgentPorts ours, local::agent_ports(service.state().path()));
  MYSOS_TRY(local.first_task_port,
            task_ports(service.state().path(), command.agents, local.address, ours));
  MYSOS_TRY_VOID(service.listen());
  local::LocalMesos mesos(io.get_executor(), service.state().path(), local);
  Status started = mesos.start();
  if (started) {
    SchedulerOptions options;
    options.core = core_config(command.server, std::move(versions), own_program());
    options.core.user = own_user();
    options.core.executor_env["MYSOS_TEMPLATE_DIR"] = service.state().path() + "/templates";
    options.mesos.masters = {mesos.master_endpoint()};
    options.mesos.authorization = mesos::basic_authorization(mesos.credential());
    options.core.principal = mesos.credential().principal;
    started = service.start(std::move(options));
  }
  RouterChild router(io.get_executor(), command.server, service.state().path(), own_program());
  if (started) {
    std::string stable = "off";
    if (command.router) {
      const Status routed = router.start();
      stable = routed ? "by HAProxy, see mysos show" : "none, " + routed.error().message;
    }
    say_ready(
        service,
        fmt::format("Mesos: embedded, {} agent(s); on exit the databases {}\n"
                    "Stable addresses of clusters: {}\n",
                    command.agents,
                    command.on_exit == OnExit::kKeep ? "run on" : "are stopped, their data stay",
                    stable));
  }
  const OnExit on_exit = started ? command.on_exit : OnExit::kKeep;
  return run_on(io, serve_up(service, mesos, router, on_exit, std::move(started)));
}

Status run(const Scheduler& command) {
  MYSOS_TRY_VOID(init(command.server));
  MYSOS_TRY(StateDir state, StateDir::open(command.server.dir));
  MYSOS_TRY(auto versions, find_versions(command.server.mysql_roots));
  std::string authorization;
  if (!command.secret_file.empty()) {
    MYSOS_TRY(std::string secret, read_secret_file(command.secret_file));
    authorization = mesos::basic_authorization({command.principal, std::move(secret)});
  }
  asio::io_context io(1);
  Service service(io, command.server, std::move(state));
  MYSOS_TRY_VOID(service.listen());

  SchedulerOptions options;
  options.core = core_config(command.server, std::move(versions),
                             command.executor.empty() ? own_program() : command.executor);
  options.core.role = command.role;
  options.core.principal = command.principal;
  options.core.framework_name = command.framework_name;
  options.core.user = command.user;
  options.core.bind = "";  // the agents' addresses
  options.mesos.masters = command.masters;
  options.mesos.authorization = std::move(authorization);
  Status started = service.start(std::move(options));
  if (started) {
    std::string masters;
    for (const Endpoint& master : command.masters)
      masters += (masters.empty() ? "" : ", ") + to_string(master);
    say_ready(service, "Mesos: " + masters + "; the databases keep running when this ends\n");
  }
  return run_on(io, serve_scheduler(service, std::move(started)));
}

}  // namespace mysos::cli
