// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/fs.h"
#include "base/http/request_head.h"
#include "base/http/url.h"
#include "cli/parsed_flags.h"
#include "cli/text.h"
#include "scheduler/state_dir.h"

namespace mysos::cli {
namespace {

Result<std::vector<Endpoint>> parse_masters(const std::string& text) {
  std::vector<Endpoint> masters;
  for (std::size_t from = 0; from <= text.size();) {
    const std::size_t end = std::min(text.find(',', from), text.size());
    auto endpoint = parse_endpoint(text.substr(from, end - from));
    if (!endpoint) {
      return fail(Errc::kInvalid, "--master must be HOST:PORT[,HOST:PORT]...: " + endpoint.error().message, "master");
    }
    masters.push_back(*std::move(endpoint));
    from = end + 1;
  }
  return masters;
}

template <class Options>
void finish_log(const Parsed& p, Options& o) {
  o.log_format = p.log_format == "json" ? LogFormat::kJson : LogFormat::kText;
  o.log_level = p.log_level == "debug"   ? LogLevel::kDebug
                : p.log_level == "warn"  ? LogLevel::kWarn
                : p.log_level == "error" ? LogLevel::kError
                                         : LogLevel::kInfo;
}

Status finish(Parsed& p, ServerOptions& s) {
  if (s.dir.empty()) s.dir = default_dir();
  if (s.mysql_roots.empty()) s.mysql_roots = {"/"};
  s.cotton = p.cotton == "open" ? CottonApi::kOpen : CottonApi::kToken;
  finish_log(p, s);
  for (std::string& name : s.allowed_hosts) {
    const auto host = parse_http_host(name);
    if (!host || host->port) {
      return fail(Errc::kInvalid, "--allowed-host must be a host name without a port, not '" + name + "'", "allowed-host");
    }
    name = host->name;
  }
  return {};
}

Call call_of(const std::string& verb, const GivenFields& given) {
  const auto form = std::ranges::find(command_forms(), verb, [](const CommandForm& f) { return f.words.verb; });
  Call call{.form = &*form, .name = given.name};
  for (const BodyField& field : form->body) {
    if (field.type == FieldType::kFlag) {
      if (given.flags.at(field.name)) call.body[field.name] = true;
    } else if (const std::string& text = given.texts.at(field.name); field.required || !text.empty()) {
      const bool number = field.type == FieldType::kWhole || field.type == FieldType::kNumber;
      call.body[field.name] = number ? number_or_text(text) : json::value(json::string(text));
    }
  }
  return call;
}

}  // namespace

Result<Command> chosen_command(const std::string& name, Parsed& p) {
  const auto timeout = std::chrono::seconds(p.timeout);
  if (name == "up") {
    MYSOS_TRY_VOID(finish(p, p.up.server));
    p.up.on_exit = p.on_exit == "keep" ? OnExit::kKeep : OnExit::kStop;
    p.up.cgroups = p.cgroups == "auto";
    p.up.router = p.with_router == "auto";
    return p.up;
  }
  if (name == "scheduler") {
    MYSOS_TRY_VOID(finish(p, p.scheduler.server));
    MYSOS_TRY(p.scheduler.masters, parse_masters(p.masters));
    if (p.scheduler.principal.find(':') != std::string::npos) {
      return fail(Errc::kInvalid, "--principal must not hold a colon: HTTP Basic ends the name there", "principal");
    }
    return p.scheduler;
  }
  if (name == "executor") return p.executor;
  if (name == "backup-state") return p.backup_state;
  if (name == "restore-state") return p.restore_state;
  const ClientSource environment = client_environment();
  if (name == "router") {
    p.router.dir = p.client.dir.value_or(environment.dir.value_or(default_dir()));
    // --dir may be a folder of its own on a machine without an installation: that says nothing of the server.
    if (!path_exists(StateDir::token_file(p.router.dir))) p.client.dir.reset();
    MYSOS_TRY(p.router.client, client_options(p.client, environment, default_dir()));
    finish_log(p, p.router);
    return p.router;
  }
  MYSOS_TRY(ClientOptions client, client_options(p.client, environment, default_dir()));
  client.json = p.output == "json";
  const auto with_client = [&](auto command) {
    command.client = client;
    return Command(std::move(command));
  };
  const auto with_wait = [&](auto command) {
    command.wait = p.wait;
    command.timeout = timeout;
    return with_client(std::move(command));
  };
  if (name == "create") return with_wait(p.create);
  if (p.calls.contains(name)) return with_wait(call_of(name, p.calls.at(name)));
  if (name == "delete") return with_wait(p.remove);
  if (name == "list") return with_client(List{});
  if (name == "versions") return with_client(Versions{});
  if (name == "orphans") {
    const std::string& action = p.orphans.action;
    if ((action == "list") != p.orphans.id.empty()) {
      const std::string what = action == "adopt" ? "the name or id of a cluster" : "the id of an orphan";
      const std::string wants = "mysos orphans " + action + " wants " + what + "; mysos orphans lists them";
      return fail(Errc::kInvalid, action == "list" ? "mysos orphans list takes no id" : wants, "id");
    }
    if (action != "adopt" && !p.orphans.as.empty()) {
      return fail(Errc::kInvalid, "--as goes with mysos orphans adopt only", "as");
    }
    return with_client(p.orphans);
  }
  if (name == "show") return with_client(p.show);
  if (name == "members") return with_client(p.members);
  if (name == "events") return with_client(p.events);
  if (name == "credentials") return with_client(p.credentials);
  return with_client(p.connect);
}

}  // namespace mysos::cli
