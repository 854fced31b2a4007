// SPDX-License-Identifier: Apache-2.0
#include "discovery/routes.h"

#include <arpa/inet.h>

#include <algorithm>

namespace mysos::discovery {
namespace {

struct ApiMember {
  std::string id, host;
  std::uint16_t port = 0, api_port = 0;
};
template <class Io>
void fields(Io& io, ApiMember& m) {
  io.required("id", m.id);
  io.required("host", m.host);
  io.required("port", m.port);
  io.required("api_port", m.api_port);
}
struct ApiEndpoints {
  std::optional<std::string> primary;
};
template <class Io>
void fields(Io& io, ApiEndpoints& e) {
  io("primary", e.primary);
}
struct ApiCluster {
  std::string id, name, state;
  std::uint64_t epoch = 0;
  bool electing = false;
  std::optional<std::string> primary;
  std::vector<ApiMember> members;
  ApiEndpoints endpoints;
};
template <class Io>
void fields(Io& io, ApiCluster& c) {
  io.required("id", c.id);
  io.required("name", c.name);
  io("state", c.state);
  io.required("epoch", c.epoch);
  io.required("electing", c.electing);
  io("primary", c.primary);
  io.required("members", c.members);
  io.required("endpoints", c.endpoints);
}
struct ApiAnswer {
  std::vector<ApiCluster> clusters;
};
template <class Io>
void fields(Io& io, ApiAnswer& a) {
  io.required("clusters", a.clusters);
}

Status check_word(const std::string& word) {
  constexpr std::size_t kMaxWord = 128;
  const bool good = !word.empty() && word.size() <= kMaxWord &&
                    std::ranges::all_of(word, [](unsigned char c) {
                      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                             (c >= '0' && c <= '9') || c == '-' || c == '_';
                    });
  if (good) return {};
  return fail(Errc::kInvalid, "the API told of '" + word + "', which is no name of a cluster or member");
}

Status check_address(const std::string& host) {
  in6_addr buffer{};
  if (::inet_pton(AF_INET, host.c_str(), &buffer) == 1) return {};
  if (::inet_pton(AF_INET6, host.c_str(), &buffer) == 1) return {};
  return fail(Errc::kInvalid, "the API told of a member at '" + host + "', which is no IP address");
}

}  // namespace

Result<std::vector<RoutedCluster>> parse_clusters(const json::value& answer) {
  MYSOS_TRY(const ApiAnswer read, from_json<ApiAnswer>(answer));
  std::vector<RoutedCluster> out;
  for (const ApiCluster& from : read.clusters) {
    MYSOS_TRY_VOID(check_word(from.id));
    MYSOS_TRY_VOID(check_word(from.name));
    RoutedCluster to{.id = from.id, .name = from.name};
    to.reign = {.epoch = from.epoch,
                .electing = from.electing,
                .primary = from.primary.value_or("")};
    to.in_doubt = from.state == "in_doubt";
    for (const ApiMember& m : from.members) {
      MYSOS_TRY_VOID(check_word(m.id));
      const bool placed = !m.host.empty() && m.port != 0;
      if (placed) MYSOS_TRY_VOID(check_address(m.host));
      to.members.push_back(placed ? RoutedMember{m.id, m.host, m.port, m.api_port}
                                  : RoutedMember{.id = m.id});
      if (m.id == to.reign.primary && !to.reign.electing && from.endpoints.primary)
        to.reign.serves = *from.endpoints.primary == to_string(Endpoint{m.host, m.port});
    }
    out.push_back(std::move(to));
  }
  std::ranges::sort(out, {}, &RoutedCluster::name);
  return out;
}

}  // namespace mysos::discovery
