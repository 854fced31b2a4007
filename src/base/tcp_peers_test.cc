// SPDX-License-Identifier: Apache-2.0
#include "base/tcp_peers.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/fd.h"

namespace mysos {
namespace {

constexpr std::string_view kHead =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";

TEST(TcpPeers, AreThoseOfThePortThatHoldAConnection) {
  const std::string table = std::string(kHead) +
                            "   0: 0100007F:0D49 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1\n"
                            "   1: 0100007F:0D49 0700000A:A0F0 01 00000000:00000000 00:00000000 00000000     0        0 2\n"
                            "   2: 0100007F:0D49 0100007F:1388 08 00000000:00000000 00:00000000 00000000     0        0 3\n"
                            "   3: 0100007F:0D49 0800000A:1389 06 00000000:00000000 00:00000000 00000000     0        0 4\n"
                            "   4: 0100007F:0D48 0900000A:1390 01 00000000:00000000 00:00000000 00000000     0        0 5\n"
                            "   5: 0700000A:1391 0100007F:0D49 01 00000000:00000000 00:00000000 00000000     0        0 6\n";

  EXPECT_EQ(tcp_peers_in(table, 3401), (TcpPeers{"10.0.0.7:41200", "127.0.0.1:5000"}));
}

TEST(TcpPeers, OfIpv6AreWrittenAsServersDo) {
  const std::string table = std::string(kHead) +
                            "   0: 00000000000000000000000001000000:0D49 000000FD000000000000000007000000:A0F0 01 0\n"
                            "   1: 0000000000000000FFFF00000100007F:0D49 0000000000000000FFFF00000100007F:1388 01 0\n";

  EXPECT_EQ(tcp_peers_in(table, 3401), (TcpPeers{"fd00::7:41200", "127.0.0.1:5000"}));
}

TEST(TcpPeers, NonsenseIsNoPeer) {
  EXPECT_TRUE(tcp_peers_in("", 3401).empty());
  const std::string_view table =
      "a b c d\n1: x 0100007F:0D49 01\n2: 0100007F:0D49 zz:0D49 01\n3: 0100007F:0D49 01007F:0D49 01\n";
  EXPECT_TRUE(tcp_peers_in(table, 3401).empty());
}

TEST(TcpPeers, AreReadFromTheKernel) {
  const auto loopback = [] {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return at;
  };
  const auto port_of = [](const Fd& fd) {
    sockaddr_in at{};
    socklen_t size = sizeof at;
    EXPECT_EQ(::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&at), &size), 0);
    return ntohs(at.sin_port);
  };
  const Fd listening(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in at = loopback();
  ASSERT_EQ(::bind(listening.get(), reinterpret_cast<sockaddr*>(&at), sizeof at), 0);
  ASSERT_EQ(::listen(listening.get(), 1), 0);
  at.sin_port = htons(port_of(listening));
  EXPECT_TRUE(tcp_peers(port_of(listening))->empty());

  const Fd client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(::connect(client.get(), reinterpret_cast<sockaddr*>(&at), sizeof at), 0);

  EXPECT_EQ(*tcp_peers(port_of(listening)), TcpPeers{"127.0.0.1:" + std::to_string(port_of(client))});
}

}  // namespace
}  // namespace mysos
