// SPDX-License-Identifier: Apache-2.0
#include "executor/datadir_maker.h"

#include <utility>

#include "base/clock.h"
#include "base/fs.h"
#include "base/http/bearer.h"
#include "base/http/client.h"
#include "base/log.h"
#include "base/pool_work.h"
#include "executor/snapshot_source.h"
#include "mysql/datadir.h"
#include "mysql/errant_binlogs.h"

namespace mysos {
namespace {

constexpr Logger kLog{"datadir"};
constexpr Duration kOpenSnapshot = std::chrono::seconds(10);
constexpr Duration kTellEvery = std::chrono::milliseconds(500);
constexpr std::size_t kMaxProblem = std::size_t{64} << 10;

Status from_template(const mysql::SeedSpec& spec) {
  MYSOS_TRY_VOID(make_dirs(spec.server.layout.dir, 0711));
  MYSOS_TRY_VOID(mysql::forget_seed(spec));
  MYSOS_TRY(const std::string from,
            mysql::ensure_template(spec.server.distribution, spec.cache_dir, spec.server.user));
  return mysql::make_datadir(from, spec.server.layout.datadir, spec.server.user);
}

// The volume may have no room for both.
Status begin_copy(const mysql::SeedSpec& spec) {
  MYSOS_TRY_VOID(make_dirs(spec.server.layout.dir, 0711));
  MYSOS_TRY_VOID(remove_tree(spec.server.layout.datadir));
  return mysql::begin_seed(spec);
}

}  // namespace

asio::awaitable<Status> DatadirMaker::make(server_action::MakeDatadir wanted, mysql::SeedSpec spec) {
  const Instant began = steady_now();
  MYSOS_CO_TRY_VOID(co_await keep_errant(wanted, spec));
  Status made;
  if (wanted.donor) {
    made = co_await copy(*wanted.donor, spec);
  } else {
    made = co_await run_on_pool(pool_, [spec] { return from_template(spec); });
  }
  if (made) {
    kLog.info("the datadir is made, {}, in {} ms", wanted.donor ? "a copy of " + wanted.donor->member.value : "empty",
              to_ms(steady_now() - began));
  }
  co_return made;
}

asio::awaitable<Status> DatadirMaker::keep_errant(server_action::MakeDatadir wanted, mysql::SeedSpec spec) {
  if (wanted.errant.empty()) co_return Status{};
  const mysql::ErrantSpec errant{spec.server.distribution.kind, spec.server.layout.datadir, kept_dir_,
                                 wanted.errant_generation, wanted.errant};
  auto kept = co_await run_on_pool(pool_, [errant] { return mysql::keep_errant_binlogs(errant); });
  if (!kept) co_return std::unexpected(std::move(kept).error().with_context("keep the errant transactions"));
  if (*kept) tell_(member_input::ErrantKept{"errant/" + std::to_string(wanted.errant_generation)});
  co_return Status{};
}

asio::awaitable<Status> DatadirMaker::copy(Donor donor, mysql::SeedSpec spec) {
  co_await mysql::end_old_seeding(spec);
  MYSOS_CO_TRY_VOID(co_await run_on_pool(pool_, [spec] { return begin_copy(spec); }));
  tell_(member_input::SeedProgress{});
  Status copied;
  if (mysql::flavour(spec.server.distribution.kind).has_clone()) {
    mysql::CloneDonor from{donor.host, donor.port};
    copied = co_await mysql::clone_from(spec, std::move(from), [this](Bytes done) { tell_(member_input::SeedProgress{done}); });
  } else {
    copied = co_await receive(donor, spec);
  }
  if (!copied) co_return std::unexpected(std::move(copied).error().with_context("copy " + donor.member.value));
  co_return co_await run_on_pool(pool_, [spec] { return mysql::finish_seed(spec); });
}

asio::awaitable<Status> DatadirMaker::receive(Donor donor, mysql::SeedSpec spec) {
  const auto executor = co_await asio::this_coro::executor;
  HttpStream stream(executor);
  HttpRequest request;
  request.method = "GET";
  request.target = "/v1/snapshot";
  request.headers.set("Authorization", bearer_authorization(mysql::snapshot_token(spec.secrets)));
  Endpoint to{donor.host, donor.api_port};
  MYSOS_CO_TRY(const HttpResponse answer, co_await stream.open(std::move(to), std::move(request), kOpenSnapshot));
  if (answer.status != 200) {
    const auto problem = co_await stream.read_all(kMaxProblem, kOpenSnapshot);
    co_return fail(Errc::kUnavailable, "it answers " + std::to_string(answer.status) + ": " + problem.value_or(""));
  }
  MYSOS_CO_TRY(const GtidSet executed, GtidSet::parse(answer.headers.get(kSnapshotHeader)));
  MYSOS_CO_TRY(mysql::SnapshotReceiver receiver, mysql::SnapshotReceiver::begin(executor, spec));
  Bytes done{};
  Instant told = steady_now();
  for (;;) {
    MYSOS_CO_TRY(std::string bytes, co_await stream.read_some(mysql::kSeedSilence));
    if (bytes.empty()) break;
    done.value += bytes.size();
    MYSOS_CO_TRY_VOID(co_await receiver.write(std::move(bytes), mysql::kSeedSilence));
    if (steady_now() - told < kTellEvery) continue;
    told = steady_now();
    tell_(member_input::SeedProgress{done});
  }
  tell_(member_input::SeedProgress{done});
  MYSOS_CO_TRY_VOID(co_await receiver.finish());
  co_return co_await mysql::prepare_snapshot(spec, executed);
}

}  // namespace mysos
