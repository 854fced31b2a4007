// SPDX-License-Identifier: Apache-2.0
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>

#include "cli/api_client.h"
#include "cli/asking.h"
#include "cli/commands.h"
#include "cli/text.h"

namespace mysos::cli {
namespace {

// What is typed is the name of the cluster that the data were of; where no label says it, the orphan's id.
Status ask_first(const json::object& orphan, const std::string& id) {
  if (::isatty(STDIN_FILENO) == 0) {
    return fail(Errc::kInvalid, "destroy destroys the data of " + id + " for good; add --yes to confirm");
  }
  const std::string cluster = text_of(orphan, "cluster_name");
  const std::string wanted = cluster.empty() ? id : cluster;
  fmt::print(stderr, "This destroys {} ({}, of cluster {}, member {}, on {}) for good. Type {} to continue: ", id,
             text_of(orphan, "disk"), cluster.empty() ? "unknown" : cluster, text_of(orphan, "member"),
             text_of(orphan, "hostname"), wanted);
  std::string typed;
  std::getline(std::cin, typed);
  if (typed != wanted) return fail(Errc::kInvalid, "nothing was destroyed");
  return {};
}

Status adopt(ApiClient& api, const Orphans& command) {
  json::object body{{"cluster", command.id}};
  if (!command.as.empty()) body["as"] = command.as;
  MYSOS_TRY(const json::value answer, api.request("POST", target_of(command_form("adoptCluster"), ""), std::move(body)));
  if (command.client.json) {
    fmt::print("{}\n", json::serialize(answer));
    return {};
  }
  const std::string name = text_of(answer.as_object(), "name");
  const std::string waiting = text_of(answer.as_object(), "waiting_for");
  const auto* adopted = answer.as_object().if_contains("adopted");
  if (adopted != nullptr && *adopted == false) {
    fmt::print("Nothing was adopted: the state has cluster {} already, and no orphan is of another cluster {}\n", name,
               command.id);
  }
  fmt::print("{} is in the state: {}{}{}\n", name, text_of(answer.as_object(), "state"),
             waiting.empty() ? "" : ", waiting for ", waiting);
  return {};
}

}  // namespace

Status run(const Orphans& command) {
  MYSOS_TRY(ApiClient api, ApiClient::open(command.client));
  if (command.action == "adopt") return adopt(api, command);
  MYSOS_TRY(const json::value all, api.get("/v1/orphans"));
  if (command.action == "list") {
    fmt::print("{}", command.client.json ? json::serialize(all) + "\n" : orphans_text(all.as_object()));
    return {};
  }
  const json::array& orphans = all.as_object().at("orphans").as_array();
  const auto found = std::ranges::find_if(
      orphans, [&](const json::value& o) { return text_of(o.as_object(), "id") == command.id; });
  if (found == orphans.end()) return fail(Errc::kNotFound, "there is no orphan " + command.id + "; mysos orphans lists them");
  if (!command.yes) MYSOS_TRY_VOID(ask_first(found->as_object(), command.id));
  MYSOS_TRY(const json::value answer,
            api.request("POST", target_of(command_form("destroyOrphan"), command.id), json::object{}));
  fmt::print("{}", command.client.json ? json::serialize(answer) + "\n" : command.id + " is being destroyed\n");
  return {};
}

}  // namespace mysos::cli
