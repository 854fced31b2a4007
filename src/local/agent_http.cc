// SPDX-License-Identifier: Apache-2.0
// The v1 executor API of an agent. Source: Mesos executor-http-api.md.
#include <algorithm>

#include "base/clock.h"
#include "base/http/bearer.h"
#include "base/secret.h"
#include "local/agent_executor.h"
#include "local/authentication.h"
#include "local/master.h"

namespace mysos::local {
namespace ex = mesos::executor;
namespace {
// Started by version 0.1. It is told apart by its ids, which only its own user and root can read.
constexpr auto has_no_token = [](const auto& entry) { return entry.second->record.token_hash.empty(); };
}  // namespace

void Agent::tell(const Executor& executor, const ex::Event& event) {
  if (executor.stream) executor.stream->push(ex::encode_event(event, executor.record.framework));
}

std::shared_ptr<Agent::Executor> Agent::holder_of_token(const HttpRequest& request) const {
  const std::string_view token = bearer_token(request);
  if (token.empty()) return nullptr;
  const std::string hash = hash_token(token);
  for (const auto& [key, executor] : executors_) {
    if (constant_time_equal(hash, executor->record.token_hash)) return executor;
  }
  return nullptr;
}

asio::awaitable<void> Agent::handle(const HttpRequest& request, HttpExchange& exchange) {
  std::string_view path = request.path;
  if (path.starts_with("/slave(1)/")) path.remove_prefix(9);
  if (path != "/api/v1/executor") {
    co_await exchange.reply(plain_text(404, "404 Not Found."));
    co_return;
  }
  const std::shared_ptr<Executor> speaker = holder_of_token(request);
  const bool some_have_none = std::ranges::any_of(executors_, has_no_token);
  if (speaker == nullptr && !some_have_none) {
    co_await exchange.reply(unauthorized("Bearer", kExecutorRealm));
    co_return;
  }
  if (speaker != nullptr) exchange.trust();
  if (unsaved_) {
    co_await exchange.reply(plain_text(503, "The agent's state cannot be stored"));
    co_return;
  }
  json::value body;
  if (auto refused = refuse_post(request, body)) {
    co_await exchange.reply(*std::move(refused));
    co_return;
  }
  auto call = ex::decode_call(body);
  if (!call) {
    co_await exchange.reply(plain_text(400, call.error().message));
    co_return;
  }
  const auto of_framework = [&](const auto& entry) { return entry.first.first == call->framework; };
  const auto found = executors_.find({call->framework, call->executor});
  if (found == executors_.end()) {
    const bool known = std::ranges::any_of(executors_, of_framework);
    co_await exchange.reply(
        plain_text(400, known ? "Executor cannot be found" : "Framework cannot be found"));
    co_return;
  }
  const std::shared_ptr<Executor> executor = found->second;
  if (speaker != executor && !has_no_token(*found)) {
    co_await exchange.reply(speaker == nullptr ? unauthorized("Bearer", kExecutorRealm) : plain_text(403, ""));
    co_return;
  }
  if (auto* subscription = std::get_if<ex::Subscribe>(&call->call)) {
    co_await subscribe(executor, std::move(*subscription), exchange);
    co_return;
  }
  if (!executor->subscribed()) {
    co_await exchange.reply(plain_text(403, "Executor is not subscribed"));
    co_return;
  }
  if (auto* update = std::get_if<ex::SendUpdate>(&call->call)) {
    on_executor_update(*executor, std::move(update->status));
  } else if (auto* message = std::get_if<ex::SendMessage>(&call->call);
             message != nullptr && master_ != nullptr) {
    master_->submit(
        ExecutorSaid{state_.id, call->framework, call->executor, std::move(message->data)});
  }
  co_await exchange.reply(HttpResponse{202, {}, ""});
}

asio::awaitable<void> Agent::subscribe(std::shared_ptr<Executor> executor, ex::Subscribe call,
                                       HttpExchange& exchange) {
  const bool started =
      co_await exchange.start_stream(200, HttpHeaders{{"Content-Type", "application/json"}});
  if (!started) co_return;
  if (executor->stream) executor->stream->close();
  const auto stream = std::make_shared<Subscriber>(executor_);
  executor->stream = stream;
  ex::Subscribed subscribed;
  subscribed.executor = executor->record.info;
  subscribed.framework = executor->record.framework_info;
  subscribed.agent = state_.id;
  subscribed.hostname = config_.hostname;
  subscribed.container_id = executor->record.container;
  tell(*executor, subscribed);
  if (executor->ending) {
    tell(*executor, ex::Shutdown{});
  } else {
    executor->kill_at = kNever;
    reconcile_subscription(*executor, call);
    deliver_tasks(*executor);
  }
  co_await stream->serve(exchange);
  if (executor->stream == stream) executor->stream.reset();
}

// What the executor has and we may have missed while we were down, and the other way round.
void Agent::reconcile_subscription(Executor& executor, const ex::Subscribe& call) {
  executor.adopted = false;
  for (const auto& update : call.unacknowledged_updates) on_executor_update(executor, update);
  std::vector<TaskId> lost;
  for (auto& task : state_.tasks) {
    if (task.framework != executor.record.framework ||
        task.info.executor != executor.record.info.executor)
      continue;
    const bool has_it = std::ranges::any_of(
        call.unacknowledged_tasks, [&](const mesos::TaskInfo& t) { return t.id == task.info.id; });
    if (has_it) {
      task.delivered = true;
    } else if (task.delivered && task.state == mesos::TaskState::kStaging && task.pending.empty()) {
      lost.push_back(task.info.id);
    }
  }
  for (const auto& id : lost) {
    agent_update(*find_task(executor.record.framework, id), mesos::TaskState::kDropped,
                 "REASON_AGENT_RESTARTED", "Task launched during agent restart");
  }
}

void Agent::deliver_tasks(Executor& executor) {
  std::vector<TaskRecord*> told;
  for (auto& task : state_.tasks) {
    const bool of_it = task.framework == executor.record.framework &&
                       task.info.executor == executor.record.info.executor;
    if (!of_it || task.delivered || is_terminal(task.state)) continue;
    task.delivered = true;
    told.push_back(&task);
  }
  if (told.empty()) return;
  const bool saved = save();
  for (TaskRecord* task : told) {
    task->delivered = saved;
    if (saved) tell(executor, ex::LaunchTask{task->info});
  }
}

void Agent::on_executor_update(Executor& executor, mesos::Update update) {
  update.executor = executor.record.info.executor;
  TaskRecord* task = find_task(executor.record.framework, update.task);
  const bool fresh =
      task != nullptr && task->last_uuid != update.uuid && !is_terminal(task->state) &&
      std::ranges::none_of(task->pending, [&](const auto& u) { return u.uuid == update.uuid; });
  const ex::Acknowledged ack{update.task, update.uuid};
  if (fresh) {
    if (update.timestamp == 0) update.timestamp = static_cast<double>(wall_now().ms) / 1000.0;
    task->last_uuid = update.uuid;
    const bool ended = is_terminal(update.state);
    record_update(*task, std::move(update));
    if (ended) resize(executor);
  }
  if (!unsaved_) tell(executor, ack);
}

}  // namespace mysos::local
