// SPDX-License-Identifier: Apache-2.0
#include <fmt/core.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>

#include "base/fs.h"
#include "cli/api_client.h"
#include "cli/asking.h"
#include "cli/commands.h"
#include "cli/text.h"

namespace mysos::cli {
namespace {

void print(const std::string& text) { fmt::print("{}", text); }
void print_json(const json::value& value) { fmt::print("{}\n", json::serialize(value)); }

Result<json::object> create_body(const Create& command) {
  json::object body{{"name", command.name}};
  if (command.members) body["members"] = number_or_text(*command.members);
  if (command.cpus) body["cpus"] = number_or_text(*command.cpus);
  if (command.mem) body["mem"] = *command.mem;
  if (command.disk) body["disk"] = *command.disk;
  if (command.version) body["version"] = *command.version;
  if (command.user) body["user"] = *command.user;
  if (command.any_engine) body["any_engine"] = true;
  if (command.password_file) {
    MYSOS_TRY(std::string password, read_file(*command.password_file, 4096));
    while (password.ends_with('\n') || password.ends_with('\r')) password.pop_back();
    body["password"] = std::move(password);
  }
  return body;
}

}  // namespace

Status run(const Create& command) {
  MYSOS_TRY(ApiClient api, ApiClient::open(command.client));
  MYSOS_TRY(auto body, create_body(command));
  MYSOS_TRY(json::value made, api.request("POST", "/v1/clusters", std::move(body)));
  const std::string password = text_of(made.as_object(), "password");
  if (command.wait) {
    MYSOS_TRY_VOID(wait_until(api, command.name, command.timeout, [&](const json::object* cluster) {
      if (cluster == nullptr || text_of(*cluster, "state") != "healthy") return false;
      made = *cluster;
      made.as_object()["password"] = password;
      return true;
    }));
  }
  if (command.client.json) {
    print_json(made);
    return {};
  }
  print(cluster_text(made.as_object()));
  fmt::print("\nPassword of {}: {}\nSQL: mysos connect {}\n", text_of(made.as_object(), "user"),
             password, command.name);
  return {};
}

Status run(const List& command) {
  MYSOS_TRY(ApiClient api, ApiClient::open(command.client));
  MYSOS_TRY(const json::value answer, api.get("/v1/clusters"));
  if (command.client.json) {
    print_json(answer);
  } else {
    print(clusters_text(list_in(answer, "clusters")));
  }
  return {};
}

Status run(const Versions& command) {
  MYSOS_TRY(ApiClient api, ApiClient::open(command.client));
  MYSOS_TRY(const json::value answer, api.get("/v1/versions"));
  if (command.client.json) {
    print_json(answer);
  } else {
    print(versions_text(list_in(answer, "versions")));
  }
  return {};
}

Status run(const Show& command) {
  MYSOS_TRY(ApiClient api, ApiClient::open(command.client));
  MYSOS_TRY(const json::value answer, api.get(path_of(command.name)));
  if (command.client.json) {
    print_json(answer);
  } else {
    print(cluster_text(answer.as_object()));
  }
  return {};
}

Status run(const Members& command) {
  MYSOS_TRY(ApiClient api, ApiClient::open(command.client));
  MYSOS_TRY(const json::value answer, api.get(path_of(command.name) + "/members"));
  if (command.client.json) {
    print_json(answer);
  } else {
    print(members_text(list_in(answer, "members")));
  }
  return {};
}

Status run(const Events& command) {
  MYSOS_TRY(ApiClient api, ApiClient::open(command.client));
  const std::string base = command.name.empty() ? "/v1/events" : path_of(command.name) + "/events";
  MYSOS_TRY(const json::value answer, api.get(base + "?limit=" + std::to_string(command.limit)));
  std::uint64_t last = 0;
  const auto tell = [&](const json::object& event) {
    last = event.at("seq").to_number<std::uint64_t>();
    if (!command.name.empty() && text_of(event, "cluster") != command.name) return true;
    print(command.client.json ? json::serialize(event) + "\n" : event_text(event));
    return std::fflush(stdout) == 0;
  };
  for (const auto& event : list_in(answer, "events")) tell(event.as_object());
  if (!command.follow) return {};
  return api.follow_events("/v1/events?after=" + std::to_string(last), tell);
}

Status run(const Credentials& command) {
  MYSOS_TRY(ApiClient api, ApiClient::open(command.client));
  const std::string path = path_of(command.name) + "/credentials";
  const bool change = command.rotate || command.retire;
  MYSOS_TRY(const json::value answer,
            change ? api.request("POST", path + (command.rotate ? "/rotate" : "/retire")) : api.get(path));
  const json::object& known = answer.as_object();
  const auto is = [&](std::string_view key) {
    return known.contains(key) && known.at(key).is_bool() && known.at(key).get_bool();
  };
  if (command.client.json) {
    print_json(answer);
  } else {
    print("User      " + text_of(known, "user") + "\nPassword  " + text_of(known, "password") + "\n");
    if (is("old_password_valid")) {
      print("The password before is valid as well, until `mysos credentials " + command.name + " --retire`.\n");
    }
  }
  if (is("changed_in_sql")) {
    fmt::print(stderr,
               "The password was changed in SQL since, and this one may not be valid; "
               "`mysos credentials {} --rotate` sets another\n",
               command.name);
  }
  if (is("applied")) return {};
  const std::string_view what = "no primary has it yet: it is set as soon as a primary serves";
  if (change) return fail(Errc::kTimeout, std::string(what));
  fmt::print(stderr, "{}\n", what);
  return {};
}

Status run(const Delete& command) {
  MYSOS_TRY(ApiClient api, ApiClient::open(command.client));
  MYSOS_TRY_VOID(api.get(path_of(command.name)));
  if (!command.yes) {
    if (::isatty(STDIN_FILENO) == 0) {
      return fail(Errc::kInvalid, "delete destroys the data of " + command.name +
                                      " for good; add --yes to confirm");
    }
    fmt::print(stderr,
               "This destroys the data of {} at {} for good. Type its name to continue: ", command.name, api.address());
    std::string typed;
    std::getline(std::cin, typed);
    if (typed != command.name) return fail(Errc::kInvalid, "nothing was deleted");
  }
  MYSOS_TRY_VOID(api.request("DELETE", path_of(command.name)));
  if (command.wait) {
    MYSOS_TRY_VOID(wait_until(api, command.name, command.timeout,
                              [](const json::object* cluster) { return cluster == nullptr; }));
  }
  if (command.client.json) {
    print_json(
        json::object{{"name", command.name}, {"state", command.wait ? "deleted" : "deleting"}});
  } else {
    fmt::print("{} {}\n", command.name, command.wait ? "is deleted" : "is being deleted");
  }
  return {};
}

}  // namespace mysos::cli
