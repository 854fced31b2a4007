// SPDX-License-Identifier: Apache-2.0
// The side of SchedulerLoop that the API sees.
#include <algorithm>

#include "api/cluster_json.h"
#include "base/clock.h"
#include "base/log.h"
#include "core/cluster_view.h"
#include "scheduler/scheduler_loop.h"

namespace mysos {
namespace {
constexpr Logger kLog{"scheduler"};

Result<ClusterSecrets> opened(const SecretBox& box, const Cluster& cluster) {
  if (!cluster.sealed_secrets.empty()) return unseal(box, cluster.sealed_secrets);
  return fail(Errc::kUnavailable, "cluster '" + cluster.spec.name + "' was adopted, and none of its members has handed over "
                                  "its secrets yet; mysos show says what it waits for");
}
}  // namespace

std::vector<ClusterView> SchedulerLoop::clusters() {
  auto views = core_->views(steady_now());
  for (ClusterView& view : views) view = told(std::move(view));
  std::ranges::sort(views, {}, [](const ClusterView& view) { return view.cluster->spec.name; });
  return views;
}

// What is decided waits for the store: that comes first of all that a cluster waits for.
ClusterView SchedulerLoop::told(ClusterView view) const {
  const std::string trouble = store_trouble();
  if (trouble.empty()) return view;
  const std::string then = view.waiting_for.empty() ? "" : "; then " + view.waiting_for;
  view.waiting_for = "the scheduler's state to be stored, which fails (" + trouble + "); until then nothing is decided" + then;
  view.state = state_beside(view.state, view.waiting_for);
  return view;
}

std::optional<ClusterView> SchedulerLoop::cluster(const std::string& name) {
  auto view = core_->view(name, steady_now());
  return view ? std::optional(told(*std::move(view))) : std::nullopt;
}

std::vector<AgentView> SchedulerLoop::agents() {
  std::map<AgentId, AgentView> all = agents_;
  for (const auto& [id, cluster] : core_->state().clusters) {
    for (const Member& member : cluster.members) {
      if (!member.granted) continue;
      const Place& at = member.place();
      AgentView& agent = all[at.agent];
      agent.id = at.agent;
      if (agent.hostname.empty()) agent.hostname = at.hostname;
      if (agent.ip.empty()) agent.ip = at.ip;
      agent.members.push_back(member.id);
    }
  }
  std::vector<AgentView> out;
  for (auto& [id, agent] : all) out.push_back(std::move(agent));
  return out;
}

Health SchedulerLoop::health() const {
  std::string store = store_trouble();
  if (store.empty() && !events_.problem().empty()) store = "the event log cannot be written: " + events_.problem();
  return Health{core_->connected(), std::move(store), core_->mesos_problem()};
}

std::string SchedulerLoop::metrics() {
  LoopMetrics::Now now{core_->connected(), core_->removed(), links_->open_streams(), pipeline_->inputs()};
  now.commit_waits_s = std::chrono::duration<double>(pipeline_->commit_age(steady_now())).count();
  now.store_failing = !store_trouble().empty();
  now.log_failing = !events_.problem().empty();
  now.events_lost = events_.lost();
  now.orphans = core_->orphans();
  return metrics_.render(clusters(), now);
}

RequestId SchedulerLoop::next_request() { return RequestId("r" + std::to_string(next_request_++)); }

asio::awaitable<Result<ClusterId>> SchedulerLoop::ask(RequestId request, LoopInput input) {
  if (const std::string why = pipeline_->store_refusal(); !why.empty()) {
    co_return fail(Errc::kUnavailable, "the state cannot be stored, so nothing was changed: " + why);
  }
  if (!events_.problem().empty()) {
    co_return fail(Errc::kUnavailable, "the event log cannot be written, so nothing was changed: " + events_.problem());
  }
  if (waiting_.size() >= kMaxWaitingRequests) {
    co_return fail(Errc::kUnavailable, "256 requests wait already; nothing was changed");
  }
  Waiting waiting(executor_);
  struct Registered {
    std::map<RequestId, Waiting*>& all;
    const RequestId& id;
    ~Registered() { all.erase(id); }
  } registered{waiting_, request};
  waiting_[request] = &waiting;
  if (!pipeline_->push(std::move(input))) {
    co_return fail(Errc::kUnavailable, "too many inputs of the scheduler wait; nothing was changed");
  }
  due_changed_.notify_all();
  const Instant until = steady_now() + options_.request_deadline;
  while (!waiting.result && steady_now() < until)
    co_await waiting.answered.wait_for(until - steady_now());
  if (waiting.result) co_return *std::move(waiting.result);
  const std::string refusal = pipeline_->store_refusal();
  if (pipeline_->withdraw(request)) {
    co_return fail(Errc::kUnavailable, "the scheduler did not reach the request in time; nothing was changed" +
                                           (refusal.empty() ? "" : ": " + refusal));
  }
  if (!refusal.empty()) {
    co_return fail(Errc::kUnavailable,
                   "the state cannot be stored; the request is kept and carried out once it can: " + refusal);
  }
  co_return fail(Errc::kTimeout, "no answer in time; the outcome is unknown");
}

asio::awaitable<Result<CreatedCluster>> SchedulerLoop::create(Caller caller, CreateRequest request) {
  const ClusterSecrets secrets = make_secrets(request.spec.user, request.password);
  const std::string name = request.spec.name;
  command::Create what{std::move(request.spec), seal(state_.box(), secrets), hash_token(secrets.token), wall_now()};
  auto made = co_await command(std::move(caller), name, std::move(what));
  if (!made) co_return std::unexpected(std::move(made).error());
  co_return CreatedCluster{*std::move(made), secrets.accounts.user_password};
}

asio::awaitable<Result<ClusterId>> SchedulerLoop::command(Caller caller, std::string name, command::Any what) {
  const RequestId id = next_request();
  co_return co_await ask(id, SchedulerInput(Command{id, std::move(caller), std::move(name), std::move(what)}));
}

Result<ClusterSecrets> SchedulerLoop::secrets_of(const ClusterId& cluster) const {
  const auto found = core_->state().clusters.find(cluster);
  if (found == core_->state().clusters.end())
    return fail(Errc::kNotFound, "there is no cluster " + cluster.value);
  return opened(state_.box(), found->second);
}

Result<ClusterSecrets> SchedulerLoop::secrets_of(const std::string& name) const {
  const Cluster* found = core_->state().find_by_name(name);
  if (found == nullptr) return fail(Errc::kNotFound, "there is no cluster " + name, "name");
  return opened(state_.box(), *found);
}

// With the secrets of its accounts the member keeps those of the cluster's record, for a state that has lost them.
Result<json::object> SchedulerLoop::setup_of(const ClusterId& cluster) const {
  MYSOS_TRY(const ClusterSecrets secrets, secrets_of(cluster));
  const Cluster& record = core_->state().clusters.at(cluster);
  json::object setup = to_json(for_member(secrets, record.spec.flavour)).as_object();
  setup[kSealedKey] = record.sealed_secrets;
  return setup;
}

// An executor says who it is. Only here is the key that opens what it keeps.
void SchedulerLoop::on_message(const mesos::ExecutorMessage& message) {
  auto identity = from_json_text<MemberIdentity>(message.data);
  if (!identity) {
    return kLog.warn("executor {} sent a message that is not understood: {}", message.executor.value, identity.error().message);
  }
  scheduler_input::Identified input{.agent = message.agent, .executor = message.executor, .identity = *std::move(identity)};
  std::string& sealed = input.identity.sealed_secrets;
  if (!sealed.empty()) {
    const auto secrets = unseal(state_.box(), sealed);
    if (secrets && hash_token(secrets->token) == input.identity.spec.token_hash) {
      input.credentials = secrets->accounts.user_version;
    } else {
      input.problem = secrets ? "the secrets that it keeps are those of another cluster" : secrets.error().message;
      sealed.clear();
    }
  }
  push(SchedulerInput(std::move(input)));
}

namespace {

Credentials credentials_of(const ClusterView& view, const ClusterSecrets& secrets) {
  const bool changed = std::ranges::any_of(
      view.members, [](const MemberView& m) { return m.connected && m.report && m.report->password_changed; });
  return {.user = secrets.accounts.user,
          .password = secrets.accounts.user_password,
          .primary = primary_endpoint(view),
          .applied = view.cluster->credentials_applied >= view.cluster->credentials,
          .old_password_valid = !secrets.old_user_password.empty(),
          .changed_in_sql = changed};
}

}  // namespace

asio::awaitable<Result<Credentials>> SchedulerLoop::credentials(Caller caller, std::string name) {
  const Cluster* found = core_->state().find_by_name(name);
  if (found == nullptr) co_return fail(Errc::kNotFound, "there is no cluster " + name, "name");
  MYSOS_CO_TRY_VOID(secrets_of(found->id));
  const RequestId id = next_request();
  Event event{.kind = EventKind::kCredentialsRead,
              .cluster_id = found->id,
              .cluster = name,
              .message = "the user's password was asked for over the API",
              .by = std::move(caller)};
  const auto told = co_await ask(id, AuditInput{id, std::move(event)});
  if (!told) co_return std::unexpected(told.error());
  const auto view = cluster(name);
  const auto secrets = secrets_of(name);
  if (!view || !secrets) co_return fail(Errc::kNotFound, "there is no cluster " + name, "name");
  co_return credentials_of(*view, *secrets);
}

// The new password is stored before any member gets it.
asio::awaitable<Result<Credentials>> SchedulerLoop::change_credentials(Caller caller, std::string name,
                                                                             CredentialsChange change) {
  const Cluster* found = core_->state().find_by_name(name);
  MYSOS_CO_TRY(const ClusterSecrets before, secrets_of(name));
  Result<ClusterSecrets> changed = change == CredentialsChange::kRotate ? rotated(before) : retired(before);
  if (!changed) co_return std::unexpected(std::move(changed).error());
  command::ChangeCredentials what{seal(state_.box(), *changed), found->credentials, change == CredentialsChange::kRetire};
  const auto done = co_await command(std::move(caller), name, std::move(what));
  if (!done) co_return std::unexpected(done.error());
  const auto view = cluster(name);
  if (!view) co_return fail(Errc::kNotFound, "there is no cluster " + name, "name");
  co_return credentials_of(*view, *changed);
}

Result<bool> SchedulerLoop::is_password_of(const std::string& name, const std::string& password) {
  MYSOS_TRY(const ClusterSecrets secrets, secrets_of(name));
  return constant_time_equal(secrets.accounts.user_password, password);
}

asio::awaitable<Result<std::vector<StoredEvent>>> SchedulerLoop::events(EventQuery query) {
  co_return co_await events_.log().read(std::move(query));
}

asio::awaitable<Result<ClusterId>> SchedulerLoop::newest_named(std::string name) {
  if (const Cluster* found = core_->state().find_by_name(name)) co_return found->id;
  MYSOS_CO_TRY(std::string id, co_await events_.log().newest_named(std::move(name)));
  co_return ClusterId(std::move(id));
}

}  // namespace mysos
