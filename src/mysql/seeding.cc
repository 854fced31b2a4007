// SPDX-License-Identifier: Apache-2.0
#include "mysql/seeding.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <memory>

#include "base/clock.h"
#include "base/fs.h"
#include "base/secret.h"
#include "mysql/datadir.h"
#include "mysql/seeding_impl.h"

namespace mysos::mysql {
namespace {
namespace stdfs = std::filesystem;

constexpr Duration kPrivateStart = std::chrono::minutes(10);  // the copy's redo log may be long
constexpr Duration kLook = std::chrono::milliseconds(500);
constexpr Duration kStatement = std::chrono::seconds(10);

// One statement under way; shared with its coroutine, which may end after whoever waited for it was cancelled.
struct Statement {
  Statement(const asio::any_io_executor& executor, SessionTarget target)
      : session(executor, std::move(target)), ended(executor) {}
  Session session;
  Signal ended;
  std::optional<Status> result;
};
asio::awaitable<void> run_statement(std::shared_ptr<Statement> it, std::string sql) {
  auto rows = co_await it->session.query(std::move(sql), kMaxSeeding);
  it->result = rows ? Status{} : Status(std::unexpected(std::move(rows).error()));
  it->ended.notify_all();
}

asio::awaitable<Status> run_clone(SeedSpec spec, CloneDonor donor, SeedProgress progress) {
  const auto executor = co_await asio::this_coro::executor;
  const auto it = std::make_shared<Statement>(executor, admin_target(seed_layout(spec), spec.secrets));
  struct Close {
    Statement& it;
    ~Close() { it.session.close(); }
  } const close{*it};
  MYSOS_CO_TRY_VOID(co_await it->session.connect(kStatement));
  const std::string from = fmt::format("{}:{}", donor.host, donor.port);
  MYSOS_CO_TRY([[maybe_unused]] const Rows ok,
               co_await it->session.query("SET GLOBAL clone_valid_donor_list=" + quote(from), kStatement));
  const std::string sql =
      fmt::format("CLONE INSTANCE FROM {}@{}:{} IDENTIFIED BY {} DATA DIRECTORY={}", quote(kBackupAccount),
                  quote(donor.host), donor.port, quote(backup_password(spec.secrets)), quote(seed_copy(spec)));
  asio::co_spawn(executor, run_statement(it, sql), [it](const std::exception_ptr&) {});
  Bytes done{};
  Instant grew = steady_now();
  while (!it->result) {
    co_await it->ended.wait_for(kLook);
    const Bytes now = seeded_bytes(spec);
    if (now.value != done.value) grew = steady_now();
    done = now;
    progress(done);
    if (!it->result && steady_now() - grew >= kSeedSilence) {
      co_return fail(Errc::kTimeout, fmt::format("nothing came from {} for {} s", from, to_ms(kSeedSilence) / 1000));
    }
  }
  if (*it->result) co_return Status{};
  co_return fail(Errc::kUnavailable, fmt::format("clone from {}: {}", from, it->result->error().message));
}

// The copy of a replica believes that it follows, from a relay log that was not copied: its replication would not start
// (error 1872). This also ends the recovery that a fresh copy begins with, and gives it a uuid.
asio::awaitable<Status> forget_sources(SeedSpec spec) {
  SessionTarget target = admin_target(seed_layout(spec), spec.secrets);
  target.write_binlog = false;
  Session session(co_await asio::this_coro::executor, std::move(target));
  MYSOS_CO_TRY_VOID(co_await session.connect(kStatement));
  MYSOS_CO_TRY([[maybe_unused]] const Rows ok,
               co_await session.query(flavour(spec.server.distribution.kind).forget_source(), kStatement));
  co_return Status{};
}

}  // namespace

std::string seed_dir(const SeedSpec& spec) { return spec.server.layout.dir + "/seed"; }
std::string seed_copy(const SeedSpec& spec) { return seed_dir(spec) + "/copy"; }
ServerLayout seed_layout(const SeedSpec& spec) { return server_layout(seed_dir(spec)); }

asio::awaitable<Status> with_private_server(SeedSpec spec, std::string datadir,
                                            std::function<asio::awaitable<Status>()> body) {
  ServerSpec server = spec.server;
  server.layout = seed_layout(spec);
  server.layout.datadir = std::move(datadir);
  server.user_settings = {{"skip_networking", "ON"}};
  MYSOS_CO_TRY(ServerProcess process, ServerProcess::start(server, spec.secrets));
  struct End {
    ServerProcess& process;
    ~End() { (void)process.kill(); }
  } const end{process};
  MYSOS_CO_TRY_VOID(co_await process.wait_ready(spec.secrets, kPrivateStart));
  auto done = co_await body();
  const ExitStatus ended = co_await process.shutdown(kPrivateStart);
  if (done && !ended.ok()) {
    co_return fail(Errc::kIo, fmt::format("the server that made the copy ended badly: {}", to_string(ended)));
  }
  co_return done;
}

void end_seed_server(const ServerLayout& member) {
  const auto old = ServerProcess::adopt(server_layout(member.dir + "/seed"));
  if (old) (void)old->kill();
}

Status forget_seed(const SeedSpec& spec) {
  end_seed_server(spec.server.layout);
  return remove_tree(seed_dir(spec));
}

std::string snapshot_token(const Secrets& secrets) { return hmac_derive(secrets.replication_key, "mysos_snapshot"); }

asio::awaitable<void> end_old_seeding(SeedSpec spec) {
  auto old = ServerProcess::adopt(seed_layout(spec));
  if (old) (void)co_await old->shutdown(Duration(0));
}

Status begin_seed(const SeedSpec& spec) {
  MYSOS_TRY_VOID(remove_tree(seed_dir(spec)));
  MYSOS_TRY_VOID(make_owned_dir(seed_dir(spec), spec.server.user, 0700));
  if (!flavour(spec.server.distribution.kind).has_clone()) {
    return make_owned_dir(seed_copy(spec), spec.server.user, 0700);
  }
  MYSOS_TRY(const std::string from, ensure_template(spec.server.distribution, spec.cache_dir, spec.server.user));
  return make_datadir(from, seed_layout(spec).datadir, spec.server.user);
}

Status finish_seed(const SeedSpec& spec) {
  const std::string& datadir = spec.server.layout.datadir;
  MYSOS_TRY_VOID(remove_tree(datadir));
  if (::rename(seed_copy(spec).c_str(), datadir.c_str()) != 0) {
    return std::unexpected(errno_error("rename", seed_copy(spec), errno));
  }
  MYSOS_TRY_VOID(fsync_dir(spec.server.layout.dir));
  return remove_tree(seed_dir(spec));
}

// By what the disk gave, not by sizes: a file may be made long before it is filled.
Bytes seeded_bytes(const SeedSpec& spec) {
  constexpr std::uint64_t kBlock = 512;  // stat(2)
  std::uint64_t sum = 0;
  std::error_code ec;
  for (stdfs::recursive_directory_iterator at(seed_copy(spec), ec), end; !ec && at != end; at.increment(ec)) {
    struct stat st{};
    if (::lstat(at->path().c_str(), &st) == 0) sum += static_cast<std::uint64_t>(st.st_blocks) * kBlock;
  }
  return Bytes{sum};
}

asio::awaitable<Status> clone_from(SeedSpec spec, CloneDonor donor, SeedProgress progress) {
  auto body = [&]() -> asio::awaitable<Status> { return run_clone(spec, donor, progress); };
  MYSOS_CO_TRY_VOID(co_await with_private_server(spec, seed_layout(spec).datadir, body));
  auto open = [&]() -> asio::awaitable<Status> { return forget_sources(spec); };
  co_return co_await with_private_server(spec, seed_copy(spec), open);
}

}  // namespace mysos::mysql
