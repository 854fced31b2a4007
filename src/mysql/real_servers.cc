// SPDX-License-Identifier: Apache-2.0
#include "mysql/real_servers.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <map>

#include "base/clock.h"
#include "base/fs.h"

namespace mysos::mysql {
namespace {

constexpr Duration kReady = std::chrono::seconds(60);
constexpr Duration kRead = std::chrono::seconds(5);

struct Root {
  std::string path;
  Root() {
    char name[] = "/tmp/mysos-real-XXXXXX";
    if (::mkdtemp(name) == nullptr) std::abort();
    path = name;
    (void)::chmod(name, 0755);
  }
  ~Root() { (void)remove_tree(path); }
};

std::string mysql9_root() {
  if (const char* given = std::getenv("MYSOS_MYSQL9")) return given;
  return std::string(MYSOS_SOURCE_DIR) + "/build/mysql9";
}

}  // namespace

std::uint16_t free_port() {
  const Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof at;
  if (::bind(fd.get(), reinterpret_cast<sockaddr*>(&at), size) != 0 ||
      ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&at), &size) != 0) {
    std::abort();
  }
  return ntohs(at.sin_port);
}

const std::string& test_root() {
  static const Root root;
  return root.path;
}

const Distribution* test_distribution(FlavourKind kind) {
  static const std::vector<Distribution> all = [] {
    const std::string roots[] = {mysql9_root(), "/"};
    return find_distributions(roots);
  }();
  for (const Distribution& d : all) {
    if (d.kind == kind) return &d;
  }
  return nullptr;
}

namespace {
asio::awaitable<Result<std::set<Xid>>> prepared_there(std::string datadir, std::size_t wanted) {
  co_return prepared_in_binlogs(datadir, wanted);
}
}  // namespace

TestMember::TestMember(asio::io_context& io, FlavourKind kind, int index)
    : id("test-" + std::to_string(index)), port(free_port()), io_(io) {
  static std::uint32_t next_server_id = 100;
  const Distribution* distribution = test_distribution(kind);
  if (distribution == nullptr) {
    throw std::runtime_error("no " + std::string(enum_text(kind)) + " server: MySQL is looked for at $MYSOS_MYSQL9 or " +
                             mysql9_root() + " (tools/get-mysql makes it), MariaDB at / (package mariadb-server-core)");
  }
  auto user = server_user("");
  if (!user) user = server_user("nobody");  // on a machine without one for servers; there is nothing to be read here
  if (!user) throw std::runtime_error(user.error().message);
  const std::uint32_t server_id = ++next_server_id;
  spec = {.distribution = *distribution,
          .layout = server_layout(test_root() + "/m" + std::to_string(server_id)),
          .user = *user,
          .memory = mib(640),
          .port = port,
          .bind_address = "127.0.0.1",
          .report_host = "127.0.0.1",
          .server_id = server_id};
  spec.layout.admin_host = "127.0.0.1";
  spec.layout.admin_port = free_port();
}

TestMember::~TestMember() {
  if (ops) ops->close();
  if (process) {
    (void)process->kill();
    (void)await(process->wait_exit());
  }
}

void TestMember::make_and_start(Bytes memory, std::vector<std::string> cgroup_procs) {
  spec.memory = memory;
  spec.cgroup_procs = std::move(cgroup_procs);
  const auto from = ensure_template(spec.distribution, test_root() + "/templates", spec.user);
  ASSERT_TRUE(from) << from.error().message;
  const auto dir = make_owned_dir(spec.layout.dir, spec.user, 0755);
  ASSERT_TRUE(dir) << dir.error().message;
  const auto made = make_datadir(*from, spec.layout.datadir, spec.user);
  ASSERT_TRUE(made) << made.error().message;
  start();
}

void TestMember::start() {
  auto started = ServerProcess::start(spec, kTestSecrets);
  ASSERT_TRUE(started) << started.error().message;
  process.emplace(*std::move(started));
  const auto ready = await(process->wait_ready(kTestSecrets, kReady));
  ASSERT_TRUE(ready) << ready.error().message;
  ops = std::make_unique<ServerOps>(io_.get_executor(),
                                    ServerOpsConfig{.flavour = spec.distribution.kind,
                                                    .admin = admin_target(spec.layout, kTestSecrets),
                                                    .member = id,
                                                    .secrets = kTestSecrets,
                                                    .prepared_in_binlogs = [dir = spec.layout.datadir](std::size_t wanted) {
                                                      return prepared_there(dir, wanted);
                                                    }});
}

void TestMember::kill9() {
  ops->close();
  ASSERT_TRUE(process->kill());
  (void)await(process->wait_exit());
  process.reset();
}

void TestMember::stop() {
  ops->close();
  const auto ended = await(process->shutdown(std::chrono::seconds(30)));
  EXPECT_TRUE(ended.ok()) << to_string(ended) << process->last_words();
  process.reset();
}

Status TestMember::try_run(const ServerStep& step, Duration at_most) { return await(ops->run(step, at_most)); }

void TestMember::run(const ServerStep& step, Duration at_most) {
  const auto done = try_run(step, at_most);
  ASSERT_TRUE(done) << done.error().message;
}

ServerSnapshot TestMember::read() {
  auto seen = await(ops->read(kRead));
  EXPECT_TRUE(seen) << (seen ? "" : seen.error().message);
  return seen.value_or(ServerSnapshot{});
}

bool TestMember::wait_for(const std::function<bool(const ServerSnapshot&)>& condition, Duration at_most) {
  const Instant until = steady_now() + at_most;
  while (!condition(read())) {
    if (steady_now() >= until) return false;
    ::usleep(1000);
  }
  return true;
}

void TestMember::follow(const TestMember& source, bool acking) {
  run(step::StopReceiver{});
  run(step::SemiSyncReplica{acking});
  run(step::SetSource{"127.0.0.1", source.port});
  run(step::StartReplication{});
}

void TestMember::promote(std::uint32_t d, const std::vector<TestMember*>& replicas) {
  std::set<MemberId> ids;
  for (const TestMember* r : replicas) ids.insert(r->id);
  run(step::StopReceiver{});
  run(step::StopReplication{});
  run(step::SemiSyncReplica{false});
  run(step::ForgetSource{});
  run(step::ShutOut{ids, {}});
  run(step::SemiSyncSource{d});
  run(step::SetReadOnly{false});
}

Rows TestMember::admin(const std::string& sql) {
  Session session(io_.get_executor(), admin_target(spec.layout, kTestSecrets));
  const auto connected = await(session.connect(kRead));
  EXPECT_TRUE(connected) << (connected ? "" : connected.error().message);
  if (!connected) return {};
  auto rows = await(session.query(sql, kRead));
  EXPECT_TRUE(rows) << sql << ": " << (rows ? "" : rows.error().message);
  return rows.value_or(Rows{});
}

Session TestMember::user_session() const {
  return Session(io_.get_executor(),
                 {.host = "127.0.0.1", .port = port, .user = kTestSecrets.user, .password = kTestSecrets.user_password});
}

Result<Rows> TestMember::user(const std::string& sql, Duration at_most) {
  Session session = user_session();
  MYSOS_TRY_VOID(await(session.connect(at_most)));
  return await(session.query(sql, at_most));
}

}  // namespace mysos::mysql
