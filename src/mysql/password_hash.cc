// SPDX-License-Identifier: Apache-2.0
#include "mysql/password_hash.h"

#include <openssl/evp.h>

#include <array>
#include <map>
#include <utility>

#include "base/assert.h"

namespace mysos::mysql {
namespace {

constexpr int kRounds = 5000;
constexpr std::size_t kDigest = 32;
constexpr std::size_t kMaxRemembered = 64;
constexpr std::string_view kCryptLetters = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

// One digest, begun anew by each take(). The context is made once: 5000 rounds need as many.
class Digest {
 public:
  explicit Digest(const EVP_MD* kind) : kind_(kind), context_(EVP_MD_CTX_new()) { begin(); }
  ~Digest() { EVP_MD_CTX_free(context_); }
  Digest(const Digest&) = delete;
  Digest& operator=(const Digest&) = delete;

  Digest& add(std::string_view bytes) {
    MYSOS_ASSERT(EVP_DigestUpdate(context_, bytes.data(), bytes.size()) == 1, "a digest takes bytes");
    return *this;
  }
  std::string take() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
    unsigned size = 0;
    MYSOS_ASSERT(EVP_DigestFinal_ex(context_, out.data(), &size) == 1, "a digest ends");
    begin();
    return {reinterpret_cast<const char*>(out.data()), size};
  }

 private:
  void begin() { MYSOS_ASSERT(EVP_DigestInit_ex(context_, kind_, nullptr) == 1, "a digest begins"); }
  const EVP_MD* kind_;
  EVP_MD_CTX* context_;
};

std::string repeated(const std::string& digest, std::size_t length) {
  std::string out;
  while (out.size() < length) out += digest.substr(0, length - out.size());
  return out;
}

void append_letters(std::string& out, std::string_view d, std::array<int, 3> at, int letters) {
  unsigned bits = 0;
  for (const int i : at) bits = (bits << 8) | (i < 0 ? 0U : static_cast<unsigned char>(d[static_cast<std::size_t>(i)]));
  for (; letters > 0; --letters, bits >>= 6) out += kCryptLetters[bits & 63];
}

// In the order that crypt's SHA-256 has always had.
std::string crypt_letters(const std::string& d) {
  std::string out;
  std::array<int, 3> at{0, 10, 20};
  for (int i = 0; i < 10; ++i) {
    append_letters(out, d, at, 4);
    at = {(at[1] + 11) % 30, (at[2] + 11) % 30, (at[0] + 11) % 30};
  }
  append_letters(out, d, {-1, 31, 30}, 3);
  return out;
}

// "Unix crypt using SHA-256 and SHA-512", U. Drepper. MySQL's salt is four bytes longer than libcrypt takes.
std::string sha256_crypt(std::string_view password, std::string_view salt) {
  Digest sha(EVP_sha256());
  const std::string b = sha.add(password).add(salt).add(password).take();
  sha.add(password).add(salt).add(repeated(b, password.size()));
  for (std::size_t n = password.size(); n > 0; n >>= 1) sha.add((n & 1) != 0 ? std::string_view(b) : password);
  std::string a = sha.take();
  for (std::size_t i = 0; i < password.size(); ++i) sha.add(password);
  const std::string p = repeated(sha.take(), password.size());
  for (int i = 0; i < 16 + static_cast<unsigned char>(a[0]); ++i) sha.add(salt);
  const std::string s = repeated(sha.take(), salt.size());
  for (int i = 0; i < kRounds; ++i) {
    const bool odd = i % 2 == 1;
    sha.add(odd ? p : a);
    if (i % 3 != 0) sha.add(s);
    if (i % 7 != 0) sha.add(p);
    sha.add(odd ? a : p);
    a = sha.take();
  }
  MYSOS_ASSERT(a.size() == kDigest, "SHA-256 has 32 bytes");
  return crypt_letters(a);
}

}  // namespace

std::string native_password_hash(std::string_view password) {
  Digest sha(EVP_sha1());
  const std::string once = sha.add(password).take();
  const std::string twice = sha.add(once).take();
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out = "*";
  for (const char c : twice) {
    const auto byte = static_cast<unsigned char>(c);
    out += kHex[byte >> 4];
    out += kHex[byte & 15];
  }
  return out;
}

std::string caching_sha2_hash(std::string_view password, std::string_view salt) {
  MYSOS_ASSERT(salt.size() == kSaltLength, "a salt has 20 characters");
  thread_local std::map<std::pair<std::string, std::string>, std::string> remembered;
  const std::pair key{std::string(password), std::string(salt)};
  if (const auto found = remembered.find(key); found != remembered.end()) return found->second;
  std::string out = "$A$005$" + std::string(salt) + sha256_crypt(password, salt);
  if (remembered.size() >= kMaxRemembered) remembered.clear();
  remembered.emplace(key, out);
  return out;
}

}  // namespace mysos::mysql
