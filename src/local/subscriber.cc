// SPDX-License-Identifier: Apache-2.0
#include "local/subscriber.h"

#include <fmt/format.h>
#include <sodium.h>

#include "mesos/recordio.h"
#include "mesos/wire.h"

namespace mysos::local {

void Subscriber::push(const json::value& event) {
  if (closed_) return;
  records_.push_back(mesos::encode_record(json::serialize(event)));
  backlog_ += records_.back().size();
  if (backlog_ > kMaxSubscriberBacklog) gone_ = true;
  changed_.notify_all();
}

void Subscriber::close() {
  closed_ = true;
  changed_.notify_all();
}

asio::awaitable<void> Subscriber::serve(HttpExchange& exchange) {
  exchange.when_closed([this] {
    gone_ = true;
    changed_.notify_all();
  });
  while (!gone_) {
    if (!records_.empty()) {
      std::string record = std::move(records_.front());
      records_.pop_front();
      backlog_ -= record.size();
      const bool written = co_await exchange.write_chunk(std::move(record));
      if (!written) co_return;
    } else if (closed_) {
      co_await exchange.finish();
      co_return;
    } else {
      co_await changed_.wait();
    }
  }
}

std::string random_uuid() {
  unsigned char b[16];
  randombytes_buf(b, sizeof b);
  std::string out;
  for (std::size_t i = 0; i < sizeof b; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) out += '-';
    out += fmt::format("{:02x}", b[i]);
  }
  return out;
}

std::string random_uuid_base64() { return mesos::wire::new_uuid(); }

HttpResponse plain_text(int status, std::string text) {
  HttpResponse response{status, {}, std::move(text)};
  if (!response.body.empty()) response.headers.set("Content-Type", "text/plain; charset=utf-8");
  return response;
}

std::optional<HttpResponse> refuse_post(const HttpRequest& request, json::value& body) {
  if (request.method != "POST") {
    auto response =
        plain_text(405, "405 Method Not Allowed. Expecting one of { 'POST' }, but received '" +
                            request.method + "'.");
    response.headers.set("Allow", "POST");
    return response;
  }
  if (!request.headers.has("Content-Type"))
    return plain_text(400, "Expecting 'Content-Type' to be present");
  const std::string_view type = request.headers.get("Content-Type");
  if (type != "application/json") {
    return plain_text(415,
                      "Expecting 'Content-Type' of application/json or application/x-protobuf");
  }
  auto parsed = parse_json(request.body);
  if (!parsed) return plain_text(400, "Failed to parse body into JSON: " + parsed.error().message);
  body = *std::move(parsed);
  return std::nullopt;
}

}  // namespace mysos::local
