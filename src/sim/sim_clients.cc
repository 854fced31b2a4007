// SPDX-License-Identifier: Apache-2.0
#include "sim/sim_clients.h"

#include <algorithm>

namespace mysos::sim {
namespace {

constexpr Duration kGiveUp = seconds(2);

}  // namespace

SimClients::SimClients(Sim& sim, Truth& truth, Duration think)
    : sim_(sim), truth_(truth), think_(think), prng_(sim.prng.fork()) {}

void SimClients::add_writer(const ClusterId& cluster) {
  Writer w;
  w.cluster = cluster;
  w.node = kClientNode + static_cast<Node>(prng_.below(kClientNodes));
  w.asks = prng_.chance(500);
  writers_.push_back(w);
  turn(writers_.size() - 1);
}

SimExecutor* SimClients::pick(const Writer& w) {
  std::vector<SimExecutor*> mine;
  mine.reserve(truth_.containers().size());
  for (SimExecutor* c : truth_.containers()) {
    if (c->spec().cluster == w.cluster) mine.push_back(c);
  }
  if (std::ranges::find(mine, w.at) != mine.end() && !prng_.chance(50)) return w.at;
  return mine.empty() ? nullptr : mine[prng_.below(mine.size())];
}

void SimClients::turn(std::size_t writer) {
  const ClusterTruth& cluster = truth_.clusters.at(writers_[writer].cluster);
  if (cluster.gone) return;
  Writer& w = writers_[writer];
  const std::uint64_t attempt = ++w.attempt;
  SimExecutor* where = pick(w);
  w.gives_up = sim_.now() + kGiveUp;
  if (!w.watched) watch(writer);
  if (where == nullptr) return;
  if (!w.asks || w.at == where) return write_to(writer, *where);
  sim_.network.send(w.node, where->node(), [this, writer, attempt, where, node = w.node] {
    if (!where->says_primary()) {
      sim_.network.send(where->node(), node,
                        [this, writer, attempt] { finish(writer, attempt, false); });
      return;
    }
    sim_.network.send(where->node(), node, [this, writer, attempt, where] {
      if (writers_[writer].attempt == attempt) write_to(writer, *where);
    });
  });
}

void SimClients::watch(std::size_t writer) {
  writers_[writer].watched = true;
  sim_.after(writers_[writer].gives_up - sim_.now(), [this, writer] {
    Writer& w = writers_[writer];
    w.watched = false;
    if (w.gives_up == kNever) return;
    if (w.gives_up > sim_.now()) return watch(writer);
    finish(writer, w.attempt, false);
  });
}

void SimClients::write_to(std::size_t writer, SimExecutor& where) {
  const Node node = writers_[writer].node;
  const Node server = server_node(where.machine());
  // A datagram may be doubled, a statement on a connection is not.
  const auto sent = std::make_shared<Stream>();  // shared with what flies
  sim_.network.send(sent, node, server,
                    [this, writer, &where, node, server, attempt = writers_[writer].attempt,
                     write = next_write_++] {
                      where.server().write(
                          write, [this, writer, &where, node, server, attempt](bool ok) {
                            sim_.network.send(server, node, [this, writer, &where, attempt, ok] {
                              if (writers_[writer].attempt == attempt)
                                writers_[writer].at = ok ? &where : nullptr;
                              finish(writer, attempt, ok);
                            });
                          });
                    });
}

void SimClients::finish(std::size_t writer, std::uint64_t attempt, bool ok) {
  Writer& w = writers_[writer];
  if (w.attempt != attempt) return;
  ++w.attempt;
  w.gives_up = kNever;
  if (ok) {
    ++told_ok_;
  } else {
    w.at = nullptr;
  }
  sim_.after(ok ? think_ / 2 + Duration(static_cast<Duration::rep>(
                                   prng_.below(static_cast<std::uint64_t>(think_.count()))))
                : milliseconds(20) + Duration(static_cast<Duration::rep>(prng_.below(100000))),
             [this, writer] { turn(writer); });
}

}  // namespace mysos::sim
