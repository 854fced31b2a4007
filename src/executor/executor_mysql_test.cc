// SPDX-License-Identifier: Apache-2.0
// Three stand-alone executors with real servers of both flavours, told what to do by the test over
// the member API: bootstrap, a killed primary under writes, the fence, the choice, the promotion,
// the old primary's way back, an executor killed and started again. MariaDB is the system's, MySQL
// 9 is at $MYSOS_MYSQL9 or build/mysql9 (tools/get-mysql).
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <set>

#include "base/clock.h"
#include "base/fs.h"
#include "base/http/client.h"
#include "base/secret.h"
#include "base/task_group.h"
#include "base/test_dir.h"
#include "base/test_loop.h"
#include "executor/member_volume.h"
#include "member/member_client.h"
#include "model/cluster.h"
#include "mysql/server_process.h"

namespace mysos {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
constexpr Duration kDeadline =
    seconds(60);  // of a wait for one thing, on a machine with much else to do
constexpr const char* kToken = "the member's token";

double ms(Duration d) { return static_cast<double>(d.count()) / 1000; }

std::uint16_t free_port() {
  asio::io_context io;
  asio::ip::tcp::acceptor acceptor(io, {asio::ip::make_address("127.0.0.1"), 0});
  return acceptor.local_endpoint().port();
}

std::string server_root(Flavour flavour) {
  if (flavour == Flavour::kMariadb) return "/";
  const char* given = std::getenv("MYSOS_MYSQL9");
  return given != nullptr ? given : MYSOS_SOURCE_DIR "/build/mysql9";
}

// One member: its executor process, and a client of its API.
class TestMember {
 public:
  TestMember(const asio::any_io_executor& executor, const TestDir& dir, Flavour flavour,
             std::uint32_t index)
      : dir_(dir / std::to_string(index)),
        templates_(dir / "templates"),
        root_(server_root(flavour)) {
    spec_.cluster = ClusterId("testtest");
    spec_.cluster_name = "test";
    spec_.index = index;
    spec_.member = MemberId("testtest-" + std::to_string(index));
    spec_.task = TaskId(spec_.member.value + ".1");
    spec_.version = enum_text(flavour);
    spec_.flavour = flavour;
    spec_.mem = flavour == Flavour::kMysql ? gib(1) : mib(512);
    spec_.disk = gib(1);
    spec_.bind = "127.0.0.1";
    spec_.port = free_port();
    spec_.api_port = free_port();
    spec_.token_hash = hash_token(kToken);
    client.emplace(executor, Endpoint{spec_.bind, spec_.api_port}, kToken);
    EXPECT_TRUE(make_dirs(dir_ + "/data"));
    EXPECT_TRUE(write_file_atomic(dir_ + "/spec.json", to_json_text(spec_)));
  }
  ~TestMember() {
    if (process_ && !process_->try_wait()) (void)process_->kill(SIGKILL);
    if (auto server = mysql::ServerProcess::adopt(layout())) (void)server->kill();
  }
  TestMember(const TestMember&) = delete;
  TestMember& operator=(const TestMember&) = delete;

  void start() {
    ProcessOptions options{
        .argv = {MYSOS_EXECUTOR, dir_ + "/spec.json", dir_ + "/data", templates_, root_}};
    options.stdout_file = dir_ + "/log";
    options.parent_death_signal = SIGKILL;
    auto started = Process::spawn(options);
    ASSERT_TRUE(started) << started.error().message;
    process_ = *std::move(started);
  }
  [[nodiscard]] mysql::ServerLayout layout() const {
    return mysql::server_layout(dir_ + "/data/mysql");
  }
  Process& process() { return *process_; }
  [[nodiscard]] const MemberSpec& spec() const { return spec_; }
  [[nodiscard]] MemberId id() const { return spec_.member; }
  [[nodiscard]] std::string log() const { return read_file(dir_ + "/log").value_or(""); }

  // VmRSS of the executor, in KiB.
  [[nodiscard]] long rss_kib() const {
    const std::string text =
        read_file("/proc/" + std::to_string(process_->pid()) + "/status").value_or("");
    const std::size_t at = text.find("VmRSS:");
    return at == std::string::npos ? -1 : std::atol(text.c_str() + at + 6);
  }

  std::optional<MemberClient> client;

 private:
  std::string dir_;
  std::string templates_;
  std::string root_;
  MemberSpec spec_;
  std::optional<Process> process_;
};

class Executors : public testing::TestWithParam<Flavour> {
 protected:
  Executors() {
    ::chmod(dir_.path().c_str(), 0755);  // the servers run as another user
    for (std::uint32_t i = 0; i < 3; ++i) {
      members_.push_back(
          std::make_unique<TestMember>(loop_.io.get_executor(), dir_, GetParam(), i));
    }
  }
  void TearDown() override {
    if (!HasFailure()) return;
    for (const auto& m : members_)
      std::fprintf(stderr, "---- %s\n%s\n", m->id().value.c_str(), m->log().c_str());
  }
  TestMember& at(std::size_t i) { return *members_[i]; }

  asio::awaitable<MemberReport> until(TestMember& m, std::string what,
                                      std::function<bool(const MemberReport&)> holds) {
    const Instant end = steady_now() + kDeadline;
    MemberReport last;
    while (steady_now() < end) {
      auto report = co_await m.client->status(seconds(5));
      if (report) {
        last = *report;
        if (holds(last)) co_return last;
      }
      co_await sleep_for(milliseconds(5));
    }
    ADD_FAILURE() << m.id().value << " never: " << what << "\n" << to_json_text(last);
    co_return last;
  }
  static bool quiet(const MemberReport& r) {
    return r.server == ServerState::kRunning && !r.busy && !r.writable;
  }
  asio::awaitable<Result<MemberReport>> order(TestMember& m, Order order) {
    auto report = co_await m.client->send(order, seconds(30));
    if (!report)
      std::fprintf(stderr, "%s: %s\n", m.id().value.c_str(), report.error().message.c_str());
    co_return report;
  }
  asio::awaitable<void> must(TestMember& m, Order what) {
    auto report = co_await order(m, std::move(what));
    EXPECT_TRUE(report) << m.id().value << ": " << (report ? "" : report.error().message);
  }
  Order follow(Pair pair, TestMember& source, const MemberReport& read, bool acking) {
    return order::Follow{pair,   source.id(),  source.spec().bind, source.spec().port,
                         acking, read.executed.united(read.in_flight)};
  }
  Order promote(Pair pair, TestMember& primary, const GtidSet& floor, std::set<MemberId> shut_out) {
    order::Promote o{.pair = pair, .d = 1, .floor = floor};
    for (const auto& m : members_) {
      if (m->id() != primary.id()) o.replicas.insert(m->id());
    }
    o.shut_out = std::move(shut_out);
    return o;
  }

  asio::awaitable<void> set_up() {
    json::object secrets{{"admin_password", "a" + random_password()},
                         {"monitor_password", "m" + random_password()},
                         {"replication_key", random_token()},
                         {"user", "app"},
                         {"user_password", "app password"}};
    for (const auto& m : members_) {
      m->start();
      co_await until(*m, "listens", [](const MemberReport&) { return true; });
      Order setup = order::Setup{};
      const auto done = co_await m->client->send(setup, seconds(30), secrets);
      EXPECT_TRUE(done) << (done ? "" : done.error().message);
    }
    for (const auto& m : members_) co_await until(*m, "comes up, quiet", quiet);
  }
  // Member 0 primary, the others its ackers, epoch 1.
  asio::awaitable<void> bootstrap() {
    for (const auto& m : members_) co_await must(*m, order::Fence{{1, 0}});
    co_await must(at(0), promote({1, 1}, at(0), {}, {}));
    const auto read = co_await at(0).client->status(seconds(5));
    EXPECT_TRUE(read);
    if (!read) co_return;
    for (std::size_t i : {1, 2}) co_await must(at(i), follow({1, 1}, at(0), *read, true));
    co_await until(at(0), "lets the user in",
                   [](const MemberReport& r) { return r.user_ready && r.writable; });
  }

  asio::awaitable<Status> sql(TestMember& m, std::string text, std::string* answer = nullptr) {
    mysql::Session session(
        loop_.io.get_executor(),
        {.host = m.spec().bind, .port = m.spec().port, .user = "app", .password = "app password"});
    MYSOS_CO_TRY_VOID(co_await session.connect(seconds(10)));
    auto rows = co_await session.query(std::move(text), seconds(20));
    if (!rows) co_return std::unexpected(rows.error());
    if (answer != nullptr) *answer = rows->text(0, std::size_t{0});
    co_return Status{};
  }
  // Inserts numbers, one a transaction, until the server is gone or `stop`; keeps those that were
  // acknowledged.
  asio::awaitable<void> write(TestMember& m, const bool& stop) {
    mysql::Session session(
        loop_.io.get_executor(),
        {.host = m.spec().bind, .port = m.spec().port, .user = "app", .password = "app password"});
    if (!co_await session.connect(seconds(10))) co_return;
    while (!stop) {
      const std::uint64_t n = ++written_;
      const auto done =
          co_await session.query("INSERT INTO d.t VALUES (" + std::to_string(n) + ")", seconds(20));
      if (!done) co_return;
      acked_.insert(n);
    }
  }
  asio::awaitable<void> expect_all_acked_on(TestMember& m) {
    std::string missing_from;
    std::string list;
    for (const std::uint64_t n : acked_) list += (list.empty() ? "" : ",") + std::to_string(n);
    const Status read =
        co_await sql(m, "SELECT COUNT(*) FROM d.t WHERE i IN (" + list + ")", &missing_from);
    EXPECT_TRUE(read) << (read ? "" : read.error().message);
    EXPECT_EQ(missing_from, std::to_string(acked_.size())) << "an acknowledged write is lost";
  }
  asio::awaitable<int> http_status(TestMember& m, std::string target, std::string token) {
    HttpRequest request;
    request.target = std::move(target);
    if (!token.empty()) request.headers.set("Authorization", "Bearer " + token);
    Endpoint endpoint{m.spec().bind, m.spec().api_port};
    const auto response =
        co_await http_request(loop_.io.get_executor(), endpoint, std::move(request), seconds(5));
    co_return response ? response->status : 0;
  }
  asio::awaitable<MemberReport> killed_and_back(TestMember& m) {
    auto victim = mysql::ServerProcess::adopt(m.layout());
    EXPECT_TRUE(victim);
    const std::string was = victim ? victim->incarnation() : "";
    if (victim) EXPECT_TRUE(victim->kill());
    co_return co_await until(m, "comes back, quiet", [&](const MemberReport& r) {
      return quiet(r) && r.incarnation != was;
    });
  }
  asio::awaitable<void> story_of_a_killed_primary();
  asio::awaitable<void> story_of_a_forgotten_relay_log();
  asio::awaitable<void> story_of_a_write_that_its_acker_holds();
  asio::awaitable<void> old_primary_comes_back(TestMember& next, Pair pair);

  TestDir dir_;
  TestLoop loop_;
  std::vector<std::unique_ptr<TestMember>> members_;
  std::uint64_t written_ = 0;
  std::set<std::uint64_t> acked_;
};
INSTANTIATE_TEST_SUITE_P(Flavours, Executors, testing::Values(Flavour::kMariadb, Flavour::kMysql),
                         [](const auto& i) { return std::string(enum_text(i.param)); });

asio::awaitable<void> Executors::old_primary_comes_back(TestMember& next, Pair pair) {
  co_await until(at(0), "restarts quiet", quiet);
  co_await must(at(0), order::Fence{{2, 0}});
  const auto read = co_await next.client->status(seconds(5));
  EXPECT_TRUE(read);
  if (!read) co_return;
  // It may hold what it never acknowledged: then it refuses, and is rebuilt.
  const auto followed = co_await order(at(0), follow(pair, next, *read, false));
  if (!followed) {
    const auto refused = co_await at(0).client->status(seconds(5));
    EXPECT_TRUE(refused);
    if (refused) EXPECT_EQ(refused->role, MemberRole::kErrant) << to_json_text(*refused);
    co_await must(at(0), order::Rebuild{pair});
    co_await until(at(0), "comes up anew",
                   [](const MemberReport& r) { return quiet(r) && r.received.empty(); });
    co_await must(at(0), follow(pair, next, *read, false));
  }
  const auto all = co_await next.client->status(seconds(5));
  EXPECT_TRUE(all);
  if (!all) co_return;
  co_await until(at(0), "has caught up", [&](const MemberReport& r) {
    return r.role == MemberRole::kReplica && r.executed.contains(all->executed);
  });
}

asio::awaitable<void> Executors::story_of_a_killed_primary() {
  co_await set_up();
  co_await bootstrap();
  EXPECT_TRUE(co_await sql(at(0), "CREATE DATABASE d"));
  EXPECT_TRUE(co_await sql(at(0), "CREATE TABLE d.t (i INT PRIMARY KEY)"));
  EXPECT_EQ(co_await http_status(at(0), "/primary", ""), 200);
  EXPECT_EQ(co_await http_status(at(1), "/primary", ""), 503);
  EXPECT_EQ(co_await http_status(at(0), "/v1/status", ""), 401);

  // When the primary's mysqld is killed under writes
  bool stop = false;
  TaskGroup writers(loop_.io.get_executor());
  for (int i = 0; i < 4; ++i) writers.spawn("writer", write(at(0), stop));
  EXPECT_TRUE(co_await eventually([&] { return acked_.size() >= 300; }, kDeadline));
  MemberWatch watch = at(0).client->watch();
  EXPECT_TRUE(co_await watch.open(seconds(5)));
  EXPECT_TRUE(co_await watch.next(seconds(5)));
  auto victim = mysql::ServerProcess::adopt(at(0).layout());
  EXPECT_TRUE(victim);
  if (!victim) co_return;
  Instant gone{};  // as the kernel tells it to anybody who watches
  auto see_it_go = [](mysql::ServerProcess& process, Instant& when) -> asio::awaitable<void> {
    co_await process.wait_exit();
    when = steady_now();
  };
  writers.spawn("watch", see_it_go(*victim, gone));
  const Instant killed = steady_now();
  EXPECT_TRUE(victim->kill());
  for (;;) {
    const auto line = co_await watch.next(seconds(5));
    EXPECT_TRUE(line);
    if (!line || line->server != ServerState::kRunning) break;
  }
  const Instant told = steady_now();
  watch.close();

  // then the others are fenced, and the one that has everything is promoted
  std::array<MemberReport, 2> fenced;
  for (std::size_t i : {1, 2}) {
    co_await must(at(i), order::Fence{{2, 0}});
    fenced[i - 1] = co_await until(at(i), "is fenced", [](const MemberReport& r) {
      return r.role == MemberRole::kFenced && !r.busy;
    });
  }
  const GtidSet all = fenced[0].received.united(fenced[1].received);
  const std::size_t chosen = fenced[0].received.contains(all) ? 1 : 2;
  TestMember& next = at(chosen);
  TestMember& other = at(3 - chosen);
  const MemberReport drained = co_await until(
      next, "has executed all", [&](const MemberReport& r) { return r.executed.contains(all); });
  co_await must(next, promote({2, 1}, next, drained.executed, {at(0).id()}));
  const MemberReport open =
      co_await until(next, "is open", [](const MemberReport& r) { return r.writable; });
  co_await must(other, follow({2, 1}, next, open, true));
  EXPECT_TRUE(co_await sql(next, "INSERT INTO d.t VALUES (1000000001)"));
  const Duration outage = steady_now() - killed;
  co_await writers.join();

  // and nothing that was acknowledged is lost
  co_await expect_all_acked_on(next);
  std::printf(
      "%s: %zu acknowledged; mysqld gone after %.1f ms, told %.1f ms later; outage %lld ms; "
      "executor %ld KiB\n",
      std::string(enum_text(GetParam())).c_str(), acked_.size(), ms(gone - killed), ms(told - gone),
      static_cast<long long>(to_ms(outage)), next.rss_kib());

  // and the old primary, told of the new epoch, is let in again as a replica
  Order low = order::Fence{{1, 5}};
  const auto stale = co_await next.client->send(low, seconds(5));
  EXPECT_FALSE(stale);
  if (!stale) EXPECT_EQ(stale.error().code, Errc::kFenced);
  co_await must(next, promote({2, 2}, next, {}, {}));
  co_await old_primary_comes_back(next, {2, 2});
  stop = true;
}

TEST_P(Executors, AKilledPrimaryIsReplacedWithoutLosingAnAcknowledgedWrite) {
  loop_.run(story_of_a_killed_primary(), seconds(240));
}

// Member 1 acknowledges what it cannot apply, and is killed with the primary; MariaDB forgets what it had received.
asio::awaitable<void> Executors::story_of_a_forgotten_relay_log() {
  co_await set_up();
  co_await bootstrap();
  EXPECT_TRUE(co_await sql(at(0), "CREATE DATABASE d"));
  EXPECT_TRUE(co_await sql(at(0), "CREATE TABLE d.t (i INT PRIMARY KEY)"));
  const bool mariadb = GetParam() == Flavour::kMariadb;
  const std::string ask_written = mariadb ? "SELECT @@GLOBAL.gtid_binlog_state" : "SELECT @@GLOBAL.gtid_executed";
  std::string made;  // asked of the server: a report may be older
  EXPECT_TRUE(co_await sql(at(0), ask_written, &made));
  const GtidSet table = GtidSet::parse(made).value();
  co_await until(at(1), "has the table", [&](const MemberReport& r) { return r.executed.contains(table); });
  mysql::Session lock(loop_.io.get_executor(),
                      {.host = "127.0.0.1", .port = at(1).spec().port, .user = "app", .password = "app password"});
  EXPECT_TRUE(co_await lock.connect(seconds(10)));
  EXPECT_TRUE(co_await lock.query("LOCK TABLES d.t READ", seconds(10)));
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(co_await sql(at(0), "INSERT INTO d.t VALUES (" + std::to_string(i) + ")"));
  std::string written;
  EXPECT_TRUE(co_await sql(at(0), ask_written, &written));
  const GtidSet acknowledged = GtidSet::parse(written).value();
  const MemberReport before = co_await until(
      at(1), "has received all", [&](const MemberReport& r) { return r.received.contains(acknowledged); });
  EXPECT_FALSE(before.executed.contains(acknowledged));

  auto primary = mysql::ServerProcess::adopt(at(0).layout());
  EXPECT_TRUE(primary && primary->kill());
  MemberReport back;
  for (int restart = 0; restart < 2; ++restart) {
    back = co_await killed_and_back(at(1));
    EXPECT_TRUE(back.received.united(back.known.value_or(GtidSet{})).contains(acknowledged)) << to_json_text(back);
  }
  EXPECT_EQ(back.amnesiac, mariadb);
  EXPECT_EQ(back.known.has_value(), mariadb);
  EXPECT_EQ(back.received.contains(acknowledged), !mariadb) << to_json_text(back);
  const std::string kept = at(1).layout().dir + "/relay-kept";
  EXPECT_EQ(path_exists(kept), mariadb);

  // so a failover goes on without the old primary
  for (std::size_t i : {1, 2}) co_await must(at(i), order::Fence{{2, 0}});
  const MemberReport next = co_await until(at(2), "has executed all that is known", [&](const MemberReport& r) {
    return r.role == MemberRole::kFenced && !r.busy && r.executed.contains(back.known.value_or(back.received));
  });
  EXPECT_TRUE(next.executed.contains(acknowledged));
  co_await must(at(2), promote({2, 1}, at(2), next.executed, {at(0).id()}));
  const MemberReport open = co_await until(at(2), "is open", [](const MemberReport& r) { return r.writable; });
  co_await must(at(1), follow({2, 1}, at(2), open, true));
  co_await until(at(1), "has it again", [&](const MemberReport& r) { return r.executed.contains(open.executed); });
  co_await must(at(1), order::Certify{{2, 1}, back.incarnation, open.executed});
  const auto certified = co_await at(1).client->status(seconds(5));
  EXPECT_TRUE(certified && !certified->amnesiac && !certified->known);
  EXPECT_TRUE(co_await eventually([&] { return !path_exists(kept); }, kDeadline));
}

TEST_P(Executors, AReplicaKilledWithThePrimaryTellsWhatItHadAcknowledged) {
  loop_.run(story_of_a_forgotten_relay_log(), seconds(240));
}

// All that could acknowledge it have it, and none of them will be sent it again.
asio::awaitable<void> Executors::story_of_a_write_that_its_acker_holds() {
  co_await set_up();
  co_await bootstrap();
  EXPECT_TRUE(co_await sql(at(0), "CREATE DATABASE d"));
  EXPECT_TRUE(co_await sql(at(0), "CREATE TABLE d.t (i INT PRIMARY KEY)"));
  const auto before = co_await at(0).client->status(seconds(5));
  if (!before) co_return;
  for (std::size_t i : {1, 2}) co_await must(at(i), follow({1, 2}, at(0), *before, false));
  co_await until(at(0), "has no acker", [](const MemberReport& r) { return r.semi_sync_clients == 0; });
  bool written = false;
  const auto write = [&]() -> asio::awaitable<void> {
    written = (co_await sql(at(0), "INSERT INTO d.t VALUES (1)")).has_value();
  };
  TaskGroup writer(loop_.io.get_executor());
  writer.spawn("writer", write());
  const bool mysql = GetParam() == Flavour::kMysql;
  const MemberReport waits = co_await until(at(0), "has a commit that waits", [&](const MemberReport& r) {
    return mysql ? !r.in_flight.empty() : r.executed.count() > before->executed.count();
  });
  const GtidSet all = waits.executed.united(waits.in_flight);
  co_await until(at(1), "has executed it", [&](const MemberReport& r) { return r.executed.contains(all); });
  EXPECT_FALSE(written);

  const MemberReport back = co_await killed_and_back(at(1));
  EXPECT_TRUE(back.executed.contains(all));
  const auto read = co_await at(0).client->status(seconds(5));
  if (!read) co_return;
  EXPECT_EQ(read->executed.contains(back.received), !mysql) << "only what is in flight shows that it is not errant";
  co_await must(at(1), follow({1, 3}, at(0), *read, true));

  EXPECT_TRUE(co_await eventually([&] { return written; }, seconds(15)));
  co_await writer.join();
}

TEST_P(Executors, AWriteThatWaitsForAnAckerWhichHoldsItIsAcknowledged) {
  loop_.run(story_of_a_write_that_its_acker_holds(), seconds(240));
}

TEST_P(Executors, AnExecutorThatWasKilledIsFoundAgainByTheNextWithItsServerServing) {
  auto story = [&]() -> asio::awaitable<void> {
    co_await set_up();
    co_await bootstrap();
    EXPECT_TRUE(co_await sql(at(0), "CREATE DATABASE d"));
    EXPECT_TRUE(co_await sql(at(0), "CREATE TABLE d.t (i INT PRIMARY KEY)"));
    bool stop = false;
    TaskGroup writers(loop_.io.get_executor());
    writers.spawn("writer", write(at(0), stop));
    EXPECT_TRUE(co_await eventually([&] { return acked_.size() >= 20; }, kDeadline));
    const auto before = co_await at(0).client->status(seconds(5));
    EXPECT_TRUE(before);
    if (!before) co_return;

    EXPECT_TRUE(at(0).process().kill(SIGKILL));
    co_await at(0).process().wait_exit();
    at(0).start();
    const MemberReport after = co_await until(at(0), "is primary again", [](const MemberReport& r) {
      return r.role == MemberRole::kPrimary && r.writable && r.user_ready;
    });
    EXPECT_EQ(after.incarnation, before->incarnation);
    EXPECT_NE(after.executor, before->executor);
    EXPECT_EQ(after.promised, before->promised);
    // The same order brings it in force again, with the writer never disturbed.
    co_await must(at(0), promote({1, 1}, at(0), {}, {}));
    const std::size_t acked = acked_.size();
    EXPECT_TRUE(co_await eventually([&] { return acked_.size() >= acked + 20; }, kDeadline));
    stop = true;
    co_await writers.join();
    co_await expect_all_acked_on(at(0));

    // A clean stop takes mysqld along.
    for (const auto& m : members_) EXPECT_TRUE(m->process().kill(SIGTERM));
    for (const auto& m : members_) {
      const auto ended = co_await m->process().wait_exit_for(kDeadline);
      EXPECT_TRUE(ended && ended->ok()) << (ended ? to_string(*ended) : "still there");
      EXPECT_FALSE(mysql::ServerProcess::adopt(m->layout()));
    }
  };
  loop_.run(story(), seconds(240));
}

}  // namespace
}  // namespace mysos
