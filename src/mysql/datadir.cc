// SPDX-License-Identifier: Apache-2.0
#include "mysql/datadir.h"

#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <fcntl.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "base/fs.h"
#include "base/secret.h"

namespace mysos::mysql {
namespace {
namespace stdfs = std::filesystem;

constexpr Duration kInitTimeout = std::chrono::minutes(5);
constexpr std::string_view kTemplateForm = "1";  // of what is in a template; part of its name
constexpr std::array kOwnFiles = {"auto.cnf", "server_uuid", "ca.pem", "ca-key.pem", "server-cert.pem", "server-key.pem",
                                  "client-cert.pem", "client-key.pem", "private_key.pem", "public_key.pem"};

std::string tail(const std::string& text) {
  constexpr std::size_t kTail = 600;
  return text.size() <= kTail ? text : "..." + text.substr(text.size() - kTail);
}

// Without it two executors would both make the template. Held until the process that makes it is done.
Result<Fd> lock_file(const std::string& path) {
  Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!fd.valid()) return std::unexpected(errno_error("open", path, errno));
  while (::flock(fd.get(), LOCK_EX) != 0) {
    if (errno != EINTR) return std::unexpected(errno_error("lock", path, errno));
  }
  return fd;
}

Status run_tool(std::vector<std::string> argv, const std::optional<ProcessUser>& user, const std::string& cwd,
                std::string input = {}) {
  const std::string program = argv.front();
  ProcessOptions options{.argv = std::move(argv)};
  options.user = user;
  options.cwd = cwd;
  // A folder of its own for temporary files lets several be made at once; nothing of our environment steers a tool.
  options.env = {{"PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}, {"LC_ALL", "C"}, {"TMPDIR", cwd}};
  MYSOS_TRY(const CommandResult ran, run_command(std::move(options), kInitTimeout, std::move(input)));
  if (ran.status.ok()) return {};
  return fail(Errc::kIo, fmt::format("{}: {}: {}", program, to_string(ran.status), tail(ran.out + ran.err)));
}

std::vector<std::string> server_words(const Distribution& d, const std::string& datadir) {
  std::vector<std::string> out = {d.server, "--no-defaults", "--basedir=" + d.basedir, "--datadir=" + datadir};
  if (!d.messages_dir.empty()) out.push_back("--lc-messages-dir=" + d.messages_dir);
  if (!d.charsets_dir.empty()) out.push_back("--character-sets-dir=" + d.charsets_dir);
  if (!d.plugin_dir.empty()) out.push_back("--plugin-dir=" + d.plugin_dir);
  return out;
}

std::string account_sql(const Distribution& d) {
  std::string out;
  for (const auto& s : flavour(d.kind).remove_default_accounts()) out += s + ";\n";
  return out;
}

Status initialize_mysql(const Distribution& d, const std::string& work, const std::optional<ProcessUser>& user) {
  const std::string sql = work + "/init.sql";
  MYSOS_TRY_VOID(write_file_atomic(sql, account_sql(d), 0644));
  auto argv = server_words(d, work + "/data");
  for (const char* more : {"--initialize-insecure", "--mysqlx=OFF", "--secure-file-priv=NULL"}) argv.emplace_back(more);
  argv.push_back("--init-file=" + sql);
  return run_tool(std::move(argv), user, work);
}

Status initialize_mariadb(const Distribution& d, const std::string& work, const std::optional<ProcessUser>& user) {
  const std::string data = work + "/data";
  std::vector<std::string> install = {d.install_tool, "--no-defaults", "--basedir=" + d.basedir, "--datadir=" + data,
                                      "--tmpdir=" + work, "--skip-test-db",
                                      "--auth-root-authentication-method=normal", "--skip-name-resolve"};
  MYSOS_TRY_VOID(run_tool(std::move(install), user, work));
  auto bootstrap = server_words(d, data);
  for (const char* more : {"--bootstrap", "--skip-log-bin"}) bootstrap.emplace_back(more);
  bootstrap.push_back("--tmpdir=" + work);
  return run_tool(std::move(bootstrap), user, work, account_sql(d));
}

Status give_to(const std::string& path, const std::optional<ProcessUser>& user) {
  return user ? give_tree(path, user->uid, user->gid) : Status();
}

constexpr uid_t kNobody = 65534;

}  // namespace

Result<std::optional<ProcessUser>> server_user(const std::string& name) {
  if (::geteuid() != 0) {
    if (name.empty()) return std::nullopt;
    MYSOS_TRY(const ProcessUser wanted, find_user(name));
    if (wanted.uid == ::geteuid()) return std::nullopt;
    return fail(Errc::kForbidden, "only root can run servers as another user than itself: " + name, "mysql-user");
  }
  if (!name.empty()) {
    MYSOS_TRY(ProcessUser wanted, find_user(name));
    if (wanted.uid == 0) return fail(Errc::kInvalid, "a server must not run as root", "mysql-user");
    return std::optional(std::move(wanted));
  }
  for (const char* usual : {"mysql", "mysos"}) {
    if (auto found = find_user(usual)) return std::optional(*std::move(found));
  }
  return fail(Errc::kNotFound,
              "servers must not run as root, and there is no user mysql: make one (useradd --system --no-create-home --shell "
              "/usr/sbin/nologin mysql), or name one with --mysql-user",
              "mysql-user");
}

std::string warning_about(const std::optional<ProcessUser>& user) {
  if (!user || user->uid != kNobody) return "";
  return "servers run as nobody, as other programs do: each of these can read and change the data. Make a user for the "
         "servers alone, and name it with --mysql-user";
}

Status hand_over(const std::string& path, const std::optional<ProcessUser>& user) {
  struct stat st{};
  if (!user || ::lstat(path.c_str(), &st) != 0 || st.st_uid == user->uid) return {};
  return give_to(path, user);
}

Status make_owned_dir(const std::string& path, const std::optional<ProcessUser>& user, mode_t mode) {
  MYSOS_TRY_VOID(make_dirs(path));
  // The folder may be in a place where others can write: it must be ours, and a folder.
  struct stat st{};
  if (::lstat(path.c_str(), &st) != 0) return std::unexpected(errno_error("look at", path, errno));
  const uid_t owner = user ? user->uid : ::geteuid();
  if (!S_ISDIR(st.st_mode) || (st.st_uid != owner && st.st_uid != ::geteuid())) {
    return fail(Errc::kForbidden, fmt::format("{} belongs to somebody else", path));
  }
  if (user && ::lchown(path.c_str(), user->uid, user->gid) != 0) return std::unexpected(errno_error("chown", path, errno));
  if (::chmod(path.c_str(), mode) != 0) return std::unexpected(errno_error("chmod", path, errno));
  return {};
}

Result<std::string> ensure_template(const Distribution& d, const std::string& cache_dir,
                                    const std::optional<ProcessUser>& user) {
  // Two builds of one version may differ, and so may their paths: the program's path is part of the name.
  const std::string name = fmt::format("{}-{}-{}-{}", enum_text(d.kind), d.full_version, kTemplateForm,
                                       hash_token(d.server).substr(0, 8));
  const std::string path = cache_dir + "/" + name;
  if (path_exists(path)) return path;
  MYSOS_TRY_VOID(make_dirs(cache_dir));
  MYSOS_TRY(const Fd lock, lock_file(cache_dir + "/.lock"));
  if (path_exists(path)) return path;
  const std::string work = path + ".part";
  MYSOS_TRY_VOID(remove_tree(work));
  MYSOS_TRY_VOID(make_owned_dir(work, user, 0755));
  auto made = d.kind == FlavourKind::kMysql ? initialize_mysql(d, work, user) : initialize_mariadb(d, work, user);
  if (!made) return std::unexpected(std::move(made).error().with_context("make a template datadir of " + d.name()));
  for (const char* file : kOwnFiles) MYSOS_TRY_VOID(remove_file(work + "/data/" + file));
  if (::rename((work + "/data").c_str(), path.c_str()) != 0) return std::unexpected(errno_error("rename", work, errno));
  MYSOS_TRY_VOID(fsync_dir(cache_dir));
  MYSOS_TRY_VOID(remove_tree(work));
  return path;
}

Status make_datadir(const std::string& template_dir, const std::string& datadir, const std::optional<ProcessUser>& user) {
  const std::string part = datadir + ".part";
  MYSOS_TRY_VOID(remove_tree(part));
  MYSOS_TRY_VOID(remove_tree(datadir));
  MYSOS_TRY_VOID(copy_tree(template_dir, part));
  for (const char* file : kOwnFiles) MYSOS_TRY_VOID(remove_file(part + "/" + file));
  MYSOS_TRY_VOID(give_to(part, user));
  if (::chmod(part.c_str(), 0700) != 0) return std::unexpected(errno_error("chmod", part, errno));
  if (::rename(part.c_str(), datadir.c_str()) != 0) return std::unexpected(errno_error("rename", part, errno));
  return fsync_dir(stdfs::path(datadir).parent_path().string());
}

}  // namespace mysos::mysql
