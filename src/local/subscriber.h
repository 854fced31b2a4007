// SPDX-License-Identifier: Apache-2.0
#pragma once
// One SUBSCRIBE connection as the embedded master and agents see it: a bounded queue of records
// that one HTTP handler writes out. A subscriber that does not read is disconnected.
#include <deque>
#include <string>

#include "base/http/server.h"
#include "base/json.h"

namespace mysos::local {

inline constexpr std::size_t kMaxSubscriberBacklog = std::size_t{64} << 20;

class Subscriber {
 public:
  explicit Subscriber(asio::any_io_executor executor) : changed_(std::move(executor)) {}
  void push(const json::value& event);
  // The stream ends after what has been pushed.
  void close();
  // Ends when the stream has ended or the peer is gone. The response must have been started.
  asio::awaitable<void> serve(HttpExchange& exchange);

 private:
  std::deque<std::string> records_;
  std::size_t backlog_ = 0;
  bool closed_ = false;
  bool gone_ = false;
  Signal changed_;
};

// Sixteen random bytes, in Mesos' two spellings.
std::string random_uuid();         // "5f88b6b0-...": streams, containers, masters
std::string random_uuid_base64();  // of status updates

// The checks common to both APIs, in Mesos' order and words: method, Content-Type, JSON. nullopt:
// `body` is filled.
std::optional<HttpResponse> refuse_post(const HttpRequest& request, json::value& body);
HttpResponse plain_text(int status, std::string text);

}  // namespace mysos::local
