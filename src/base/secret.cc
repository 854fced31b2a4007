// SPDX-License-Identifier: Apache-2.0
#include "base/secret.h"

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>

#include <algorithm>

#include "base/assert.h"
#include "base/base64.h"
#include "base/fs.h"

namespace mysos {
namespace {
constexpr std::string_view kLettersAndDigits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
constexpr std::size_t kTokenBytes = 32;
constexpr std::size_t kHashBytes = 32;
constexpr std::size_t kDerivedLength = 32;
static_assert(crypto_secretbox_KEYBYTES == 32);

void need_sodium() {
  static const int ready = sodium_init();
  MYSOS_ASSERT(ready >= 0, "libsodium finds no source of randomness");
}

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* bytes_of(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

std::string blake2b(std::string_view text, std::string_view key, std::size_t length) {
  std::string out(length, '\0');
  crypto_generichash(bytes_of(out), out.size(), bytes_of(text), text.size(),
                     key.empty() ? nullptr : bytes_of(key), key.size());
  return out;
}

// Each byte becomes one character or, to keep all equally likely, none.
void append_characters(std::string& out, std::string_view bytes, std::size_t length) {
  constexpr std::size_t kFair = 256 / kLettersAndDigits.size() * kLettersAndDigits.size();
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (out.size() < length && byte < kFair)
      out += kLettersAndDigits[byte % kLettersAndDigits.size()];
  }
}
}  // namespace

std::string random_token() {
  need_sodium();
  std::string bytes(kTokenBytes, '\0');
  randombytes_buf(bytes.data(), bytes.size());
  return base64url_encode(bytes);
}

std::string random_password(std::size_t length) {
  need_sodium();
  std::string out;
  std::string bytes(length, '\0');
  while (out.size() < length) {
    randombytes_buf(bytes.data(), bytes.size());
    append_characters(out, bytes, length);
  }
  return out;
}

std::uint64_t random_seed() {
  need_sodium();
  std::uint64_t seed = 0;
  randombytes_buf(&seed, sizeof seed);
  return seed;
}

std::string hash_token(std::string_view token) {
  need_sodium();
  const std::string digest = blake2b(token, {}, kHashBytes);
  std::string hex(digest.size() * 2 + 1, '\0');
  sodium_bin2hex(hex.data(), hex.size(), bytes_of(std::string_view(digest)), digest.size());
  hex.pop_back();
  return hex;
}

bool constant_time_equal(std::string_view a, std::string_view b) {
  return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string hmac_derive(std::string_view secret, std::string_view label) {
  need_sodium();
  const std::string key = blake2b(secret, {}, kHashBytes);  // any length of secret is a good key
  std::string out;
  for (unsigned round = 0; out.size() < kDerivedLength; ++round) {
    const std::string message = std::to_string(round) + ":" + std::string(label);
    append_characters(out, blake2b(message, key, crypto_generichash_BYTES_MAX), kDerivedLength);
  }
  return out;
}

SecretBox SecretBox::with_random_key() {
  need_sodium();
  SecretBox box;
  randombytes_buf(box.key_.data(), box.key_.size());
  return box;
}

SecretBox::~SecretBox() { sodium_memzero(key_.data(), key_.size()); }

Result<SecretBox> SecretBox::open(const std::string& key_file) {
  need_sodium();
  struct stat info{};
  if (::stat(key_file.c_str(), &info) != 0) {
    if (errno != ENOENT) return std::unexpected(errno_error("read the key file", key_file, errno));
    const SecretBox fresh = with_random_key();
    const std::string_view key(reinterpret_cast<const char*>(fresh.key_.data()), fresh.key_.size());
    MYSOS_TRY_VOID(write_file_atomic(key_file, base64_encode(key) + "\n", 0600));
    return fresh;
  }
  if ((info.st_mode & 077) != 0) {
    return fail(Errc::kForbidden,
                "the key file " + key_file + " may be read by others: chmod 600 it");
  }
  MYSOS_TRY(std::string text, read_file(key_file, 1024));
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  const auto key = base64_decode(text);
  SecretBox box;
  if (!key || key->size() != box.key_.size()) {
    return fail(Errc::kInvalid, "the key file " + key_file +
                                    " holds no key; what it encrypted cannot be read without it");
  }
  std::ranges::copy(*key, box.key_.begin());
  return box;
}

std::string SecretBox::encrypt(std::string_view plain) const {
  std::string out(crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES + plain.size(), '\0');
  randombytes_buf(out.data(), crypto_secretbox_NONCEBYTES);
  crypto_secretbox_easy(bytes_of(out) + crypto_secretbox_NONCEBYTES, bytes_of(plain), plain.size(),
                        bytes_of(out), key_.data());
  return base64_encode(out);
}

std::string SecretBox::key_id() const {
  const std::string_view key(reinterpret_cast<const char*>(key_.data()), key_.size());
  return hmac_derive(key, "key id").substr(0, 16);
}

Result<std::string> SecretBox::decrypt(std::string_view text) const {
  constexpr std::size_t kOverhead = crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES;
  MYSOS_TRY(const std::string sealed, base64_decode(text));
  const std::string_view view(sealed);
  if (view.size() < kOverhead) return fail(Errc::kInvalid, "an encrypted value is too short");
  std::string plain(view.size() - kOverhead, '\0');
  const int failed = crypto_secretbox_open_easy(
      bytes_of(plain), bytes_of(view) + crypto_secretbox_NONCEBYTES,
      view.size() - crypto_secretbox_NONCEBYTES, bytes_of(view), key_.data());
  if (failed != 0)
    return fail(Errc::kInvalid, "an encrypted value was damaged, or encrypted with another key");
  return plain;
}

}  // namespace mysos
