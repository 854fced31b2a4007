// SPDX-License-Identifier: Apache-2.0
#include "executor/member_loop.h"

#include <algorithm>
#include <utility>

#include "base/clock.h"
#include "base/log.h"
#include "model/cluster.h"

namespace mysos {
namespace {

constexpr Logger kLog{"member"};

double seconds(Duration d) { return std::chrono::duration<double>(d).count(); }

}  // namespace

MemberLoop::MemberLoop(TaskGroup& tasks, const MemberVolume& volume, MemberCore core,
                       ServerSide& side, Labels labels, StoredSecrets stored)
    : tasks_(tasks),
      volume_(volume),
      pipeline_(std::move(core)),
      side_(side),
      labels_(std::move(labels)),
      changed_(tasks.executor()),
      stepped_(tasks.executor()),
      stored_(std::move(stored)) {}

MemberLoop::~MemberLoop() = default;

void MemberLoop::start(std::optional<std::string> adopted_incarnation) {
  if (adopted_incarnation) feed(member_input::ServerAdopted{*std::move(adopted_incarnation)});
  feed(member_input::Tick{});
  tasks_.spawn("member ticks", ticks());
}

void MemberLoop::feed(MemberInput input) {
  pipeline_.push(std::move(input));
  drain();
}

void MemberLoop::drain() {
  if (draining_) return;
  draining_ = true;
  while (const MemberInput* input = pipeline_.next()) {
    count(*input);
    auto output = pipeline_.step(steady_now());
    if (!output && keep_promise()) output = pipeline_.durable();
    if (output) carry_out(*std::move(output));
  }
  draining_ = false;
  stepped_.notify_all();
}

// False: the volume does not take it now, and it is tried again.
bool MemberLoop::keep_promise() {
  const MemberPromise& promise = *pipeline_.promise();
  const Instant began = steady_now();
  const Status saved = volume_.save_promise(promise);
  metrics_.histogram("mysos_member_promise_write_seconds", "Time to make a promise durable.")
      .observe(seconds(steady_now() - began), labels_);
  if (saved) {
    kLog.info("promised {} as {}", to_string(promise.pair), enum_text(promise.role));
    return true;
  }
  kLog.error("a promise cannot be kept: {}", saved.error().message);
  tasks_.spawn("keep the promise", keep_promise_later(pipeline_.refused(saved.error().message)));
  note_change();
  return false;
}

void MemberLoop::carry_out(MemberOutput output) {
  for (const ServerAction& action : output.server) side_.act(action);
  if (output.plan) side_.run(*std::move(output.plan));
  side_.poll_fast(pipeline_.core().poll_fast());
  for (Answer& answer : output.answers) {
    const auto found = waiting_.find(answer.order);
    if (found == waiting_.end()) continue;  // its caller has gone
    found->second->answer = std::move(answer);
    found->second->answered.notify_all();
  }
  finished_ = finished_ || output.finished;
  if (output.report_changed || output.finished) note_change();
}

void MemberLoop::note_change() {
  ++version_;
  changed_.notify_all();
}

asio::awaitable<void> MemberLoop::keep_promise_later(Duration pause) {
  while (true) {
    co_await sleep_for(pause);
    const Status saved = volume_.save_promise(*pipeline_.promise());
    if (saved) break;
    const std::string& why = saved.error().message;
    if (pipeline_.problem() != why) kLog.error("a promise cannot be kept: {}", why);
    pause = pipeline_.refused(why);
  }
  kLog.info("promised {}, at last", to_string(pipeline_.promise()->pair));
  draining_ = true;  // what the server says at once waits its turn
  carry_out(pipeline_.durable());
  draining_ = false;
  note_change();
  drain();
}

asio::awaitable<void> MemberLoop::ticks() {
  for (;;) {
    const Instant at = pipeline_.due();
    if (at == kNever) {
      co_await stepped_.wait();
      continue;
    }
    const Duration left = at - steady_now();
    if (left > Duration::zero()) {
      co_await stepped_.wait_for(left);
    } else {
      feed(member_input::Tick{});
      // Whatever the core wants at once it has got by now: never spin.
      co_await stepped_.wait_for(std::chrono::milliseconds(10));
    }
  }
}

MemberReport MemberLoop::report() {
  const SharedValue<MemberReport> now = pipeline_.report(side_.alive());
  return *now;
}

// The sealed ones come first: a member that says which password it has keeps that one sealed, too.
Status MemberLoop::store_secrets(json::object secrets) {
  std::string sealed;
  if (const auto* given = secrets.if_contains(kSealedKey); given != nullptr && given->is_string()) sealed = given->as_string();
  secrets.erase(kSealedKey);
  std::optional<json::object> stored;
  if (stored_.open) {
    MYSOS_TRY(stored, volume_.load_secrets());
  }
  MYSOS_TRY(const TakenSecrets taken, side_.use_secrets(secrets, stored));
  const bool seal = !sealed.empty() && sealed != stored_.sealed && (!taken.older || stored_.sealed.empty());
  if (!seal && stored == taken.kept) return {};
  if (seal) {
    MYSOS_TRY_VOID(volume_.save_sealed(sealed));
    stored_.sealed = sealed;
  }
  if (stored != taken.kept) MYSOS_TRY_VOID(volume_.save_secrets(taken.kept));
  stored_.open = true;
  feed(member_input::SecretsStored{taken.credentials, !stored_.sealed.empty()});
  return {};
}

asio::awaitable<Result<MemberReport>> MemberLoop::obey(Order order, json::object secrets) {
  const std::string name(order_name(order));
  Counter orders =
      metrics_.counter("mysos_member_orders_total", "Orders taken, by name and outcome.");
  const auto done = [&](std::string_view outcome) {
    Labels labels = labels_;
    labels["order"] = name;
    labels["outcome"] = outcome;
    orders.inc(labels);
  };
  if (waiting_.size() >= kMaxWaitingOrders) {
    done("refused");
    co_return fail(Errc::kUnavailable, "too many orders are waiting");
  }
  if (std::holds_alternative<order::Setup>(order)) {
    if (Status stored = store_secrets(std::move(secrets)); !stored) {
      done("refused");
      co_return std::unexpected(std::move(stored).error());
    }
  }
  const std::uint64_t id = next_order_++;
  Waiting waiting(tasks_.executor());
  struct Entry {
    MemberLoop& loop;
    std::uint64_t order;
    ~Entry() {
      loop.waiting_.erase(order);
      loop.pipeline_.withdraw(order);
    }
  };
  waiting_[id] = &waiting;
  const Entry entry{*this, id};
  feed(member_input::OrderGiven{id, std::move(order)});
  const Instant until = steady_now() + kMaxOrderTime;
  while (!waiting.answer && steady_now() < until)
    co_await waiting.answered.wait_for(until - steady_now());
  if (!waiting.answer) {
    done("timeout");
    if (pipeline_.withdraw(id)) {
      co_return fail(Errc::kUnavailable, "the order \"" + name + "\" was not begun: " + pipeline_.problem());
    }
    co_return fail(Errc::kTimeout, "the order \"" + name + "\" is still being carried out");
  }
  if (waiting.answer->error) {
    done("refused");
    kLog.info("{} refused: {}", name, waiting.answer->error->message);
    co_return std::unexpected(*std::move(waiting.answer->error));
  }
  done("obeyed");
  co_return report();
}

void MemberLoop::count_ended_readers() {
  metrics_.counter("mysos_member_readers_ended_total", "Times users' sessions were ended on a replica.").inc(labels_);
}

void MemberLoop::count(const MemberInput& input) {
  if (const auto* exited = std::get_if<member_input::ServerExited>(&input)) {
    metrics_.counter("mysos_member_server_exits_total", "Ends of mysqld, wanted or not.")
        .inc(labels_);
    if (exited->out_of_memory) {
      metrics_.counter("mysos_member_out_of_memory_total", "Times the kernel killed mysqld at its memory limit.").inc(labels_);
    }
    kLog.warn("mysqld ended: {}", exited->how);
  } else if (const auto* up = std::get_if<member_input::ServerUp>(&input)) {
    metrics_.counter("mysos_member_server_starts_total", "Times mysqld came up or was adopted.")
        .inc(labels_);
    kLog.info("mysqld is up: {}, server {}, incarnation {}", up->version, up->server_id,
              up->incarnation);
  } else if (const auto* guarded = std::get_if<member_input::Guarded>(&input)) {
    for (const std::string& what : guarded->repaired) kLog.warn("somebody changed the server; repaired: {}", what);
    for (const std::string& what : guarded->tampered) {
      kLog.error("somebody changed the server, and it stays so: {}", what);
    }
    metrics_.counter("mysos_member_server_repairs_total",
                     "Accounts and settings of the server that were changed and repaired.")
        .inc(labels_, static_cast<double>(guarded->repaired.size()));
  } else if (const auto* failed = std::get_if<member_input::DatadirFailed>(&input)) {
    kLog.error("the datadir cannot be made: {}", failed->why);
    count_seeding("failed");
  } else if (std::holds_alternative<member_input::DatadirReady>(input)) {
    count_seeding("done");
  } else if (const auto* looked = std::get_if<member_input::ApplierLooked>(&input)) {
    if (!looked->ended.empty()) count_ended_readers();
  } else if (const auto* noticed = std::get_if<member_input::Noticed>(&input)) {
    kLog.info("{}", noticed->text);
    if (noticed->kind == NoticeKind::kReaderEnded) count_ended_readers();
  } else if (const auto* plan = std::get_if<member_input::PlanEnded>(&input);
             plan != nullptr && plan->failure) {
    kLog.warn("a plan failed: {}", *plan->failure);
  }
}

void MemberLoop::count_seeding(std::string_view result) {
  const MemberReport r = pipeline_.core().report();
  if (!r.seeding || r.seeding->state != SeedState::kCopying) return;
  Labels labels = labels_;
  labels["result"] = result;
  metrics_.counter("mysos_member_seedings_total", "Copies of another member's data that ended.").inc(labels);
}

std::string MemberLoop::metrics() {
  const MemberReport r = report();
  const auto set = [&](std::string_view name, std::string_view help, double value) {
    metrics_.gauge(name, help).set(value, labels_);
  };
  set("mysos_member_promised_epoch", "Highest epoch this member has promised.",
      static_cast<double>(r.promised.epoch));
  set("mysos_member_promised_config", "Highest config of that epoch.",
      static_cast<double>(r.promised.config));
  set("mysos_member_server_up", "1 while mysqld runs and answers.",
      r.server == ServerState::kRunning ? 1 : 0);
  set("mysos_member_writable", "1 while clients can write here.", r.writable ? 1 : 0);
  set("mysos_member_acking", "1 while its acknowledgements count.", r.acking ? 1 : 0);
  set("mysos_member_receiver_connected", "1 while its receiver is connected, as the server believes.",
      r.receiver_connected ? 1 : 0);
  set("mysos_member_applier_running", "1 while its applier runs.", r.applier_running ? 1 : 0);
  set("mysos_member_applier_restarts", "Times in a row that its applier stopped again after a start.", r.applier_restarts);
  set("mysos_member_applier_stalled_seconds", "Since its applier executed anything, with something to execute.",
      static_cast<double>(r.applier_stalled_ms) / 1000);
  set("mysos_member_applier_waits_seconds", "Since its applier waits for a lock that no session holds.",
      static_cast<double>(r.applier_waits_ms) / 1000);
  set("mysos_member_source_silent_seconds", "Since its receiver heard anything of its source, 0 where not for long.",
      static_cast<double>(r.source_silent_ms) / 1000);
  set("mysos_member_semi_sync_clients", "Acknowledging replicas connected to it.",
      r.semi_sync_clients);
  set("mysos_member_lag_seconds", "Replication lag, -1 where there is none to speak of.",
      r.lag_ms < 0 ? -1 : static_cast<double>(r.lag_ms) / 1000);
  set("mysos_member_transactions_executed", "Transactions in its GTID set.",
      static_cast<double>(r.executed.count()));
  set("mysos_member_server_tampered", "Accounts and settings of the server that were changed and cannot be repaired.",
      static_cast<double>(r.tampered.size()));
  set("mysos_member_logs_reset", "1 where somebody reset the server's binary logs.", r.logs_reset ? 1 : 0);
  set("mysos_member_events_running", "1 while the clients' events (CREATE EVENT) run here.", r.events_run ? 1 : 0);
  set("mysos_member_events_failing", "1 while some of the clients' events cannot be enabled, stopped or written down.",
      r.events_trouble.empty() ? 0 : 1);
  const bool copying = r.seeding && r.seeding->state == SeedState::kCopying;
  set("mysos_member_seeding_bytes", "Bytes copied so far from another member, 0 while nothing is.",
      copying ? static_cast<double>(r.seeding->bytes.value) : 0);
  set("mysos_member_promise_held", "1 while the volume does not take a promise.", pipeline_.promise() != nullptr ? 1 : 0);
  return metrics_.render();
}

}  // namespace mysos
