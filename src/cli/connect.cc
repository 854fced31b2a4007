// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>

#include "base/fd.h"
#include "base/fs.h"
#include "cli/api_client.h"
#include "cli/commands.h"
#include "cli/text.h"

namespace mysos::cli {
namespace {

// A value in an option file of the clients.
std::string quoted(const std::string& value) {
  std::string out = "\"";
  for (const char c : value) {
    if (c == '\\' || c == '"') out += '\\';
    out += c;
  }
  return out + "\"";
}

// An option file that exists in memory only, mode 0600, and ends with the client: the password is
// neither in its arguments nor in its environment nor on a disk.
Result<Fd> option_file(const std::string& content) {
  Fd file(::memfd_create("mysos-connect", 0));  // to be inherited
  if (!file.valid() || ::fchmod(file.get(), 0600) != 0) {
    return std::unexpected(errno_error("make", "a file in memory", errno));
  }
  if (::write(file.get(), content.data(), content.size()) != static_cast<ssize_t>(content.size()) ||
      ::lseek(file.get(), 0, SEEK_SET) != 0) {
    return std::unexpected(errno_error("write", "a file in memory", errno));
  }
  return file;
}

}  // namespace

Status run(const Connect& command) {
  MYSOS_TRY(ApiClient api, ApiClient::open(command.client));
  const std::string path = "/v1/clusters/" + percent_encode(command.name);
  MYSOS_TRY(const json::value answer, api.get(path + "/credentials"));
  const json::object& known = answer.as_object();
  const std::string host = text_of(known, "host");
  if (host.empty()) {
    MYSOS_TRY(const json::value cluster, api.get(path));
    return fail(Errc::kUnavailable, "no primary serves now: " + progress_text(cluster.as_object()));
  }
  MYSOS_TRY(const Fd file,
            option_file("[client]\nhost=" + quoted(host) + "\nport=" + text_of(known, "port") +
                        "\nuser=" + quoted(text_of(known, "user")) +
                        "\npassword=" + quoted(text_of(known, "password")) + "\nprotocol=tcp\n"));
  std::vector<std::string> words{"", "--defaults-file=/proc/self/fd/" + std::to_string(file.get())};
  if (!command.execute.empty()) words.push_back("--execute=" + command.execute);
  words.insert(words.end(), command.more.begin(), command.more.end());
  for (const char* program : {"mariadb", "mysql"}) {
    words[0] = program;
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    ::execvp(program, argv.data());
    if (errno != ENOENT) return std::unexpected(errno_error("start", program, errno));
  }
  return fail(Errc::kNotFound,
              "no mariadb or mysql client is installed: apt install mariadb-client");
}

}  // namespace mysos::cli
