// SPDX-License-Identifier: Apache-2.0
// What HAProxy 2.6.12 said is quoted as it said it.
#include "discovery/haproxy_text.h"

#include <gtest/gtest.h>

namespace mysos::discovery {
namespace {

constexpr auto kStates =
    "1\n"
    "# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight\n"
    "2 s.x.rw 1 m1 127.0.0.1 2 8 1 1 0 15 3 2 6 0 0 0 - 10010 - 0 10011 - - 10011\n"
    "2 s.x.rw 2 m2 127.0.0.1 0 0 1 1 411 17 2 0 6 0 0 0 - 10020 - 0 10021 - - 10021\n"
    "2 s.x.rw 3 hold 127.0.0.1 2 0 1 1 724 1 0 2 0 0 0 0 - 1 - 0 0 - - 0\n"
    "4 s.x.ro 4 m1.primary 127.0.0.1 2 16 1 1 0 1 0 2 0 0 0 0 - 10010 - 0 0 - - 0\n\n";

RoutedCluster cluster() {
  RoutedCluster c{.id = "x", .name = "s", .ports = {100, 101}};
  c.members = {{"m1", "10.0.0.1", 1000, 2000}, {.id = "m2"}};
  return c;
}

TEST(HaProxyText, ServersAreRead) {
  const auto servers = parse_servers(kStates).value();
  EXPECT_EQ(servers.size(), 3U);
  const ServerState& first = servers.at("s.x.rw/m1");
  EXPECT_TRUE(first.up && first.drained && !first.takes_sessions());
  EXPECT_EQ(first.port, 10010);
  EXPECT_EQ(first.check_port, 10011);
  EXPECT_FALSE(servers.at("s.x.rw/m2").up);
  EXPECT_FALSE(parse_servers("Can't find the target PID").has_value());
}

TEST(HaProxyText, AMemberThatANewWorkerDoesNotKnowBeginsDown) {
  const auto servers = parse_servers(render_states(kStates, {cluster()})).value();
  EXPECT_TRUE(servers.at("s.x.rw/m1").up) << "known: as it is";
  const ServerState& fresh = servers.at("s.x.ro/m1");
  EXPECT_FALSE(fresh.up);
  EXPECT_EQ(fresh.port, 1000);
  EXPECT_EQ(fresh.check_port, 2000);
  EXPECT_EQ(parse_servers(render_states("", {cluster()})).value().size(), 4U);
}

TEST(HaProxyText, TheConfigurationHasTwoPortsForEachCluster) {
  const std::string text = render_config({.state_file = "/d/states"}, {cluster()});
  for (const char* part :
       {"frontend s.x.rw\n  bind 127.0.0.1:100\n", "frontend s.x.ro\n  bind 127.0.0.1:101\n",
        "  server m1 10.0.0.1:1000 check port 2000 inter 500ms\n",
        "  server m1.primary 10.0.0.1:1000 backup track s.x.rw/m1\n",
        "  http-check send meth GET uri-lf /replica?max_lag=30&member=%[srv_name] ver HTTP/1.1 hdr Host localhost\n",
        "  http-check send meth GET uri-lf /primary?member=%[srv_name] ver HTTP/1.1 hdr Host localhost\n",
        "  server m2 127.0.0.1:1 check port 1 "}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << "\nis not in\n" << text;
  }
  RoutedCluster no_ports = cluster();
  no_ports.ports = {};
  EXPECT_EQ(render_config({}, {no_ports}).find("frontend"), std::string::npos);
}

TEST(HaProxyText, WorkersAreRead) {
  const Workers workers = parse_workers(
      "#<PID>          <type>          <reloads>       <uptime>        <version>      \n"
      "8303            master          3 [failed: 1]   0d00h01m43s     2.6.12-1+deb12u4\n"
      "# workers\n"
      "12135           worker          1               0d00h00m01s     2.6.12-1+deb12u4\n"
      "# old workers\n"
      "8317            worker          3               0d00h01m42s     2.6.12-1+deb12u4\n"
      "# programs\n\n\n");
  EXPECT_EQ(workers.current, 12135);
  EXPECT_EQ(workers.old, std::vector<long>{8317});
  EXPECT_EQ(workers.failed, 1U);
}

TEST(HaProxyText, WorkersWithoutAUserOfTheirOwnAreWarnedAbout) {
  EXPECT_EQ(worker_user(true).user, "haproxy");
  EXPECT_EQ(worker_user(true).warning, "");
  EXPECT_EQ(worker_user(false).user, "nobody");
  EXPECT_NE(worker_user(false).warning.find("useradd"), std::string::npos);
}

TEST(HaProxyText, OldSessionsAtAServerThatTakesNoneAreCut) {
  const auto servers = parse_servers(kStates).value();
  const auto line = [](const std::string& id, const std::string& backend, const std::string& server) {
    return id + ": proto=tcpv4 src=127.0.0.1:33922 fe=" + backend + " be=" + backend +
           " srv=" + server + " ts=00 epoch=0 age=1s\n";
  };
  const std::string sessions = line("0x1", "s.x.rw", "m1") + line("0x2", "s.x.ro", "m1.primary") +
                               line("0x3", "s.x.rw", "hold") + line("0x4", "gone.y.rw", "m1") +
                               "0x5: proto=sockpair src=unix:1 fe=GLOBAL be=<NONE> srv=<none> ts=00\n";
  EXPECT_EQ(sessions_to_cut(sessions, servers), (std::vector<std::string>{"0x1", "0x4"}));
}

}  // namespace
}  // namespace mysos::discovery
