// SPDX-License-Identifier: Apache-2.0
#pragma once
// Replays recorded exchanges with Apache Mesos 1.11 against the embedded one, over HTTP. Ids differ
// from run to run, so a recorded id stands for the one of ours it was bound to; resources, states,
// reasons, messages, statuses and bodies must be the same. Offers are compared by what is on offer
// on an agent, not by how it is cut into offers.
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "base/test_loop.h"
#include "json_shape.h"
#include "local/local_mesos.h"
#include "mesos/record_stream.h"

namespace mysos::conformance {

class Replay {
 public:
  Replay();
  ~Replay();

  // Subscribes with a recorded SUBSCRIBE, in the place of the present stream's owner.
  void subscribe(const std::string& trace);
  // Sends a recorded call, compares the answer and waits for the recorded events.
  void step(const std::string& trace);
  // Only the events of a trace, without those of some types.
  void expect_events(const std::string& trace, const std::set<std::string>& but = {});
  // Only the call and its answer, to any path of the master or ("agent") of agent 0.
  void call(const std::string& trace);
  // The stream is closed by us.
  void disconnect();
  void bind(const std::string& recorded, const std::string& ours) { ids_[recorded] = ours; }

  [[nodiscard]] const std::string& stream_id() const { return stream_id_; }
  [[nodiscard]] local::LocalMesos& mesos() { return *local_; }
  TestLoop loop;
  std::deque<json::value> events;  // not matched yet
  bool as_stranger = false;        // sends no credential but what is recorded

 private:
  asio::awaitable<void> read_stream(std::shared_ptr<mesos::RecordStream> stream);
  asio::awaitable<void> exchange(HttpRequest request, Endpoint to, HttpResponse* out);
  void note(const json::value& event);
  void match(const json::value& recorded, const std::string& trace);
  void match_offers(const json::value& recorded, const std::string& trace);
  void check_answer(const std::string& trace, const HttpResponse& response);
  json::value translated(const json::value& recorded);
  HttpRequest request_of(const json::value& trace);
  [[nodiscard]] std::string authorization(const std::string& target) const;
  void use_our_offers(json::value& body);
  Resources on_offer(const AgentId& agent);
  void let_offers_settle();

  std::string dir_;
  std::unique_ptr<local::LocalMesos> local_;
  std::map<std::string, std::string> ids_;  // recorded -> ours
  std::string stream_id_;
  std::map<std::string, json::value> offers_;    // ours that are out
  std::shared_ptr<mesos::RecordStream> stream_;  // shared with its reader
  TaskGroup tasks_{loop.io.get_executor()};
};

}  // namespace mysos::conformance
