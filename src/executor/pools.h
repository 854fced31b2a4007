// SPDX-License-Identifier: Apache-2.0
#pragma once
// The threads of an executor's blocking work, one pool for each kind. Work waits for work of its own kind only: no fence ever
// waits for a copy, or for binary logs that are read. A pool has one thread: work of one kind runs in the order in which it was
// given with run_on_pool() (base/pool_work.h). Joined before the io_context is destroyed.
#include <boost/asio/thread_pool.hpp>

#include "base/asio.h"

namespace mysos {

struct Pools {
  asio::thread_pool syncs{1};   // the relay log is made durable: fences, and orders to acknowledge, wait for that
  asio::thread_pool steps{1};   // other files that a step of a plan waits for: a relay log that is given up is kept
  asio::thread_pool copies{1};  // data are made, copied or removed; relay logs are read before a start, kept, dropped
  asio::thread_pool binlogs{1};  // binary logs are read: that may take minutes
  asio::thread_pool looks{1};    // one small file of the server, once a second
  asio::thread_pool sockets{1};  // the kernel's list of connections: no disk is involved

  void join() {
    for (asio::thread_pool* pool : {&syncs, &steps, &copies, &binlogs, &looks, &sockets}) pool->join();
  }
};

}  // namespace mysos
