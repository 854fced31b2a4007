// SPDX-License-Identifier: Apache-2.0
#include "executor/snapshot_source.h"

#include <utility>

#include "base/log.h"
#include "base/secret.h"

namespace mysos {
namespace {

constexpr Logger kLog{"snapshot"};

asio::awaitable<void> refuse(HttpExchange& exchange, Error why) {
  kLog.info("no snapshot: {}", why.message);
  HttpResponse response = problem_response(why);
  co_await exchange.reply(std::move(response));
}

}  // namespace

bool SnapshotSource::accepts(std::string_view token) const {
  const auto secrets = eyes_.secrets();
  return secrets && constant_time_equal(token, mysql::snapshot_token(*secrets));
}

void SnapshotSource::end() {
  if (snapshot_ == nullptr) return;
  kLog.info("the snapshot under way is ended: this server is needed");
  snapshot_->end();
}

asio::awaitable<void> SnapshotSource::serve(HttpExchange& exchange) {
  if (busy_) {
    Error error{Errc::kUnavailable, "another copy of this member is being made", {}};
    co_return co_await refuse(exchange, std::move(error));
  }
  struct Busy {
    SnapshotSource& self;
    explicit Busy(SnapshotSource& s) : self(s) { self.busy_ = true; }
    ~Busy() {
      self.busy_ = false;
      self.snapshot_ = nullptr;
    }
  } const busy{*this};
  auto server = eyes_.server();
  if (!server || mysql::flavour(server->spec.distribution.kind).has_clone()) {
    Error error{server ? Errc::kConflict : Errc::kUnavailable,
                server ? "this flavour is copied by CLONE" : "mysqld does not run here", {}};
    co_return co_await refuse(exchange, std::move(error));
  }
  // Before the copy begins: a backup tells its last transaction only.
  const auto executed = co_await eyes_.executed();
  if (!executed) co_return co_await refuse(exchange, executed.error());
  auto begun = mysql::Snapshot::begin(co_await asio::this_coro::executor, server->spec, server->secrets);
  if (!begun) co_return co_await refuse(exchange, std::move(begun).error());
  mysql::Snapshot snapshot = *std::move(begun);
  snapshot_ = &snapshot;
  exchange.allow_silence(mysql::kSeedSilence);
  HttpHeaders headers{{"Content-Type", "application/octet-stream"},
                      {"Cache-Control", "no-store"},
                      {std::string(kSnapshotHeader), executed->to_string()}};
  if (co_await exchange.start_stream(200, std::move(headers))) co_await stream(snapshot, exchange);
  snapshot_ = nullptr;
}

// What ends without finish() is a broken stream to the recipient.
asio::awaitable<void> SnapshotSource::stream(mysql::Snapshot& snapshot, HttpExchange& exchange) {
  std::uint64_t sent = 0;
  for (;;) {
    auto bytes = co_await snapshot.read_some(mysql::kSeedSilence);
    if (!bytes) {
      kLog.warn("the snapshot ends after {} MB: {}", Bytes{sent}.mib(), bytes.error().message);
      co_return;
    }
    if (bytes->empty()) break;
    sent += bytes->size();
    if (!co_await exchange.write_chunk(*std::move(bytes))) {
      kLog.warn("who copies this member is gone, after {} MB", Bytes{sent}.mib());
      co_return;
    }
  }
  co_await exchange.finish();
  kLog.info("{} MB were copied from this member", Bytes{sent}.mib());
}

}  // namespace mysos
