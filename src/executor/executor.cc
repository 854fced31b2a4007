// SPDX-License-Identifier: Apache-2.0
#include "executor/executor.h"

#include <unistd.h>

#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <cstdlib>
#include <map>
#include <string_view>
#include <utility>

#include "base/descriptors.h"
#include "base/fs.h"
#include "base/log.h"
#include "executor/agent_lane.h"
#include "executor/member_shell.h"

namespace mysos {
namespace {

constexpr Logger kLog{"executor"};

std::string env_or(const char* name, std::string otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr || *value == '\0' ? std::move(otherwise) : std::string(value);
}

std::map<std::string, std::string> environment() {
  std::map<std::string, std::string> out;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const auto equals = text.find('=');
    if (equals != std::string_view::npos)
      out.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return out;
}

std::vector<std::string> mysql_roots(const ExecutorOptions& options) {
  if (!options.mysql_roots.empty()) return options.mysql_roots;
  std::vector<std::string> roots;
  const std::string text = env_or("MYSOS_MYSQL_ROOTS", "/");
  for (std::size_t from = 0; from <= text.size();) {
    const std::size_t end = std::min(text.find(':', from), text.size());
    if (end > from) roots.push_back(text.substr(from, end - from));
    from = end + 1;
  }
  return roots;
}

// Shared by the executors of one user on this machine. Not under a home: mysqld, as another user,
// must reach it.
Result<std::string> template_dir(const ExecutorOptions& options) {
  const std::string given =
      options.template_dir.empty() ? env_or("MYSOS_TEMPLATE_DIR", "") : options.template_dir;
  if (!given.empty()) {
    MYSOS_TRY_VOID(make_dirs(given));
    return given;
  }
  const std::string mine = "/var/tmp/mysos-" + std::to_string(::geteuid());
  MYSOS_TRY_VOID(mysql::make_owned_dir(mine, std::nullopt, 0755));
  MYSOS_TRY_VOID(mysql::make_owned_dir(mine + "/templates", std::nullopt, 0755));
  return mine + "/templates";
}

// Whole seconds, 0 = none. The scheduler has checked it.
Duration reader_idle_limit() {
  const std::string given = env_or("MYSOS_READER_IDLE_LIMIT", "");
  return given.empty() ? MemberConfig{}.reader_idle_limit : std::chrono::seconds(std::strtoll(given.c_str(), nullptr, 10));
}

// Runs `body` to its end; SIGTERM and SIGINT call `on_signal`.
int run_loop(asio::io_context& io, asio::awaitable<int> body, std::function<void()> on_signal) {
  int code = 1;
  asio::signal_set signals(io, SIGTERM, SIGINT);
  std::function<void()> wait = [&] {
    signals.async_wait([&](error_code ec, int number) {
      if (ec) return;
      kLog.info("signal {}: stopping", number);
      on_signal();
      wait();
    });
  };
  wait();
  auto whole = [](asio::awaitable<int> inner, int& result,
                  asio::signal_set& set) -> asio::awaitable<void> {
    result = co_await std::move(inner);
    set.cancel();
  };
  TaskGroup tasks(io.get_executor());
  tasks.spawn("executor", whole(std::move(body), code, signals));
  io.run();
  return code;
}

asio::awaitable<int> go_solo(MemberShell& member, Signal& stop, const bool& stopping) {
  member.start();
  while (!stopping) co_await stop.wait();
  co_await member.stop(kDefaultShutdownGrace);
  co_await member.close();
  co_return 0;
}

Result<int> run_standalone(asio::io_context& io, const ExecutorOptions& options,
                           MemberShellConfig config) {
  MYSOS_TRY(const std::string text, read_file(options.spec_file));
  auto spec = from_json_text<MemberSpec>(text);
  if (!spec) return std::unexpected(std::move(spec).error().with_context(options.spec_file));
  config.spec = *std::move(spec);
  config.data_dir = options.data_dir;
  MYSOS_TRY(const auto member, MemberShell::open(io.get_executor(), std::move(config)));
  Signal stop(io.get_executor());
  bool stopping = false;
  return run_loop(io, go_solo(*member, stop, stopping), [&] {
    stopping = true;
    stop.notify_all();
  });
}

Result<int> run_under_agent(asio::io_context& io, MemberShellConfig config) {
  MYSOS_TRY(auto env, mesos::parse_executor_environment(environment()));
  ::unsetenv("MESOS_EXECUTOR_AUTHENTICATION_TOKEN");  // not for the server, nor what it starts
  AgentLane lane(io.get_executor(), std::move(env), std::move(config));
  return run_loop(io, lane.run(), [&] { lane.stop(); });
}

}  // namespace

int run_executor(const ExecutorOptions& options) {
  std::signal(SIGPIPE, SIG_IGN);
  raise_descriptor_limit();
  // Its log is on the disk that its volume is on, as a rule. When that hangs, the others must be told.
  if (const Status logs = log_init({.in_background = true}); !logs) {
    kLog.error("{}", logs.error().message);
    return exit_code(logs.error().code);
  }
  asio::io_context io(1);
  MemberShellConfig config;
  config.mysql_roots = mysql_roots(options);
  config.mysql_user = options.mysql_user.empty() ? env_or("MYSOS_MYSQL_USER", "") : options.mysql_user;
  auto templates = template_dir(options);
  Result<int> code = 0;
  if (templates) {
    config.template_dir = *std::move(templates);
    config.reader_idle_limit = reader_idle_limit();
    code = options.standalone ? run_standalone(io, options, std::move(config))
                              : run_under_agent(io, std::move(config));
  } else {
    code = std::unexpected(std::move(templates).error());
  }
  if (code) return *code;
  kLog.error("{}", code.error().message);
  return exit_code(code.error().code);
}

}  // namespace mysos
