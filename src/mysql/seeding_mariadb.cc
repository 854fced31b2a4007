// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/write.hpp>
#include <map>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/fs.h"
#include "mysql/datadir.h"
#include "mysql/seeding_impl.h"

namespace mysos::mysql {
namespace {

constexpr Duration kStatement = std::chrono::seconds(10);
constexpr Duration kPurgeAgain = std::chrono::milliseconds(20);
constexpr Duration kUnpackRest = std::chrono::minutes(5);

struct Pipe {
  Fd read, write;
};
Result<Pipe> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return std::unexpected(errno_error("make", "a pipe", errno));
  return Pipe{Fd(ends[0]), Fd(ends[1])};
}

std::string tail_of(const std::string& log) {
  constexpr std::size_t kTail = 400;
  const std::string text = read_file(log).value_or("");
  return text.size() <= kTail ? text : "..." + text.substr(text.size() - kTail);
}

ProcessOptions tool(std::vector<std::string> argv, const ServerSpec& server, const std::string& log) {
  ProcessOptions out{.argv = std::move(argv)};
  out.env = {{"PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}, {"LC_ALL", "C"}};
  out.user = server.user;
  out.stdout_file = log;
  out.stderr_file = log;
  out.parent_death_signal = SIGKILL;
  return out;
}

Status write_private(const std::string& path, const std::string& content, const std::optional<ProcessUser>& user) {
  MYSOS_TRY_VOID(write_file_atomic(path, content, 0600));
  if (user && ::lchown(path.c_str(), user->uid, user->gid) != 0) return std::unexpected(errno_error("chown", path, errno));
  return {};
}

// The last transaction that the copy has of each domain, as the backup found it; "" when there was none.
Result<std::string> position_in(const std::string& copy) {
  for (const char* name : {"/xtrabackup_binlog_info", "/mariadb_backup_binlog_info"}) {
    if (!path_exists(copy + name)) continue;
    MYSOS_TRY(std::string line, read_file(copy + name));
    line = line.substr(0, line.find('\n'));
    const auto first = line.find('\t'), second = line.find('\t', first == std::string::npos ? first : first + 1);
    return second == std::string::npos ? std::string() : line.substr(second + 1);
  }
  return fail(Errc::kIo, "the backup does not say its position");
}

struct Last {
  std::uint64_t seq = 0;
  std::string gtid;
};
// By domain, oldest first: the server takes the last one of a domain for its newest.
std::map<std::string, std::vector<Last>> writers_of(const GtidSet& set) {
  std::map<std::string, std::vector<Last>> out;
  for (const auto& [source, intervals] : set.sources()) {
    const std::uint64_t seq = intervals.back().last;
    out[source.substr(0, source.find('-'))].push_back({seq, fmt::format("{}-{}", source, seq)});
  }
  for (auto& [domain, all] : out) std::ranges::sort(all, {}, &Last::seq);
  return out;
}

// The first file goes, so that nobody takes the binlog for complete. The server leaves a file without a word where it may
// still be needed for recovery: that ends soon, with the binlog's next checkpoint.
asio::awaitable<Status> drop_first_binlog(Session& session) {
  MYSOS_CO_TRY([[maybe_unused]] const Rows next, co_await session.query("FLUSH BINARY LOGS", kStatement));
  const Instant until = steady_now() + kStatement;
  for (;;) {
    MYSOS_CO_TRY([[maybe_unused]] const Rows ok,
                 co_await session.query("PURGE BINARY LOGS TO 'binlog.000002'", kStatement));
    MYSOS_CO_TRY(const Rows left, co_await session.query("SHOW BINARY LOGS", kStatement));
    if (left.text(0, "Log_name") != "binlog.000001") co_return Status{};
    if (steady_now() >= until) co_return fail(Errc::kTimeout, "the copy's first binlog cannot be removed");
    co_await sleep_for(kPurgeAgain);
  }
}

// Setting the state begins a new binlog that knows it.
asio::awaitable<Status> set_position(SeedSpec spec, GtidSet known) {
  SessionTarget target = admin_target(seed_layout(spec), spec.secrets);
  target.write_binlog = false;
  Session session(co_await asio::this_coro::executor, std::move(target));
  MYSOS_CO_TRY_VOID(co_await session.connect(kStatement));
  MYSOS_CO_TRY(const Rows applied, co_await session.query("SELECT @@GLOBAL.gtid_slave_pos", kStatement));
  MYSOS_CO_TRY(const GtidSet slave, GtidSet::parse(applied.text(0, std::size_t{0})));
  std::string state, position;
  for (const auto& [domain, all] : writers_of(known.united(slave))) {
    for (const Last& last : all) state += (state.empty() ? "" : ",") + last.gtid;
    position += (position.empty() ? "" : ",") + all.back().gtid;
  }
  for (const std::string& sql :
       {"SET GLOBAL gtid_binlog_state=" + quote(state), "SET GLOBAL gtid_slave_pos=" + quote(position)}) {
    MYSOS_CO_TRY([[maybe_unused]] const Rows ok, co_await session.query(sql, kStatement));
  }
  co_return co_await drop_first_binlog(session);
}

}  // namespace

// ---- at the donor ----

Snapshot::Snapshot(Process process, asio::posix::stream_descriptor out, std::string files)
    : process_(std::move(process)), out_(std::move(out)), files_(std::move(files)) {}

Snapshot::~Snapshot() {
  if (process_ && out_.is_open()) (void)process_->kill_group(SIGKILL);
}

void Snapshot::end() { (void)process_->kill_group(SIGKILL); }

Result<Snapshot> Snapshot::begin(const asio::any_io_executor& executor, const ServerSpec& server, const Secrets& secrets) {
  if (server.distribution.backup.empty()) {
    return fail(Errc::kNotFound, "mariadb-backup is not there: install the package mariadb-backup on this machine");
  }
  const std::string files = server.layout.dir + "/seed-donor";
  MYSOS_TRY_VOID(remove_tree(files));
  MYSOS_TRY_VOID(make_owned_dir(files, server.user, 0700));
  const std::string options = fmt::format("[mariadb-backup]\nuser={}\npassword={}\nsocket={}\n", kBackupAccount,
                                          backup_password(secrets), server.layout.socket);
  MYSOS_TRY_VOID(write_private(files + "/backup.cnf", options, server.user));
  MYSOS_TRY_VOID(write_private(files + "/log", "", server.user));
  MYSOS_TRY(Pipe pipe, make_pipe());
  ProcessOptions run = tool({server.distribution.backup, "--defaults-file=" + files + "/backup.cnf", "--backup",
                             "--stream=xbstream", "--datadir=" + server.layout.datadir, "--target-dir=" + files},
                            server, files + "/log");
  run.stdout_fd = pipe.write.get();
  MYSOS_TRY(Process process, Process::spawn(run));
  return Snapshot(std::move(process), asio::posix::stream_descriptor(executor, pipe.read.release()), files);
}

asio::awaitable<Result<std::string>> Snapshot::read_some(Duration idle) {
  std::string bytes(kSeedChunk, '\0');
  Deadline deadline(out_.get_executor(), idle, [this] { out_.cancel(); });
  const auto [ec, n] = co_await out_.async_read_some(asio::buffer(bytes), use_tuple);
  deadline.disarm();
  if (!ec) {
    bytes.resize(n);
    co_return bytes;
  }
  if (deadline.expired()) co_return fail(Errc::kTimeout, "mariadb-backup gives nothing any more: " + tail_of(files_ + "/log"));
  const auto ended = co_await process_->wait_exit_for(idle);
  if (ended && ended->ok()) {
    out_.close();
    co_return std::string();
  }
  co_return fail(Errc::kIo, "mariadb-backup: " + tail_of(files_ + "/log"));
}

// ---- at the recipient ----

SnapshotReceiver::SnapshotReceiver(Process process, asio::posix::stream_descriptor in, std::string log)
    : process_(std::move(process)), in_(std::move(in)), log_(std::move(log)) {}

SnapshotReceiver::~SnapshotReceiver() {
  if (process_ && !process_->try_wait()) (void)process_->kill_group(SIGKILL);
}

Result<SnapshotReceiver> SnapshotReceiver::begin(const asio::any_io_executor& executor, const SeedSpec& spec) {
  const Distribution& d = spec.server.distribution;
  const std::string unpacker = d.backup.substr(0, d.backup.rfind('/') + 1) + "mbstream";
  if (d.backup.empty() || !path_exists(unpacker)) {
    return fail(Errc::kNotFound, "mbstream is not there: install the package mariadb-backup on this machine");
  }
  const std::string log = seed_dir(spec) + "/log";
  MYSOS_TRY_VOID(write_private(log, "", spec.server.user));
  MYSOS_TRY(Pipe pipe, make_pipe());
  ProcessOptions run = tool({unpacker, "-x", "-C", seed_copy(spec)}, spec.server, log);
  run.stdin_fd = pipe.read.get();
  MYSOS_TRY(Process process, Process::spawn(run));
  return SnapshotReceiver(std::move(process), asio::posix::stream_descriptor(executor, pipe.write.release()), log);
}

asio::awaitable<Status> SnapshotReceiver::write(std::string bytes, Duration idle) {
  Deadline deadline(in_.get_executor(), idle, [this] { in_.cancel(); });
  const auto [ec, n] = co_await asio::async_write(in_, asio::buffer(bytes), use_tuple);
  deadline.disarm();
  if (!ec) co_return Status{};
  if (deadline.expired()) co_return fail(Errc::kTimeout, "the copy cannot be written: the disk does not take it");
  co_return fail(Errc::kIo, "mbstream: " + tail_of(log_));
}

asio::awaitable<Status> SnapshotReceiver::finish() {
  in_.close();
  const auto ended = co_await process_->wait_exit_for(kUnpackRest);
  if (ended && ended->ok()) co_return Status{};
  co_return fail(Errc::kIo, "mbstream: " + tail_of(log_));
}

asio::awaitable<Status> prepare_snapshot(SeedSpec spec, GtidSet donor_executed) {
  ProcessOptions run = tool({spec.server.distribution.backup, "--no-defaults", "--prepare", "--target-dir=" + seed_copy(spec)},
                            spec.server, "");
  MYSOS_CO_TRY(const CommandResult ran, co_await async_run_command(std::move(run), kMaxSeeding));
  if (!ran.status.ok()) {
    const std::size_t from = ran.err.size() > 400 ? ran.err.size() - 400 : 0;
    co_return fail(Errc::kIo, "mariadb-backup --prepare: " + ran.err.substr(from));
  }
  MYSOS_CO_TRY(const std::string text, position_in(seed_copy(spec)));
  MYSOS_CO_TRY(const GtidSet last, GtidSet::parse(text));
  GtidSet known = donor_executed.united(last);
  auto body = [&]() -> asio::awaitable<Status> { return set_position(spec, known); };
  co_return co_await with_private_server(spec, seed_copy(spec), body);
}

}  // namespace mysos::mysql
