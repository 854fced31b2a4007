// SPDX-License-Identifier: Apache-2.0
#include "base/secret_file.h"

#include <sys/stat.h>

#include "base/fs.h"
#include "base/secret.h"

namespace mysos {
namespace {
constexpr std::size_t kMostBytes = 4096;

Result<std::string> read_line(const std::string& file) {
  struct stat info{};
  if (::stat(file.c_str(), &info) != 0) return std::unexpected(errno_error("read", file, errno));
  if ((info.st_mode & 077) != 0) {
    return fail(Errc::kForbidden, file + " can be read by others; protect it: chmod 600 " + file);
  }
  MYSOS_TRY(std::string text, read_file(file, kMostBytes));
  while (text.ends_with('\n') || text.ends_with('\r') || text.ends_with(' ')) text.pop_back();
  return text;
}
}  // namespace

Result<std::string> read_secret_file(const std::string& file) {
  MYSOS_TRY(std::string secret, read_line(file));
  if (secret.empty()) return fail(Errc::kInvalid, file + " holds no secret");
  if (secret.find('\n') != std::string::npos) return fail(Errc::kInvalid, file + " holds more than one line");
  return secret;
}

Result<std::string> open_secret_file(const std::string& file) {
  if (!path_exists(file)) {
    std::string secret = random_token();
    MYSOS_TRY_VOID(write_file_atomic(file, secret + "\n", 0600));
    return secret;
  }
  MYSOS_TRY(std::string secret, read_line(file));
  if (secret.size() >= kLeastOwnSecret) return secret;
  return fail(Errc::kInvalid, file + " holds no token of at least " + std::to_string(kLeastOwnSecret) +
                                  " characters; remove it and a new one is made");
}

}  // namespace mysos
