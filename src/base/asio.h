// SPDX-License-Identifier: Apache-2.0
#pragma once
// The pieces of Asio that Mysos uses, under one short name, and the few verbs every shell needs.
// Asio and Beast are compiled once (asio_impl.cc). Everything here belongs to one thread: the one
// that runs the io_context.
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <functional>
#include <list>
#include <memory>
#include <tuple>
#include <utility>

#include "base/time.h"

namespace mysos {
namespace asio = boost::asio;
using boost::system::error_code;

// `const auto [ec, n] = co_await socket.async_read_some(buffer, use_tuple);`: an error is a value,
// not an exception.
inline constexpr auto use_tuple = asio::as_tuple(asio::use_awaitable);

// Waits. If the task is cancelled, it ends early with an exception that only the task group sees.
asio::awaitable<void> sleep_for(Duration duration);

// A condition variable for coroutines: waiters wake on notify, or when their time is up. Check
// the condition before and after each wait. Must outlive its waiters.
class Signal {
 public:
  explicit Signal(asio::any_io_executor executor) : executor_(std::move(executor)) {}
  Signal(const Signal&) = delete;
  Signal& operator=(const Signal&) = delete;
  void notify_all();
  void notify_one();  // the waiter that has waited longest
  asio::awaitable<void> wait();
  // False when the time was up first.
  asio::awaitable<bool> wait_for(Duration at_most);

 private:
  asio::any_io_executor executor_;
  std::list<asio::steady_timer*> waiters_;
};

// Calls `expire` once `after` has passed, unless it is destroyed or disarmed first. `expire` closes
// the socket or cancels the operation that takes too long. `expired()` distinguishes a deadline from a
// failure.
class Deadline {
 public:
  Deadline(const asio::any_io_executor& executor, Duration after, std::function<void()> expire);
  ~Deadline();
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;
  void disarm();
  [[nodiscard]] bool expired() const { return state_->expired; }

 private:
  struct State {
    bool armed = true;
    bool expired = false;
    std::function<void()> expire;
  };
  asio::steady_timer timer_;
  std::shared_ptr<State>
      state_;  // shared with the timer's handler, which may run after we are gone
};

}  // namespace mysos
