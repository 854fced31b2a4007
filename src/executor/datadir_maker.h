// SPDX-License-Identifier: Apache-2.0
#pragma once
// Makes the member's data directory: from the template, or as a copy of a donor's. First it keeps the old data's errant
// transactions aside. One call at a time; no server may run on the directory. Blocking work runs on the pool for copies.
// Belongs to the io_context's thread.
#include <functional>
#include <string>

#include "base/asio.h"
#include "core/member/member_core.h"
#include "executor/pools.h"
#include "mysql/seeding.h"

namespace mysos {

class DatadirMaker {
 public:
  // `kept_dir`: for errant binlogs. `tell` gets SeedProgress and ErrantKept; make() returns the result.
  DatadirMaker(Pools& pools, std::string kept_dir, std::function<void(MemberInput)> tell)
      : pool_(pools.copies), kept_dir_(std::move(kept_dir)), tell_(std::move(tell)) {}
  asio::awaitable<Status> make(server_action::MakeDatadir wanted, mysql::SeedSpec spec);

 private:
  asio::awaitable<Status> keep_errant(server_action::MakeDatadir wanted, mysql::SeedSpec spec);
  asio::awaitable<Status> copy(Donor donor, mysql::SeedSpec spec);
  asio::awaitable<Status> receive(Donor donor, mysql::SeedSpec spec);

  asio::thread_pool& pool_;
  std::string kept_dir_;
  std::function<void(MemberInput)> tell_;
};

}  // namespace mysos
