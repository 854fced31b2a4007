// SPDX-License-Identifier: Apache-2.0
#pragma once
// The threads of an executor's blocking work, one pool for each kind. Work waits only for work of its own kind, so no fence
// waits for a copy or for a scan of binary logs. A pool has one thread, so work of one kind runs in the order of the calls of
// run_on_pool() (base/pool_work.h). Joined before the io_context is destroyed.
#include <boost/asio/thread_pool.hpp>

#include "base/asio.h"

namespace mysos {

struct Pools {
  asio::thread_pool syncs{1};   // syncs of the relay log, for which fences and orders to acknowledge wait
  asio::thread_pool steps{1};   // other files for which a step of a plan waits, such as a kept relay log
  asio::thread_pool copies{1};  // makes, copies and removes data; reads, keeps and drops relay logs before a start
  asio::thread_pool binlogs{1};  // scans of binary logs, which may take minutes
  asio::thread_pool looks{1};    // reads of one small file of the server, once a second
  asio::thread_pool sockets{1};  // the kernel's list of connections: no disk is involved

  void join() {
    for (asio::thread_pool* pool : {&syncs, &steps, &copies, &binlogs, &looks, &sockets}) pool->join();
  }
};

}  // namespace mysos
