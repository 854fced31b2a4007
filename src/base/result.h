// SPDX-License-Identifier: Apache-2.0
#pragma once
// The result of a function that may fail. An Error is a value with a code from a short closed list, so that the API's
// status, the CLI's exit code and a log line agree. Bugs are not errors: see base/assert.h.
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace mysos {

// One to one with an HTTP status (http_status) and an exit code of the CLI (exit_code).
enum class Errc {
  kInvalid,       // the caller's input is wrong: 422 in the API, 400 for a body that does not parse
  kUnauthorized,  // no token, or an unknown one: 401
  kForbidden,     // a known token without the right: 403
  kNotFound,      // 404
  kConflict,      // taken, or not in a state that allows it: 409
  kTooLarge,      // over a named limit: 413
  kUnavailable,   // try again later: the other side does not answer, or this scheduler does not lead: 503
  kTimeout,       // a deadline passed, the outcome is unknown: 504
  kFenced,        // a pair (epoch, config) lower than the promised one, or a term that is over: 409
  kIo,            // disk, socket, process: 500
  kInternal,      // a library said something we did not expect: 500
};

struct Error {
  Errc code = Errc::kInternal;
  std::string message;
  std::string field;  // the part of the caller's input that is wrong, "" where there is none

  // The same error, prefixed with the operation: "open the store: no space left on device".
  [[nodiscard]] Error with_context(std::string_view doing) && {
    message = std::string(doing) + ": " + message;
    return std::move(*this);
  }
};

template <class T>
using Result = std::expected<T, Error>;
using Status = Result<void>;

inline std::unexpected<Error> fail(Errc code, std::string message, std::string field = {}) {
  return std::unexpected(Error{code, std::move(message), std::move(field)});
}

std::string_view to_string(Errc code);
int http_status(Errc code);
int exit_code(Errc code);

}  // namespace mysos

// MYSOS_TRY(auto x, f()): x is the value, or the enclosing function returns the error. MYSOS_TRY_VOID for Status.
#define MYSOS_CONCAT_INNER(a, b) a##b
#define MYSOS_CONCAT(a, b) MYSOS_CONCAT_INNER(a, b)
#define MYSOS_TRY_IMPL(result, ret, decl, ...)                    \
  auto result = (__VA_ARGS__);                                    \
  if (!result) ret std::unexpected(std::move(result).error()); \
  decl = *std::move(result)
#define MYSOS_TRY(decl, ...) MYSOS_TRY_IMPL(MYSOS_CONCAT(try_, __LINE__), return, decl, __VA_ARGS__)
#define MYSOS_CO_TRY(decl, ...) MYSOS_TRY_IMPL(MYSOS_CONCAT(try_, __LINE__), co_return, decl, __VA_ARGS__)
#define MYSOS_TRY_VOID(...)                                                       \
  if (auto MYSOS_CONCAT(try_, __LINE__) = (__VA_ARGS__); !MYSOS_CONCAT(try_, __LINE__)) \
  return std::unexpected(std::move(MYSOS_CONCAT(try_, __LINE__)).error())
#define MYSOS_CO_TRY_VOID(...)                                                    \
  if (auto MYSOS_CONCAT(try_, __LINE__) = (__VA_ARGS__); !MYSOS_CONCAT(try_, __LINE__)) \
  co_return std::unexpected(std::move(MYSOS_CONCAT(try_, __LINE__)).error())
