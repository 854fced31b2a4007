// SPDX-License-Identifier: Apache-2.0
// The commands that are a POST with a name and fields: one handler for all of them, which their words and fields drive.
#include <algorithm>
#include <set>

#include "api/answers.h"
#include "api/command_form.h"
#include "base/did_you_mean.h"
#include "base/overloaded.h"

namespace mysos {
namespace {

// That the members which the body names are of this cluster.
Status check_members(const ClusterView& view, const CommandForm& form, const json::object& body) {
  std::vector<std::string> known;
  for (const Member& member : view.cluster->members) known.push_back(member.id.value);
  for (const BodyField& field : form.body) {
    const json::value* given = body.if_contains(field.name);
    if (field.type != FieldType::kMember || given == nullptr || (given->is_null() && !field.required)) continue;
    const std::string id = given->is_string() ? std::string(given->get_string()) : "";
    if (std::ranges::find(known, id) != known.end()) continue;
    return fail(Errc::kInvalid, "cluster " + view.cluster->spec.name + " has no member " + id + did_you_mean(id, known),
                field.name);
  }
  return {};
}

// An adoption says whether there was anything to adopt. `before`: the clusters that there were.
HttpResponse adopted(const ApiParts& api, const ClusterId& id, const std::set<ClusterId>& before) {
  const bool made = !before.contains(id);
  for (const ClusterView& view : api.control.clusters()) {
    if (view.cluster->id != id) continue;
    json::object out = shown(api, view);
    out["adopted"] = made;
    return json_answer(made ? 202 : 200, std::move(out));
  }
  return problem_response(Error{Errc::kNotFound, "the cluster was adopted, and deleted since", {}});
}

// As a rule the cluster that it is about, as it is now.
HttpResponse begun(const ApiParts& api, const command::Any& what, const std::string& name, const ClusterId& id,
                   const std::set<ClusterId>& before) {
  return std::visit(
      Overloaded{[&](const command::DestroyOrphan&) {
                   return json_answer(202, json::object{{"id", name}, {"fate", enum_text(OrphanFate::kDestroy)}});
                 },
                 [](const command::Register&) { return json_answer(202, json::object{{"status", "registering"}}); },
                 [&](const command::Adopt&) { return adopted(api, id, before); },
                 [&](const auto&) {
                   const auto view = api.control.cluster(name);
                   if (view) return json_answer(202, shown(api, *view));
                   return problem_response(no_cluster(name, api.control.clusters()));
                 }},
      what);
}

asio::awaitable<Answer> carry_out(ApiParts& api, const ApiCall& call, const CommandForm& form) {
  const auto body = parse_body(call.request.body, form.body);
  if (!body) co_return body_problem(body.error());
  const auto what = form.read(*body);
  if (!what) co_return body_problem(what.error());
  if (form.of_cluster()) {
    const auto view = api.control.cluster(call.name);
    if (!view) co_return problem_response(no_cluster(call.name, api.control.clusters()));
    if (const Status members = check_members(*view, form, *body); !members) co_return problem_response(members.error());
  }
  std::set<ClusterId> before;
  if (std::holds_alternative<command::Adopt>(*what)) {
    for (const ClusterView& view : api.control.clusters()) before.insert(view.cluster->id);
  }
  const auto done = co_await api.control.command(call.caller, call.name, *what);
  co_return done ? begun(api, *what, call.name, *done, before) : problem_response(done.error());
}

}  // namespace

std::vector<Operation> command_operations() {
  std::vector<Operation> all;
  for (const CommandForm& form : command_forms()) {
    all.push_back({std::string(form.words.operation), "POST", std::string(form.words.path), Scope::kToken,
                   [&form](ApiParts& api, const ApiCall& call) { return carry_out(api, call, form); }, form.body});
  }
  return all;
}

}  // namespace mysos
