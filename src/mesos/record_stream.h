// SPDX-License-Identifier: Apache-2.0
#pragma once
// A POST whose answer is an endless RecordIO stream of JSON documents: the SUBSCRIBE of both APIs
// of Mesos.
#include <deque>

#include "base/http/client.h"
#include "base/json.h"
#include "mesos/recordio.h"

namespace mysos::mesos {

class RecordStream {
 public:
  explicit RecordStream(asio::any_io_executor executor) : stream_(std::move(executor)) {}
  // The answer; its body is read in where the status is not 200. A fresh RecordStream for each
  // attempt.
  asio::awaitable<Result<HttpResponse>> open(Endpoint to, HttpRequest request, Duration deadline);
  // The next document; an Error at the end of the stream, after `idle` without a byte, or when it
  // cannot be read.
  asio::awaitable<Result<json::value>> next(Duration idle);
  void close() { stream_.close(); }

 private:
  HttpStream stream_;
  RecordDecoder decoder_;
  std::deque<std::string> ready_;
};

// A POST of JSON, as Mesos wants it.
HttpRequest json_post(std::string path, const json::value& body);

}  // namespace mysos::mesos
