// SPDX-License-Identifier: Apache-2.0
#pragma once
// Logging: a line has a time (UTC), a level, a component and a message, as text for people or as
// JSON for machines. Never log a password, a token or a key. Until log_init, lines of level info
// and above go to stderr as text. Every function may be called from any thread.
#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace mysos {

inline constexpr std::size_t kMaxWaitingLines = 4096;

enum class LogLevel { kDebug, kInfo, kWarn, kError };
enum class LogFormat { kText, kJson };

struct LogOptions {
  LogLevel level = LogLevel::kInfo;
  LogFormat format = LogFormat::kText;
  std::string file;                 // "" = stderr
  std::string component = "mysos";  // what log_info() and its like say
  // A separate thread writes the lines, so that a hanging disk blocks no caller. While it hangs, at most kMaxWaitingLines wait,
  // and older lines are dropped.
  bool in_background = false;
};

Status log_init(const LogOptions& options);
bool log_enabled(LogLevel level);
void log_line(LogLevel level, std::string_view component, std::string_view message);
void log_flush();

// The logger of one component: `constexpr Logger kLog{"http"}; kLog.info("listening on {}", port);`
struct Logger {
  std::string_view component;  // "" = the one given to log_init

  template <class... A>
  void debug(fmt::format_string<A...> f, A&&... a) const {
    write(LogLevel::kDebug, f, std::forward<A>(a)...);
  }
  template <class... A>
  void info(fmt::format_string<A...> f, A&&... a) const {
    write(LogLevel::kInfo, f, std::forward<A>(a)...);
  }
  template <class... A>
  void warn(fmt::format_string<A...> f, A&&... a) const {
    write(LogLevel::kWarn, f, std::forward<A>(a)...);
  }
  template <class... A>
  void error(fmt::format_string<A...> f, A&&... a) const {
    write(LogLevel::kError, f, std::forward<A>(a)...);
  }

 private:
  template <class... A>
  void write(LogLevel level, fmt::format_string<A...> f, A&&... a) const {
    if (log_enabled(level)) log_line(level, component, fmt::format(f, std::forward<A>(a)...));
  }
};

template <class... A>
void log_debug(fmt::format_string<A...> f, A&&... a) {
  Logger{}.debug(f, std::forward<A>(a)...);
}
template <class... A>
void log_info(fmt::format_string<A...> f, A&&... a) {
  Logger{}.info(f, std::forward<A>(a)...);
}
template <class... A>
void log_warn(fmt::format_string<A...> f, A&&... a) {
  Logger{}.warn(f, std::forward<A>(a)...);
}
template <class... A>
void log_error(fmt::format_string<A...> f, A&&... a) {
  Logger{}.error(f, std::forward<A>(a)...);
}

}  // namespace mysos
