// SPDX-License-Identifier: Apache-2.0
#include "mesos/record_stream.h"

namespace mysos::mesos {
namespace {
constexpr std::size_t kMaxErrorBody = 64 * 1024;
constexpr Duration kErrorBodyTime = std::chrono::seconds(5);
}  // namespace

asio::awaitable<Result<HttpResponse>> RecordStream::open(Endpoint to, HttpRequest request,
                                                         Duration deadline) {
  auto response = co_await stream_.open(std::move(to), std::move(request), deadline);
  if (!response || response->status == 200) co_return response;
  auto body = co_await stream_.read_all(kMaxErrorBody, kErrorBodyTime);
  if (body) response->body = *std::move(body);
  co_return response;
}

asio::awaitable<Result<json::value>> RecordStream::next(Duration idle) {
  while (ready_.empty()) {
    MYSOS_CO_TRY(const std::string bytes, co_await stream_.read_some(idle));
    if (bytes.empty()) co_return fail(Errc::kUnavailable, "the event stream has ended");
    std::vector<std::string> records;
    MYSOS_CO_TRY_VOID(decoder_.feed(bytes, records));
    for (auto& record : records) ready_.push_back(std::move(record));
  }
  const std::string record = std::move(ready_.front());
  ready_.pop_front();
  co_return parse_json(record);
}

HttpRequest json_post(std::string path, const json::value& body) {
  HttpRequest request;
  request.method = "POST";
  request.target = std::move(path);
  request.headers = {{"Content-Type", "application/json"}, {"Accept", "application/json"}};
  request.body = json::serialize(body);
  return request;
}

}  // namespace mysos::mesos
