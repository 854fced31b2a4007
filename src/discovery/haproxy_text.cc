// SPDX-License-Identifier: Apache-2.0
#include "discovery/haproxy_text.h"

#include <fmt/format.h>

#include <charconv>

namespace mysos::discovery {
namespace {

constexpr std::string_view kStatesHead =
    "1\n# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight "
    "srv_iweight srv_time_since_last_change srv_check_status srv_check_result srv_check_health "
    "srv_check_state srv_agent_state bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord "
    "srv_use_ssl srv_check_port srv_check_addr srv_agent_addr srv_agent_port\n";
constexpr std::string_view kHoldServer = "hold";
// A member without a place: nobody listens there.
constexpr std::string_view kNowhere = "127.0.0.1";
constexpr std::uint16_t kNobody = 1;

std::vector<std::string_view> split(std::string_view text, char by) {
  std::vector<std::string_view> out;
  for (std::size_t from = 0; from < text.size();) {
    const std::size_t end = std::min(text.find(by, from), text.size());
    if (end > from) out.push_back(text.substr(from, end - from));
    from = end + 1;
  }
  return out;
}

template <class Number>
Number number(std::string_view text) {
  Number out{};
  std::from_chars(text.data(), text.data() + text.size(), out);
  return out;
}

std::string address(const RoutedMember& m) {
  if (m.port == 0) return fmt::format("{}:{}", kNowhere, kNobody);
  // HAProxy takes what follows the last colon for the port, of an IPv6 address too.
  return fmt::format("{}:{}", m.host, m.port);
}

std::string render_head(const ConfigOptions& o) {
  std::string out =
      "# Written by mysos router; what is changed here is overwritten.\n"
      "global\n"
      "  log stderr format raw daemon notice\n"
      "  noreuseport\n";  // two routers that want one port shall learn of it
  out += fmt::format("  maxconn {}\n  nbthread {}\n  mworker-max-reloads {}\n", o.max_sessions,
                     o.threads, kMaxReloadsSurvived);
  out += fmt::format("  server-state-file {}\n", o.state_file);
  if (!o.user.empty()) out += fmt::format("  user {}\n  group {}\n", o.user, o.group);
  if (!o.jail.empty()) out += fmt::format("  chroot {}\n", o.jail);
  out += fmt::format(
      "defaults\n"
      "  mode tcp\n"
      "  timeout client 24h\n"  // MySQL's own wait_timeout ends idle sessions after 8 hours
      "  timeout server 24h\n"
      "  timeout connect {}ms\n"
      "  timeout check 1s\n"
      "  retries {}\n"
      "  option redispatch 1\n"
      "  option clitcpka\n"
      "  option srvtcpka\n"
      "  load-server-state-from-file global\n"
      "  default-server fastinter 100ms rise 1 fall 2 on-marked-down shutdown-sessions\n",
      to_ms(kConnect), kHold / kConnect);
  return out;
}

std::string render_frontend(const std::string& name, const std::string& listen,
                            std::uint16_t port) {
  return fmt::format("frontend {}\n  bind {}:{}\n  default_backend {}\n", name, listen, port, name);
}

// Servers are named as their members are, and a member's id is that of no other, of no other installation either: a stranger
// that listens where the member should does not pass for it.
std::string render_check(const std::string& path) {
  return fmt::format("  option httpchk\n"
                     "  http-check send meth GET uri-lf {}member=%[srv_name] ver HTTP/1.1 hdr Host localhost\n", path);
}

std::string render_cluster(const ConfigOptions& o, const RoutedCluster& c) {
  const std::string rw = read_write_name(c);
  const std::string ro = read_only_name(c);
  std::string out = render_frontend(rw, o.listen, c.ports.read_write);
  out += fmt::format("backend {}\n  balance first\n{}", rw, render_check("/primary?"));
  for (const RoutedMember& m : c.members) {
    out += fmt::format("  server {} {} check port {} inter 500ms\n", m.id, address(m),
                       m.port == 0 ? kNobody : m.api_port);
  }
  const std::string hold = fmt::format("  server {} {}:{} backup\n", kHoldServer, kNowhere, kNobody);
  out += hold + render_frontend(ro, o.listen, c.ports.read_only);
  out += fmt::format("backend {}\n  balance leastconn\n{}", ro,
                     render_check(fmt::format("/replica?max_lag={}&", o.max_lag_s)));
  for (const RoutedMember& m : c.members) {
    out += fmt::format("  server {} {} check port {} inter 1s\n", m.id, address(m),
                       m.port == 0 ? kNobody : m.api_port);
  }
  for (const RoutedMember& m : c.members)
    out += fmt::format("  server {} {} backup track {}/{}\n", backup_name(m), address(m), rw, m.id);
  return out + hold;
}

}  // namespace

WorkerUser worker_user(bool own) {
  if (own) return {"haproxy", "haproxy", ""};
  return {"nobody", "nogroup",
          "HAProxy runs as nobody, as other programs do: each of these can stop it, and with it all sessions. Make a user for "
          "it (useradd --system --user-group --no-create-home --shell /usr/sbin/nologin haproxy) and restart the router"};
}

// The id keeps two clusters of one name apart that lived one after the other.
std::string read_write_name(const RoutedCluster& c) { return c.name + "." + c.id + ".rw"; }
std::string read_only_name(const RoutedCluster& c) { return c.name + "." + c.id + ".ro"; }
std::string backup_name(const RoutedMember& m) { return m.id + ".primary"; }

std::string render_config(const ConfigOptions& options,
                          const std::vector<RoutedCluster>& clusters) {
  std::string out = render_head(options);
  for (const RoutedCluster& cluster : clusters) {
    if (listens(cluster)) out += render_cluster(options, cluster);
  }
  return out;
}

Result<Servers> parse_servers(std::string_view text) {
  constexpr std::size_t kFields = 22;
  constexpr unsigned kForcedDrain = 0x08;
  if (text.find("be_name") == std::string_view::npos) {
    return fail(Errc::kInternal, "HAProxy does not tell its servers, but says: " +
                                     std::string(text.substr(0, 200)));
  }
  Servers out;
  for (const std::string_view line : split(text, '\n')) {
    const auto field = split(line, ' ');
    if (line.starts_with('#') || field.size() < kFields || field[3] == kHoldServer) continue;
    ServerState state;
    state.host = field[4];
    state.up = number<unsigned>(field[5]) != 0;
    state.drained = (number<unsigned>(field[6]) & kForcedDrain) != 0;
    state.port = number<std::uint16_t>(field[18]);
    state.check_port = number<std::uint16_t>(field[21]);
    out.emplace(fmt::format("{}/{}", field[1], field[3]), std::move(state));
  }
  return out;
}

std::string render_states(const std::string& present, const std::vector<RoutedCluster>& clusters) {
  const auto known = parse_servers(present);
  std::string out = known ? present : std::string(kStatesHead);
  while (out.ends_with('\n')) out.pop_back();
  out += '\n';
  for (const RoutedCluster& c : clusters) {
    for (const std::string& backend : {read_write_name(c), read_only_name(c)}) {
      for (const RoutedMember& m : c.members) {
        if (known && known->contains(backend + "/" + m.id)) continue;
        const bool placed = m.port != 0;
        out += fmt::format("1 {} 1 {} {} 0 0 1 1 0 6 2 0 6 0 0 0 - {} - 0 {} - - 0\n", backend,
                           m.id, placed ? m.host : kNowhere, placed ? m.port : kNobody,
                           placed ? m.api_port : kNobody);
      }
    }
  }
  return out;
}

Workers parse_workers(std::string_view text) {
  Workers out;
  bool old = false;
  for (const std::string_view line : split(text, '\n')) {
    if (line.starts_with("# old workers")) old = true;
    const auto field = split(line, ' ');
    if (line.starts_with('#') || field.size() < 3) continue;
    if (const auto failed = line.find("[failed: "); failed != std::string_view::npos)
      out.failed = number<unsigned>(line.substr(failed + std::string_view("[failed: ").size()));
    if (field[1].find("worker") == std::string_view::npos) continue;
    const long pid = number<long>(field[0]);
    if (old) {
      out.old.push_back(pid);
    } else {
      out.current = pid;
    }
  }
  return out;
}

std::vector<std::string> sessions_to_cut(std::string_view text, const Servers& now) {
  const auto value = [](std::string_view line, std::string_view key) {
    const auto at = line.find(key);
    if (at == std::string_view::npos) return std::string_view();
    const auto rest = line.substr(at + key.size());
    return rest.substr(0, rest.find(' '));
  };
  std::vector<std::string> out;
  for (const std::string_view line : split(text, '\n')) {
    const auto backend = value(line, " be=");
    const auto server = value(line, " srv=");
    if (!line.starts_with("0x") || !(backend.ends_with(".rw") || backend.ends_with(".ro"))) continue;
    if (server.empty() || server == "<none>" || server == kHoldServer) continue;
    const auto at = now.find(fmt::format("{}/{}", backend, server));
    if (at == now.end() || !at->second.takes_sessions())
      out.emplace_back(line.substr(0, line.find(':')));
  }
  return out;
}

}  // namespace mysos::discovery
