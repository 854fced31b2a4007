// SPDX-License-Identifier: Apache-2.0
#include "base/asio.h"

#include <algorithm>

namespace mysos {
namespace {
constexpr Duration kForever = std::chrono::hours(24 * 365);

void set_expiry(asio::steady_timer& timer, Duration after) {
  timer.expires_after(std::clamp(after, Duration::zero(), kForever));
}
}  // namespace

asio::awaitable<void> sleep_for(Duration duration) {
  asio::steady_timer timer(co_await asio::this_coro::executor);
  set_expiry(timer, duration);
  co_await timer.async_wait(asio::use_awaitable);
}

void Signal::notify_all() {
  while (!waiters_.empty()) {
    waiters_.front()->cancel();
    waiters_.pop_front();
  }
}

void Signal::notify_one() {
  while (!waiters_.empty()) {
    const bool woken = waiters_.front()->cancel() > 0;  // 0: its time was up already
    waiters_.pop_front();
    if (woken) return;
  }
}

asio::awaitable<void> Signal::wait() { co_await wait_for(kForever); }

asio::awaitable<bool> Signal::wait_for(Duration at_most) {
  struct Listed {
    std::list<asio::steady_timer*>& waiters;
    asio::steady_timer* timer;
    ~Listed() { waiters.remove(timer); }
  };
  asio::steady_timer timer(executor_);
  set_expiry(timer, at_most);
  waiters_.push_back(&timer);
  const Listed listed{waiters_, &timer};
  const auto [ec] = co_await timer.async_wait(use_tuple);
  co_return ec == asio::error::operation_aborted;
}

Deadline::Deadline(const asio::any_io_executor& executor, Duration after,
                   std::function<void()> expire)
    : timer_(executor), state_(std::make_shared<State>()) {
  state_->expire = std::move(expire);
  set_expiry(timer_, after);
  timer_.async_wait([state = state_](error_code ec) {
    if (ec || !state->armed) return;
    state->armed = false;
    state->expired = true;
    state->expire();
  });
}

Deadline::~Deadline() { disarm(); }

void Deadline::disarm() {
  state_->armed = false;
  timer_.cancel();
}

}  // namespace mysos
