// SPDX-License-Identifier: Apache-2.0
#include "scheduler/member_links.h"

#include <algorithm>

#include "base/backoff.h"
#include "base/log.h"

namespace mysos {
namespace {
constexpr Logger kLog{"links"};
}

struct MemberLinks::Link {
  Link(asio::any_io_executor executor, WatchTarget to, const std::string& token)
      : target(std::move(to)),
        client(executor, Endpoint{target.ip, target.api_port}, token),
        watch(client.watch()),
        wake(executor) {}
  void end() {
    over = true;
    watch.close();
    wake.notify_all();
  }
  WatchTarget target;
  MemberClient client;
  MemberWatch watch;
  Signal wake;
  bool over = false;
  bool streaming = false;
};

MemberLinks::MemberLinks(TaskGroup& tasks, Sink sink, SecretsOf secrets_of, SetupOf setup_of, Prng prng)
    : tasks_(tasks),
      sink_(std::move(sink)),
      secrets_of_(std::move(secrets_of)),
      setup_of_(std::move(setup_of)),
      prng_(prng) {}

MemberLinks::~MemberLinks() { close(); }

std::size_t MemberLinks::open_streams() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(links_, [](const auto& l) { return l.second->streaming; }));
}

void MemberLinks::watch(const std::vector<WatchTarget>& targets) {
  std::erase_if(links_, [&](const auto& entry) {
    const bool wanted = std::ranges::find(targets, entry.second->target) != targets.end();
    if (!wanted) entry.second->end();
    return !wanted;
  });
  for (const WatchTarget& target : targets) {
    if (links_.contains(target.member)) continue;
    const auto secrets = secrets_of_(target.cluster);
    if (!secrets) {
      kLog.error("member {} cannot be reached: {}", target.member.value, secrets.error().message);
      continue;
    }
    auto link = std::make_shared<Link>(tasks_.executor(), target, secrets->token);
    links_[target.member] = link;
    tasks_.spawn("watch " + target.member.value, follow(std::move(link)));
  }
}

asio::awaitable<void> MemberLinks::follow(std::shared_ptr<Link> link) {
  Backoff pauses{kWatchRetryFirst, kWatchRetryMost};
  bool told = false;
  bool heard = false;
  while (!link->over) {
    std::string why;
    const auto opened = co_await link->watch.open(kWatchOpenDeadline);
    if (link->over) co_return;
    if (!opened) why = opened.error().message;
    while (opened) {
      auto report = co_await link->watch.next();
      if (link->over) co_return;
      if (!report) {
        why = report.error().message;
        break;
      }
      if (!link->streaming) kLog.debug("watching {}", link->target.member.value);
      link->streaming = true;
      heard = true;
      told = false;
      pauses.reset();
      sink_(scheduler_input::Reported{*std::move(report)});
    }
    link->streaming = false;
    if (!told) {
      // Before the first stream this only says that its executor is not up yet.
      const LogLevel level = heard ? LogLevel::kInfo : LogLevel::kDebug;
      if (log_enabled(level))
        log_line(level, kLog.component,
                 "the watch stream of " + link->target.member.value + " is lost: " + why);
      sink_(scheduler_input::WatchLost{link->target.member, why});
      told = true;
    }
    const Duration pause = pauses.next();
    const auto jitter = Duration(prng_.below(static_cast<std::uint64_t>(pause.count()) / 4 + 1));
    co_await link->wake.wait_for(pause + jitter);
  }
}

void MemberLinks::send(SentOrder order) {
  const auto found = links_.find(order.member);
  if (found == links_.end()) {
    done(order, fail(Errc::kUnavailable, "there is no way to member " + order.member.value));
    return;
  }
  std::string name = std::string(order_name(order.order)) + " to " + order.member.value;
  tasks_.spawn(std::move(name), carry(found->second, std::move(order)));
}

asio::awaitable<void> MemberLinks::carry(std::shared_ptr<Link> link, SentOrder order) {
  std::optional<json::object> secrets;
  if (std::holds_alternative<order::Setup>(order.order)) {
    auto setup = setup_of_(link->target.cluster);
    if (!setup) {
      done(order, std::unexpected(std::move(setup).error()));
      co_return;
    }
    secrets = *std::move(setup);
  }
  Order what = order.order;
  const Duration deadline = order.deadline;
  auto answer = co_await link->client.send(std::move(what), deadline, std::move(secrets));
  done(order, std::move(answer));
}

void MemberLinks::done(const SentOrder& order, Result<MemberReport> answer) {
  scheduler_input::OrderDone input{.order = order.id, .member = order.member};
  if (answer) {
    input.report = *std::move(answer);
  } else {
    kLog.info("{} to {} failed: {}", order_name(order.order), order.member.value,
              answer.error().message);
    input.error = std::move(answer).error();
  }
  sink_(std::move(input));
}

}  // namespace mysos
