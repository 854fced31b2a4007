// SPDX-License-Identifier: Apache-2.0
#pragma once
// Secrets, from libsodium: making them, comparing them, keeping them encrypted at rest. Never log
// what these return. Any thread.
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace mysos {

inline constexpr std::size_t kPasswordLength = 32;

std::string random_token();  // 32 random bytes, base64url
std::string random_password(
    std::size_t length = kPasswordLength);  // letters and digits, evenly distributed
std::uint64_t random_seed();                // for a Prng
std::string hash_token(
    std::string_view token);  // BLAKE2b-256, hex: what the store keeps of a token
// Its time depends on the lengths only.
bool constant_time_equal(std::string_view a, std::string_view b);
// A password of 32 letters and digits that only the holder of `secret` can make for this label.
std::string hmac_derive(std::string_view secret, std::string_view label);

// Encrypts with a key that lives in a file of its own. What was changed or encrypted with another
// key does not decrypt.
class SecretBox {
 public:
  // Reads the key file; makes one, mode 0600, where there is none. One that others may read is
  // refused.
  static Result<SecretBox> open(const std::string& key_file);
  static SecretBox with_random_key();  // for tests and the simulator
  SecretBox(const SecretBox&) = default;
  SecretBox& operator=(const SecretBox&) = default;
  ~SecretBox();

  [[nodiscard]] std::string encrypt(std::string_view plain) const;  // base64 of nonce and secretbox
  [[nodiscard]] Result<std::string> decrypt(std::string_view text) const;
  // Says which key it is, and nothing about the key.
  [[nodiscard]] std::string key_id() const;

 private:
  SecretBox() = default;
  std::array<unsigned char, 32> key_{};
};

}  // namespace mysos
