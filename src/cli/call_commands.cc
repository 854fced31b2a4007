// SPDX-License-Identifier: Apache-2.0
// The commands that are one call of the API: what they send and say follows from their words (model/command.h).
#include <fmt/core.h>

#include "cli/api_client.h"
#include "cli/asking.h"
#include "cli/commands.h"
#include "cli/text.h"

namespace mysos::cli {
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

Result<json::value> send(ApiClient& api, const Call& call) {
  return api.request("POST", target_of(*call.form, call.name), call.body);
}

Status tell(const Call& call, const json::value& answer) {
  const std::string_view done = call.form->words.done;
  if (call.client.json) {
    fmt::print("{}\n", json::serialize(answer));
  } else if (done.empty()) {
    fmt::print("{}", cluster_text(answer.as_object()));
  } else {
    fmt::print("{}\n", filled_in(done, call.body, answer.as_object()));
  }
  return {};
}

// Where wanted, waits until another primary is there and the cluster is healthy, or it was given up.
Status change_primary(const Call& call) {
  MYSOS_TRY(ApiClient api, ApiClient::open(call.client));
  MYSOS_TRY(const json::value before, api.get(path_of(call.name)));
  const std::string old_primary = text_of(before.as_object(), "primary");
  const std::string to = text_of(call.body, "to");
  MYSOS_TRY(const Told last, newest_event(api, call.name, "", 0));
  MYSOS_TRY(json::value answer, send(api, call));
  Told failed;
  if (call.wait) {
    MYSOS_TRY_VOID(wait_until(api, call.name, call.timeout, [&](const json::object* cluster) {
      if (cluster == nullptr) return false;
      const auto seen = newest_event(api, call.name, "switchover_failed", last.seq);
      if (seen && seen->seq > 0) failed = *seen;
      if (failed.seq > 0) return true;
      const std::string primary = text_of(*cluster, "primary");
      const bool moved = to.empty() ? primary != old_primary : primary == to;
      if (!moved || text_of(*cluster, "state") != "healthy") return false;
      answer = *cluster;
      return true;
    }));
  }
  if (failed.seq > 0) return fail(Errc::kUnavailable, "the switchover has failed: " + failed.message);
  return tell(call, answer);
}

}  // namespace

Status run(const Call& command) {
  if (command.form->words.awaited == Awaited::kAnotherPrimary) return change_primary(command);
  MYSOS_TRY(ApiClient api, ApiClient::open(command.client));
  MYSOS_TRY(const json::value answer, send(api, command));
  return tell(command, answer);
}

}  // namespace mysos::cli
