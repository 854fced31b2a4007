// SPDX-License-Identifier: Apache-2.0
#include <fmt/core.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <iostream>

#include "base/clock.h"
#include "base/fs.h"
#include "cli/api_client.h"
#include "cli/commands.h"
#include "cli/text.h"

namespace mysos::cli {
namespace {

constexpr Duration kPollEvery = std::chrono::milliseconds(100);

std::string path_of(const std::string& name) { return "/v1/clusters/" + percent_encode(name); }

void print(const std::string& text) { fmt::print("{}", text); }
void print_json(const json::value& value) { fmt::print("{}\n", json::serialize(value)); }

const json::array& list_in(const json::value& answer, std::string_view key) {
  return answer.as_object().at(key).as_array();
}

// Asks until `done` says so of the cluster (nullptr: it is gone), and tells on stderr what changes.
// kTimeout says what it was waiting for.
Status wait_until(ApiClient& api, const std::string& name, Duration at_most,
                  const std::function<bool(const json::object*)>& done) {
  const Instant until = steady_now() + at_most;
  std::string told;
  while (true) {
    const auto answer = api.get(path_of(name));
    if (!answer && answer.error().code != Errc::kNotFound &&
        answer.error().code != Errc::kUnavailable) {
      return std::unexpected(answer.error());
    }
    const bool gone = !answer && answer.error().code == Errc::kNotFound;
    if (answer || gone) {
      const json::object* cluster = gone ? nullptr : &answer->as_object();
      if (done(cluster)) return {};
      if (gone) return fail(Errc::kNotFound, "cluster " + name + " is gone");
    }
    const std::string now_telling =
        answer ? progress_text(answer->as_object()) : answer.error().message;
    if (now_telling != told) fmt::print(stderr, "{}\n", now_telling);
    told = now_telling;
    if (steady_now() >= until) return fail(Errc::kTimeout, "not in time: " + told);
    pause_for(kPollEvery);
  }
}

// A number as JSON, so that the server can say what is wrong with it; a text where it is no number.
json::value number(const std::string& text) {
  auto parsed = parse_json(text);
  return parsed && parsed->is_number() ? *parsed : json::value(json::string(text));
}

Result<json::object> create_body(const Create& command) {
  json::object body{{"name", command.name}};
  if (command.members) body["members"] = number(*command.members);
  if (command.cpus) body["cpus"] = number(*command.cpus);
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

namespace {
// The newest event of that kind ("" = of any) after `seq`; none: its seq is 0.
struct Told {
  std::uint64_t seq = 0;
  std::string message = {};
};
Result<Told> newest_event(ApiClient& api, const std::string& name, const std::string& kind, std::uint64_t after) {
  MYSOS_TRY(const json::value answer, api.get(path_of(name) + "/events?limit=50"));
  Told newest;
  for (const auto& entry : list_in(answer, "events")) {
    const json::object& event = entry.as_object();
    const auto seq = event.at("seq").to_number<std::uint64_t>();
    const bool wanted = kind.empty() || text_of(event, "kind") == kind;
    if (wanted && seq > after && seq > newest.seq) newest = {seq, text_of(event, "message")};
  }
  return newest;
}

// Asks for another primary and, where wanted, waits until it is there and the cluster is healthy, or it was given up.
template <class Wanted>
Status change_primary(const Wanted& command, const std::string& how, json::object body) {
  MYSOS_TRY(ApiClient api, ApiClient::open(command.client));
  if (!command.to.empty()) body["to"] = command.to;
  MYSOS_TRY(const json::value before, api.get(path_of(command.name)));
  const std::string old_primary = text_of(before.as_object(), "primary");
  MYSOS_TRY(const Told last, newest_event(api, command.name, "", 0));
  MYSOS_TRY(json::value answer, api.request("POST", path_of(command.name) + how, std::move(body)));
  Told failed;
  if (command.wait) {
    MYSOS_TRY_VOID(wait_until(api, command.name, command.timeout, [&](const json::object* cluster) {
      if (cluster == nullptr) return false;
      const auto seen = newest_event(api, command.name, "switchover_failed", last.seq);
      if (seen && seen->seq > 0) failed = *seen;
      if (failed.seq > 0) return true;
      const std::string primary = text_of(*cluster, "primary");
      const bool moved = command.to.empty() ? primary != old_primary : primary == command.to;
      if (!moved || text_of(*cluster, "state") != "healthy") return false;
      answer = *cluster;
      return true;
    }));
  }
  if (failed.seq > 0) return fail(Errc::kUnavailable, "the switchover has failed: " + failed.message);
  if (command.client.json) {
    print_json(answer);
  } else {
    print(cluster_text(answer.as_object()));
  }
  return {};
}
}  // namespace

Status run(const Switchover& command) { return change_primary(command, "/switchover", {}); }

Status run(const Failover& command) {
  json::object body;
  if (command.accept_loss) body["accept_loss"] = true;
  return change_primary(command, "/failover", std::move(body));
}

Status run(const SetPromotion& command) {
  MYSOS_TRY(ApiClient api, ApiClient::open(command.client));
  MYSOS_TRY(const json::value answer,
            api.request("POST", path_of(command.name) + "/promotion",
                        json::object{{"member", command.member}, {"promotion", command.promotion}}));
  if (command.client.json) {
    print_json(answer);
  } else {
    print(command.member + ": " + command.promotion + "\n");
  }
  return {};
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
  const std::string_view what = "no primary has it yet: it is set as soon as one serves";
  if (change) return fail(Errc::kTimeout, std::string(what));
  fmt::print(stderr, "{}\n", what);
  return {};
}

Status run(const Register& command) {
  MYSOS_TRY(ApiClient api, ApiClient::open(command.client));
  MYSOS_TRY(const json::value answer, api.request("POST", "/v1/register", json::object{}));
  if (command.client.json) {
    print_json(answer);
  } else {
    print("A new framework is being registered; the databases are started again on their volumes. See mysos events.\n");
  }
  return {};
}

Status run(const Delete& command) {
  MYSOS_TRY(ApiClient api, ApiClient::open(command.client));
  MYSOS_TRY_VOID(api.get(path_of(command.name)));
  if (!command.yes) {
    if (::isatty(STDIN_FILENO) == 0) {
      return fail(Errc::kInvalid, "delete destroys the data of " + command.name +
                                      " for good; say --yes to mean it");
    }
    fmt::print(stderr,
               "This destroys the data of {} at {} for good. Type its name to go on: ", command.name, api.address());
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
