// SPDX-License-Identifier: Apache-2.0
#include "executor/member_volume.h"

#include <sys/stat.h>

#include <filesystem>
#include <utility>

#include "base/slot_file.h"

namespace mysos {
namespace {
constexpr mode_t kOwnerOnly = 0600;
constexpr mode_t kOwnerOnlyDir = 0700;
}  // namespace

Result<MemberVolume> MemberVolume::open(const std::string& dir) {
  std::error_code ec;
  const std::filesystem::path real = std::filesystem::canonical(dir, ec);
  if (ec)
    return fail(Errc::kNotFound,
                "the member's volume " + dir + " cannot be opened: " + ec.message());
  MemberVolume volume(real.string());
  MYSOS_TRY_VOID(make_dirs(volume.own_dir(), kOwnerOnlyDir));
  if (::chmod(volume.own_dir().c_str(), kOwnerOnlyDir) != 0)
    return std::unexpected(errno_error("close", volume.own_dir(), errno));
  return volume;
}

Result<MemberPromise> MemberVolume::load_promise() const {
  const std::string path = promise_file();
  MYSOS_TRY(const auto text, read_slot_file(path));
  if (!text) return MemberPromise{};
  auto promise = from_json_text<MemberPromise>(*text);
  if (!promise) return std::unexpected(std::move(promise).error().with_context("read " + path));
  return promise;
}

Status MemberVolume::save_promise(const MemberPromise& promise) const {
  return write_slot_file(promise_file(), to_json_text(promise), kOwnerOnly);
}

Result<std::optional<json::object>> MemberVolume::load_secrets() const {
  const std::string path = own_dir() + "/secrets.json";
  if (!path_exists(path)) return std::nullopt;
  MYSOS_TRY(const std::string text, read_file(path));
  auto secrets = from_json_text<json::object>(text);
  // The parser's words could quote what is in the file.
  if (!secrets) return fail(Errc::kIo, path + " is no JSON object");
  return std::optional(*std::move(secrets));
}

Status MemberVolume::save_secrets(const json::object& secrets) const {
  return write_file_atomic(own_dir() + "/secrets.json", json::serialize(secrets) + "\n",
                           kOwnerOnly);
}

Result<std::string> MemberVolume::load_sealed() const {
  const std::string path = own_dir() + "/sealed";
  return path_exists(path) ? read_file(path) : "";
}

Status MemberVolume::save_sealed(const std::string& sealed) const {
  return write_file_atomic(own_dir() + "/sealed", sealed, kOwnerOnly);
}

Result<LockFile> MemberVolume::lock() const { return LockFile::acquire(own_dir() + "/lock"); }

}  // namespace mysos
