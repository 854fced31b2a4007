// SPDX-License-Identifier: Apache-2.0
#include "api/answers.h"
#include "api/cluster_json.h"
#include "api/create_request.h"
#include "base/clock.h"

namespace mysos {
namespace {

struct EventRange {
  std::optional<std::uint64_t> after;
  std::uint64_t limit = 200;
};

Result<EventRange> parse_range(const HttpRequest& request) {
  EventRange range;
  constexpr std::uint64_t kMostSeq = std::uint64_t{1} << 62;
  if (const auto after = request.query.find("after"); after != request.query.end()) {
    MYSOS_TRY(range.after, parse_number(after->second, "after", kMostSeq));
  }
  // A browser that connects again says what it has seen.
  if (const auto last = request.headers.get("Last-Event-ID"); !last.empty()) {
    MYSOS_TRY(range.after, parse_number(last, "Last-Event-ID", kMostSeq));
  }
  if (const auto limit = request.query.find("limit"); limit != request.query.end()) {
    MYSOS_TRY(range.limit, parse_number(limit->second, "limit", kMaxEventsPerAnswer));
  }
  return range;
}

std::string sse_text(const StoredEvent& event) {
  return "id: " + std::to_string(event.seq) + "\ndata: " + json::serialize(event_json(event)) +
         "\n\n";
}

// With `after`: what follows it, oldest first. Without: the newest.
asio::awaitable<Answer> list(Control& control, const HttpRequest& request, std::optional<ClusterId> cluster) {
  const auto range = parse_range(request);
  if (!range) co_return problem_response(range.error());
  if (range->limit == 0)
    co_return problem_response(Error{Errc::kInvalid, "limit must be 1 to 1000", "limit"});
  EventQuery query{.limit = range->limit};
  if (const auto id = request.query.find("cluster_id"); id != request.query.end()) cluster = ClusterId(id->second);
  if (cluster) query.cluster = cluster->value;
  const std::uint64_t last = control.last_event_seq();
  query.after_seq =
      range->after.value_or(!cluster && last > range->limit ? last - range->limit : 0);
  std::vector<StoredEvent> found;
  while (true) {
    auto page = co_await control.events(query);
    if (!page) co_return problem_response(page.error());
    const bool full = page->size() == query.limit;
    found.insert(found.end(), std::make_move_iterator(page->begin()),
                 std::make_move_iterator(page->end()));
    if (range->after || !full) break;
    query.after_seq = found.back().seq;
    query.limit = kMaxEventsPerAnswer;
    if (found.size() > range->limit) {
      found.erase(found.begin(), found.end() - static_cast<std::ptrdiff_t>(range->limit));
    }
  }
  if (found.size() > range->limit) {
    found.erase(found.begin(), found.end() - static_cast<std::ptrdiff_t>(range->limit));
  }
  json::array all;
  for (const StoredEvent& event : found) all.push_back(event_json(event));
  co_return json_answer(200, json::object{{"events", std::move(all)}});
}

asio::awaitable<Answer> stream(ApiParts& api, const ApiCall& call) {
  Control& control = api.control;
  HttpExchange& exchange = call.exchange;
  const auto range = parse_range(call.request);
  if (!range) co_return problem_response(range.error());
  if (api.event_streams >= kMaxEventStreams) {
    co_return problem_response(Error{Errc::kUnavailable, "64 event streams are open, no more are served", {}});
  }
  struct Counted {
    std::size_t& count;
    explicit Counted(std::size_t& c) : count(c) { ++count; }
    ~Counted() { --count; }
  } counted(api.event_streams);

  EventQuery query{.after_seq = range->after.value_or(control.last_event_seq())};
  const HttpHeaders headers{{"Content-Type", "text/event-stream"}, {"Cache-Control", "no-store"}};
  if (!co_await exchange.start_stream(200, headers)) co_return std::nullopt;
  if (!co_await exchange.write_chunk(": events of Mysos\n\n")) co_return std::nullopt;
  Instant heard = steady_now();
  while (!exchange.closed()) {
    std::string text;
    if (control.last_event_seq() > query.after_seq) {
      const auto page = co_await control.events(query);
      if (!page) co_return std::nullopt;  // cut short: the client comes back with Last-Event-ID
      for (const StoredEvent& event : *page) text += sse_text(event);
      query.after_seq = page->empty() ? control.last_event_seq() : page->back().seq;
    }
    if (text.empty() && steady_now() - heard >= kEventKeepalive) text = ": still here\n\n";
    if (text.empty()) {
      co_await control.changed().wait_for(kEventKeepalive);
      continue;
    }
    if (!co_await exchange.write_chunk(std::move(text))) co_return std::nullopt;
    heard = steady_now();
  }
  co_return std::nullopt;
}

asio::awaitable<Answer> events(ApiParts& api, const ApiCall& call) {
  if (call.request.headers.get("Accept").find("text/event-stream") != std::string_view::npos) return stream(api, call);
  return list(api.control, call.request, std::nullopt);
}

// The events of a cluster outlive it.
asio::awaitable<Answer> cluster_events(ApiParts& api, const ApiCall& call) {
  const auto cluster = co_await api.control.newest_named(call.name);
  if (!cluster) co_return problem_response(cluster.error());
  if (cluster->empty()) co_return problem_response(no_cluster(call.name, api.control.clusters()));
  co_return co_await list(api.control, call.request, *cluster);
}

}  // namespace

std::vector<Operation> event_operations() {
  return {{"listClusterEvents", "GET", "/v1/clusters/{name}/events", Scope::kToken, cluster_events},
          {"listEvents", "GET", "/v1/events", Scope::kToken, events}};
}

}  // namespace mysos
