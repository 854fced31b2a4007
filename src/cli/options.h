// SPDX-License-Identifier: Apache-2.0
#pragma once
// A parsed command line, as values. One alternative per command.
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "api/command_form.h"
#include "base/http/message.h"
#include "base/log.h"
#include "base/result.h"
#include "base/time.h"

namespace mysos::cli {

enum class OnExit { kKeep, kStop };
enum class CottonApi { kToken, kOpen };

// Where a client command finds the server and its token (client_options.h).
struct ClientOptions {
  std::string url = {};    // "" = that of the server of `dir`
  std::string token = {};  // "" = that in token_file
  std::string token_file = {};  // "" = the admin.token of `dir`
  std::string dir = {};
  bool json = false;
};

struct ServerOptions {
  std::string dir = {};
  std::string framework_id = {};  // "" = as the state says, or as Mesos gives it
  std::string listen = "127.0.0.1";
  std::uint16_t port = 8080;
  std::vector<std::string> mysql_roots = {};
  std::string mysql_user = {};
  std::uint32_t reader_idle_limit_s = 300;  // 0 = none
  CottonApi cotton = CottonApi::kToken;
  std::vector<std::string> allowed_hosts = {};  // names of the API besides addresses and this machine's
  LogFormat log_format = LogFormat::kText;
  LogLevel log_level = LogLevel::kInfo;
};
struct Up {
  ServerOptions server;
  std::size_t agents = 3;
  OnExit on_exit = OnExit::kStop;
  bool cgroups = true;
  bool router = true;  // where haproxy is installed
};
struct Scheduler {
  ServerOptions server;
  std::vector<Endpoint> masters = {};
  std::string role = "mysos";
  std::string principal = "mysos";
  std::string secret_file = {};  // "" = nothing is sent
  std::string framework_name = "mysos";
  std::string user = "root";
  std::string executor = {};  // path of mysos on the agents; "" = that of this program
};
struct Router {
  ClientOptions client;
  std::string dir = {};  // its own files are in a folder of it
  std::string listen = "127.0.0.1";
  std::string ports = "13306-14305";
  double max_lag_s = 30;
  std::string haproxy = "haproxy";
  std::uint16_t status_port = 8081;
  LogFormat log_format = LogFormat::kText;
  LogLevel log_level = LogLevel::kInfo;
};
struct Executor {
  std::vector<std::string> mysql_roots = {};
  std::string template_dir = {};
  std::string mysql_user = {};
  bool standalone = false;
  std::string spec_file = {};
  std::string data_dir = {};
};
struct Create {
  ClientOptions client;
  std::string name;
  std::optional<std::string> members, cpus, mem, disk, version, user, password_file;
  bool any_engine = false;
  bool wait = false;
  Duration timeout{};
};
struct List {
  ClientOptions client;
};
struct Show {
  ClientOptions client;
  std::string name;
};
struct Members {
  ClientOptions client;
  std::string name;
};
struct Events {
  ClientOptions client;
  std::string name;
  bool follow = false;
  std::uint64_t limit = 100;
};
// One of the commands that are a single call of the API (api/command_form.h).
struct Call {
  ClientOptions client;
  const CommandForm* form = nullptr;
  std::string name;  // "": the call is about no cluster
  json::object body;
  bool wait = false;
  Duration timeout{};
};
struct Delete {
  ClientOptions client;
  std::string name;
  bool yes = false;
  bool wait = false;
  Duration timeout{};
};
struct Credentials {
  ClientOptions client;
  std::string name;
  bool rotate = false;
  bool retire = false;
};
struct Connect {
  ClientOptions client;
  std::string name;
  std::string execute;
  std::vector<std::string> more;
};
struct Versions {
  ClientOptions client;
};
struct Orphans {
  ClientOptions client;
  std::string action = "list";  // or adopt, destroy
  std::string id;               // of the orphan to destroy; name or id of the cluster to adopt
  std::string as;               // its new name
  bool yes = false;
};
// Of the state directory itself, with or without a scheduler on it.
struct BackupState {
  std::string dir;
  std::string to;
};
struct RestoreState {
  std::string dir;
  std::string from;
};
struct Say {
  std::string text;
};  // help, version

using Command = std::variant<Say, Up, Scheduler, Router, Executor, Create, List, Show, Members, Events, Call,
                             Delete, Credentials, Connect, Versions, Orphans, BackupState, RestoreState>;

// `arguments` without the program's name. kInvalid is one sentence, and suggests a similar name for
// an unknown word.
Result<Command> parse_command_line(std::vector<std::string> arguments);

// "key = value" lines of a TOML file as flags: {"--port=8080", ...}; a list gives one flag per
// element. kInvalid names file, line or key.
Result<std::vector<std::pair<std::string, std::vector<std::string>>>> read_config_file(
    const std::string& file);

std::string default_dir();  // /var/lib/mysos for root, else ~/.mysos

}  // namespace mysos::cli
