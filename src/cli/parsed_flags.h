// SPDX-License-Identifier: Apache-2.0
#pragma once
// The flags as the parser read them (command_line.cc), and the command that they make. Between the two of them only.
#include <map>
#include <string>

#include "cli/client_options.h"

namespace mysos::cli {

constexpr int kWaitSeconds = 300;

// What was given for the fields of a command that is one call, by field.
struct GivenFields {
  std::string name;
  std::map<std::string, std::string> texts;
  std::map<std::string, bool> flags;
};

struct Parsed {
  ClientSource client;
  Up up;
  Scheduler scheduler;
  Router router;
  Executor executor;
  Create create;
  Show show;
  Members members;
  Events events;
  Orphans orphans;
  BackupState backup_state;
  RestoreState restore_state;
  Delete remove;
  Credentials credentials;
  std::map<std::string, GivenFields> calls;  // by verb
  Connect connect;
  std::string config, output = "text", on_exit = "stop", cotton = "token", log_format = "text",
                      log_level = "info", cgroups = "auto", with_router = "auto", masters;
  int timeout = kWaitSeconds;
  bool wait = false;
};

// `name`: the subcommand.
Result<Command> chosen_command(const std::string& name, Parsed& p);

}  // namespace mysos::cli
