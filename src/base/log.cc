// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include <spdlog/async.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <boost/json.hpp>
#include <memory>
#include <mutex>

namespace mysos {
namespace {
constexpr const char* kTextPattern = "%Y-%m-%dT%H:%M:%S.%eZ %-7l %v";
constexpr const char* kJsonPattern = R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})";

spdlog::level::level_enum to_spdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarn:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

struct Sink {
  std::shared_ptr<spdlog::logger> logger;  // spdlog's own way to hold it
  LogFormat format = LogFormat::kText;
  std::string component;
};

Sink make_sink(const LogOptions& options) {
  spdlog::sink_ptr out;
  if (options.file.empty()) {
    out = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  } else {
    out = std::make_shared<spdlog::sinks::basic_file_sink_mt>(options.file);
  }
  std::shared_ptr<spdlog::logger> logger;
  if (options.in_background) {
    if (!spdlog::thread_pool()) spdlog::init_thread_pool(kMaxWaitingLines, 1);
    logger = std::make_shared<spdlog::async_logger>("mysos", std::move(out), spdlog::thread_pool(),
                                                    spdlog::async_overflow_policy::overrun_oldest);
  } else {
    logger = std::make_shared<spdlog::logger>("mysos", std::move(out));
  }
  const char* pattern = options.format == LogFormat::kText ? kTextPattern : kJsonPattern;
  logger->set_formatter(
      std::make_unique<spdlog::pattern_formatter>(pattern, spdlog::pattern_time_type::utc));
  logger->set_level(to_spdlog(options.level));
  logger->flush_on(spdlog::level::debug);
  return Sink{std::move(logger), options.format, options.component};
}

std::mutex sink_mutex;
Sink& the_sink() {  // under sink_mutex
  static Sink sink = make_sink(LogOptions{});
  return sink;
}
Sink current_sink() {
  const std::lock_guard lock(sink_mutex);
  return the_sink();
}

// One message is one line, whatever it quotes.
std::string on_one_line(std::string_view message) {
  std::string line;
  for (const char c : message) {
    if (c == '\n') {
      line += "\\n";
    } else if (static_cast<unsigned char>(c) < ' ' && c != '\t') {
      line += '?';
    } else {
      line += c;
    }
  }
  return line;
}
}  // namespace

Status log_init(const LogOptions& options) {
  try {
    Sink sink = make_sink(options);
    const std::lock_guard lock(sink_mutex);
    the_sink() = std::move(sink);
    return {};
  } catch (const std::exception& e) {
    return fail(Errc::kIo, "cannot log to " + options.file + ": " + e.what());
  }
}

bool log_enabled(LogLevel level) {
  const std::lock_guard lock(sink_mutex);
  return the_sink().logger->should_log(to_spdlog(level));
}

void log_line(LogLevel level, std::string_view component, std::string_view message) {
  const Sink sink = current_sink();
  if (component.empty()) component = sink.component;
  std::string line;
  if (sink.format == LogFormat::kJson) {
    line = "\"component\":" + boost::json::serialize(boost::json::string(component)) +
           ",\"message\":" + boost::json::serialize(boost::json::string(message));
  } else {
    line = std::string(component) + ": " + on_one_line(message);
  }
  sink.logger->log(to_spdlog(level), spdlog::string_view_t(line.data(), line.size()));
}

void log_flush() { current_sink().logger->flush(); }

}  // namespace mysos
