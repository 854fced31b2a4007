// SPDX-License-Identifier: Apache-2.0
#include "executor/member_shell.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "base/clock.h"
#include "base/log.h"
#include "base/port_check.h"
#include "base/secret.h"

namespace mysos {
namespace {

constexpr Logger kLog{"executor"};
constexpr Duration kAfterKill = std::chrono::seconds(10);
constexpr Duration kWatcherSilence = std::chrono::seconds(2);

Flavour flavour_of(mysql::FlavourKind kind) {
  return kind == mysql::FlavourKind::kMysql ? Flavour::kMysql : Flavour::kMariadb;
}

// An unprivileged server must be able to walk to its folder; its own words when it cannot are
// obscure.
Status check_reachable(const std::string& dir, const std::optional<ProcessUser>& user) {
  if (!user) return {};
  for (std::filesystem::path at = dir; !at.empty(); at = at.parent_path()) {
    struct stat st{};
    if (::stat(at.c_str(), &st) != 0)
      return std::unexpected(errno_error("look at", at.string(), errno));
    const bool in_group =
        st.st_gid == user->gid || std::ranges::find(user->groups, st.st_gid) != user->groups.end();
    const mode_t needed = st.st_uid == user->uid ? S_IXUSR : in_group ? S_IXGRP : S_IXOTH;
    if ((st.st_mode & needed) == 0) {
      return fail(Errc::kForbidden,
                  "mysqld runs as user id " + std::to_string(user->uid) + ", which may not enter " +
                      at.string() +
                      ": keep the data elsewhere, or let others enter it (chmod o+x)");
    }
    if (at == at.root_path()) break;
  }
  return {};
}

// A server that an executor before us left running has its ports, of course.
Status check_ports(const ServerKeeper& keeper, const MemberSpec& spec) {
  std::vector<std::uint16_t> wanted = {spec.api_port};
  if (!keeper.finds_server()) {
    wanted.push_back(spec.port);
    if (spec.admin_port != 0) wanted.push_back(spec.admin_port);
  }
  for (const std::uint16_t port : wanted) {
    if (port_is_free(spec.bind, port)) continue;
    return fail(Errc::kConflict, "port " + std::to_string(port) + " at " + spec.bind + " " + std::string(kPortTaken));
  }
  return {};
}

}  // namespace

MemberShell::MemberShell(const asio::any_io_executor& executor, MemberSpec spec,
                         MemberVolume volume, LockFile lock)
    : executor_(executor),
      spec_(std::move(spec)),
      volume_(std::move(volume)),
      lock_(std::move(lock)),
      tasks_(executor) {}

MemberShell::~MemberShell() = default;

Result<std::unique_ptr<MemberShell>> MemberShell::open(const asio::any_io_executor& executor,
                                                       MemberShellConfig config) {
  if (config.spec.token_hash.empty())
    return fail(Errc::kInvalid, "token_hash must not be empty", "token_hash");
  MYSOS_TRY(MemberVolume volume, MemberVolume::open(config.data_dir));
  auto lock = volume.lock();
  if (!lock)
    return std::unexpected(
        std::move(lock).error().with_context("another executor has this volume"));
  auto shell = std::unique_ptr<MemberShell>(
      new MemberShell(executor, config.spec, std::move(volume), *std::move(lock)));
  MYSOS_TRY_VOID(shell->build(config));
  return shell;
}

Status MemberShell::build(const MemberShellConfig& config) {
  const auto all = mysql::find_distributions(config.mysql_roots);
  MYSOS_TRY(mysql::Distribution distribution, mysql::choose_distribution(all, spec_.version));
  if (flavour_of(distribution.kind) != spec_.flavour) {
    return fail(Errc::kInvalid,
                spec_.version + " is not of flavour " + std::string(enum_text(spec_.flavour)),
                "flavour");
  }
  MYSOS_TRY(const auto user, mysql::server_user(config.mysql_user));
  if (const std::string warning = mysql::warning_about(user); !warning.empty()) kLog.warn("{}", warning);
  MYSOS_TRY_VOID(check_reachable(volume_.dir(), user));
  kLog.info("member {} uses {} {}", spec_.member.value, distribution.server,
            distribution.full_version);

  MYSOS_TRY(MemberPromise promise, volume_.load_promise());
  if (promise.volume.empty()) {
    promise.volume = random_token();
    MYSOS_TRY_VOID(volume_.save_promise(promise));
  }
  MYSOS_TRY(const auto secrets, volume_.load_secrets());
  MYSOS_TRY(std::string sealed, volume_.load_sealed());
  MemberConfig core_config;
  core_config.member = spec_.member;
  core_config.task = spec_.task;
  core_config.index = spec_.index;
  core_config.server_id = spec_.server_id;
  core_config.volume_name = spec_.volume_name;
  core_config.executor = random_token();
  core_config.relay_log_survives = mysql::flavour(distribution.kind).relay_log_survives();
  core_config.port = spec_.port;
  core_config.kill_leaves_commits_waiting = mysql::flavour(distribution.kind).hold_commits().empty();
  core_config.reader_idle_limit = config.reader_idle_limit;
  core_config.keeps_sealed = !sealed.empty();
  if (secrets) {
    if (const auto parsed = from_json<mysql::Secrets>(*secrets)) core_config.credentials = parsed->user_version;
  }
  MemberCore core(std::move(promise), std::move(core_config), secrets.has_value());

  KeeperConfig keeper{.spec = spec_,
                      .distribution = std::move(distribution),
                      .server_dir = volume_.server_dir(),
                      .template_dir = config.template_dir,
                      .errant_dir = volume_.dir() + "/errant",
                      .keep_secrets =
                          [this](const json::object& kept) {
                            const Status saved = volume_.save_secrets(kept);
                            if (!saved) kLog.warn("the secrets are not kept: {}", saved.error().message);
                          },
                      .user = user};
  keeper_ = std::make_unique<ServerKeeper>(
      tasks_, std::move(keeper), [this](MemberInput input) { loop_->feed(std::move(input)); });
  if (secrets) {
    MYSOS_TRY(const TakenSecrets taken, keeper_->use_secrets(*secrets, secrets));
    if (taken.kept != *secrets) MYSOS_TRY_VOID(volume_.save_secrets(taken.kept));  // an earlier version kept the password
  }
  Labels labels{{"cluster", spec_.cluster_name}, {"member", spec_.member.value}};
  loop_ = std::make_unique<MemberLoop>(tasks_, volume_, std::move(core), *keeper_,
                                       std::move(labels), StoredSecrets{secrets.has_value(), std::move(sealed)});
  api_ = std::make_unique<MemberApi>(*loop_, spec_.token_hash, &keeper_->snapshots());
  // A scheduler that is cut off is noticed by what it does not acknowledge.
  server_ = std::make_unique<HttpServer>(
      executor_,
      [this](const HttpRequest& request, HttpExchange& exchange) {
        return api_->handle(request, exchange);
      },
      HttpServerOptions{.unacknowledged_timeout = kWatcherSilence});
  surroundings_ = std::make_unique<Surroundings>(
      tasks_, volume_.own_dir(),
      Surroundings::Eyes{.peers = [this] { return loop_->report().peers; },
                         .watched = [this] { return api_->watchers() > 0; },
                         .tell = [this](MemberInput input) { loop_->feed(std::move(input)); }});
  MYSOS_TRY_VOID(check_ports(*keeper_, spec_));
  MYSOS_TRY(const std::uint16_t port, server_->listen(spec_.bind, spec_.api_port));
  kLog.info("the member API listens on {}:{}", spec_.bind, port);
  return {};
}

MemberIdentity MemberShell::identity() const { return {spec_, loop_->sealed_secrets()}; }

void MemberShell::start() {
  auto adopted = keeper_->adopt();
  const bool found = adopted.has_value();
  loop_->start(std::move(adopted));
  surroundings_->start();
  if (found) keeper_->begin_adopted();
}

asio::awaitable<void> MemberShell::stop(Duration grace) {
  keeper_->set_shutdown_grace(grace);
  loop_->stop();
  const Instant until = steady_now() + grace;
  while (!loop_->finished() && steady_now() < until)
    co_await loop_->changed().wait_for(until - steady_now());
  if (loop_->finished()) co_return;
  kLog.warn("mysqld did not stop in {} ms: it is killed", to_ms(grace));
  const Instant last = steady_now() + kAfterKill;
  while (!loop_->finished() && steady_now() < last) {
    keeper_->kill();
    co_await loop_->changed().wait_for(std::chrono::milliseconds(200));
  }
}

asio::awaitable<void> MemberShell::close() {
  co_await server_->stop();
  co_await tasks_.cancel_and_join();
}

}  // namespace mysos
