// SPDX-License-Identifier: Apache-2.0
#include "executor/surroundings.h"

#include <algorithm>
#include <utility>

namespace mysos {

Surroundings::Surroundings(TaskGroup& tasks, std::string probe_dir, Eyes eyes)
    : tasks_(tasks), eyes_(std::move(eyes)), probe_(std::move(probe_dir)), client_(tasks.executor()) {}

void Surroundings::start() { tasks_.spawn("look around", look()); }

asio::awaitable<void> Surroundings::look() {
  for (;;) {
    const std::vector<Peer> peers = eyes_.peers();
    std::erase_if(reached_, [&](const MemberId& m) { return std::ranges::find(peers, m, &Peer::member) == peers.end(); });
    for (const Peer& peer : peers) {
      if (asking_.insert(peer.member).second) tasks_.spawn("ask a peer", ask(peer));
    }
    eyes_.tell(member_input::Contact{eyes_.watched(), reached_});
    eyes_.tell(member_input::VolumeProbed{probe_.trouble()});
    co_await sleep_for(kPeerEvery);
  }
}

asio::awaitable<void> Surroundings::ask(Peer peer) {
  HttpRequest request;
  request.target = "/healthz?member=" + peer.member.value;  // a stranger may listen there
  const auto answer = co_await client_.request({peer.host, peer.api_port}, std::move(request), kPeerDeadline);
  asking_.erase(peer.member);
  if (answer && answer->status == 200) {
    reached_.insert(peer.member);
  } else {
    reached_.erase(peer.member);
  }
}

}  // namespace mysos
