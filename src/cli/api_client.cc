// SPDX-License-Identifier: Apache-2.0
#include "cli/api_client.h"

#include <boost/asio/use_future.hpp>

#include "base/fs.h"
#include "base/http/bearer.h"
#include "scheduler/state_dir.h"

namespace mysos::cli {
namespace {
constexpr auto kDefaultUrl = "http://127.0.0.1:8080";

std::string trimmed(std::string text) {
  const auto end = text.find_last_not_of(" \r\n\t");
  text.erase(end == std::string::npos ? 0 : end + 1);
  return text;
}

// Runs `task` to its end.
template <class T>
T run(asio::io_context& io, asio::awaitable<T> task) {
  auto result = asio::co_spawn(io, std::move(task), asio::use_future);
  io.run();
  return result.get();
}

// Takes the data lines of a stream of server-sent events apart.
class EventLines {
 public:
  // False: on_event has had enough.
  bool feed(const std::string& bytes, const std::function<bool(const json::object&)>& on_event) {
    rest_ += bytes;
    std::size_t from = 0;
    for (auto end = rest_.find('\n'); end != std::string::npos; end = rest_.find('\n', from)) {
      const std::string line = rest_.substr(from, end - from);
      from = end + 1;
      if (!line.starts_with("data: ")) continue;
      const auto event = parse_json(std::string_view(line).substr(6));
      if (event && event->is_object() && !on_event(event->get_object())) return false;
    }
    rest_.erase(0, from);
    return true;
  }

 private:
  std::string rest_;
};

asio::awaitable<Status> follow(HttpStream& stream, Endpoint to, HttpRequest request,
                               const std::function<bool(const json::object&)>& on_event) {
  constexpr Duration kSilence = std::chrono::seconds(60);  // the server says something every 15 s
  auto opened = co_await stream.open(to, std::move(request), kRequestDeadline);
  if (!opened) co_return std::unexpected(std::move(opened).error());
  if (opened->status != 200) {
    auto body = co_await stream.read_all(std::size_t{1} << 20, kRequestDeadline);
    opened->body = body ? *std::move(body) : "";
    co_return std::unexpected(error_from_response(*opened));
  }
  EventLines lines;
  while (true) {
    auto bytes = co_await stream.read_some(kSilence);
    if (!bytes) co_return std::unexpected(std::move(bytes).error());
    if (bytes->empty() || !lines.feed(*bytes, on_event)) co_return Status();
  }
}

}  // namespace

namespace {

// The token of an installation goes to the server of that installation only, at the address that this server has written down.
// Anybody else who were sent it could rule all its clusters.
Status check_is_at_home(const ClientOptions& options) {
  const std::string file = StateDir::token_file(options.dir);
  if (!path_exists(file)) return {};
  const auto noted = read_file(StateDir::url_file(options.dir), 4096);
  const auto home = noted ? parse_url(trimmed(*noted)) : std::unexpected(noted.error());
  MYSOS_TRY(const Url wanted, find_url(options));
  if (home && home->endpoint == wanted.endpoint) return {};
  return fail(Errc::kUnauthorized,
              "no token for http://" + to_string(wanted.endpoint) + ": " + file + " is for the server of " + options.dir +
                  (home ? " only, which is at http://" + to_string(home->endpoint)
                        : " only, and that server has not written down its address yet (" + home.error().message + ")") +
                  "; give --token-file or MYSOS_TOKEN, or name another state directory with --dir");
}

}  // namespace

Result<Url> find_url(const ClientOptions& options) {
  std::string text = options.url;
  std::string from = "--url " + text;
  if (text.empty()) {
    from = StateDir::url_file(options.dir);
    const auto noted = read_file(from, 4096);
    text = noted ? trimmed(*noted) : kDefaultUrl;
  }
  auto url = parse_url(text);
  if (!url) return std::unexpected(std::move(url).error().with_context(from));
  if (url->target == "/") url->target.clear();
  return url;
}

Result<std::string> find_token(const ClientOptions& options) {
  if (!options.token.empty()) return options.token;
  if (options.token_file.empty()) MYSOS_TRY_VOID(check_is_at_home(options));
  const std::string file =
      options.token_file.empty() ? StateDir::token_file(options.dir) : options.token_file;
  const auto text = read_file(file, 4096);
  if (!text) {
    return fail(Errc::kUnauthorized,
                "no token: " + text.error().message +
                    "; give --token-file, MYSOS_TOKEN, or the state directory with --dir");
  }
  return trimmed(*text);
}

void pause_for(Duration duration) {
  asio::io_context io(1);
  run(io, sleep_for(duration));
}

Result<ApiClient> ApiClient::open(const ClientOptions& options) {
  MYSOS_TRY(Url url, find_url(options));
  MYSOS_TRY(std::string token, find_token(options));
  return ApiClient(std::move(url), std::move(token));
}

HttpRequest ApiClient::make(std::string method, std::string target) const {
  HttpRequest request{.method = std::move(method), .target = url_.target + target};
  request.headers.set("Authorization", bearer_authorization(token_));
  return request;
}

Result<json::value> ApiClient::request(std::string method, std::string target,
                                       std::optional<json::object> body) {
  HttpRequest request = make(std::move(method), std::move(target));
  if (body) {
    request.headers.set("Content-Type", "application/json");
    request.body = json::serialize(*body);
  }
  asio::io_context io(1);
  auto response =
      run(io, http_request(io.get_executor(), url_.endpoint, std::move(request), kRequestDeadline));
  if (!response) {
    return std::unexpected(std::move(response).error().with_context("no answer from " + address()));
  }
  if (response->status >= 300) return std::unexpected(error_from_response(*response));
  if (response->body.empty()) return json::value();
  return parse_json(response->body);
}

Status ApiClient::follow_events(std::string target,
                                const std::function<bool(const json::object&)>& on_event) {
  HttpRequest request = make("GET", std::move(target));
  request.headers.set("Accept", "text/event-stream");
  asio::io_context io(1);
  HttpStream stream(io.get_executor());
  return run(io, follow(stream, url_.endpoint, std::move(request), on_event));
}

}  // namespace mysos::cli
