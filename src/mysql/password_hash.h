// SPDX-License-Identifier: Apache-2.0
#pragma once
// Computes what a server stores of a password. With that, statements that make an account contain no password, so none gets
// into a binlog, a log of the server or a file. Pure; the same arguments give the same text. Any thread.
#include <string>
#include <string_view>

namespace mysos::mysql {

inline constexpr std::size_t kSaltLength = 20;

// MariaDB's mysql_native_password: "*" and SHA1(SHA1(password)) in upper-case hex.
std::string native_password_hash(std::string_view password);

// MySQL's caching_sha2_password: "$A$005$", the salt (kSaltLength letters and digits), and the SHA-256 crypt of 5000 rounds.
// Takes some milliseconds; the last results are remembered.
std::string caching_sha2_hash(std::string_view password, std::string_view salt);

}  // namespace mysos::mysql
