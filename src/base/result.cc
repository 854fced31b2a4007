// SPDX-License-Identifier: Apache-2.0
#include "base/result.h"

namespace mysos {

std::string_view to_string(Errc code) {
  switch (code) {
    case Errc::kInvalid: return "invalid";
    case Errc::kUnauthorized: return "unauthorized";
    case Errc::kForbidden: return "forbidden";
    case Errc::kNotFound: return "not_found";
    case Errc::kConflict: return "conflict";
    case Errc::kTooLarge: return "too_large";
    case Errc::kUnavailable: return "unavailable";
    case Errc::kTimeout: return "timeout";
    case Errc::kFenced: return "fenced";
    case Errc::kIo: return "io";
    case Errc::kInternal: return "internal";
  }
  return "internal";
}

int http_status(Errc code) {
  switch (code) {
    case Errc::kInvalid: return 422;
    case Errc::kUnauthorized: return 401;
    case Errc::kForbidden: return 403;
    case Errc::kNotFound: return 404;
    case Errc::kConflict: return 409;
    case Errc::kTooLarge: return 413;
    case Errc::kUnavailable: return 503;
    case Errc::kTimeout: return 504;
    case Errc::kFenced: return 409;
    case Errc::kIo: return 500;
    case Errc::kInternal: return 500;
  }
  return 500;
}

int exit_code(Errc code) {
  switch (code) {
    case Errc::kInvalid: return 2;
    case Errc::kUnauthorized: return 3;
    case Errc::kForbidden: return 3;
    case Errc::kNotFound: return 4;
    case Errc::kConflict: return 5;
    case Errc::kTooLarge: return 2;
    case Errc::kUnavailable: return 6;
    case Errc::kTimeout: return 7;
    case Errc::kFenced: return 5;
    case Errc::kIo: return 8;
    case Errc::kInternal: return 9;
  }
  return 9;
}

}  // namespace mysos
