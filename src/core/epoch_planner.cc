// SPDX-License-Identifier: Apache-2.0
#include "core/epoch_planner.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"

namespace mysos {
namespace {

// A replica this close to its primary may be named an acker without making anybody wait.
constexpr std::uint64_t kCaughtUp = 100;

class Planner {
 public:
  Planner(const Cluster& cluster, const std::vector<MemberView>& members, const EpochTimes& times, EpochMemory& memory,
          Instant now)
      : cluster_(cluster), record_(cluster.epoch), members_(members), times_(times), memory_(memory), now_(now) {}

  EpochDecision plan() {
    if (memory_.pair.epoch != record_.pair.epoch) memory_ = EpochMemory{};
    memory_.pair = record_.pair;
    if (record_.electing) {
      elect();
    } else if (record_.mode == EpochMode::kVirgin) {
      start_election("bootstrap_started", "the cluster gets its first primary");
    } else {
      keep();
    }
    if (out_.next) {
      out_.orders.clear();
      MYSOS_ASSERT(out_.next->pair > record_.pair, "each record has a pair of its own");
    }
    return std::move(out_);
  }

 private:
  // ---- what is seen ----
  [[nodiscard]] const MemberView* view(const MemberId& id) const {
    for (const MemberView& v : members_) {
      if (v.id == id) return &v;
    }
    return nullptr;
  }
  static bool in_sight(const MemberView& v) { return v.connected && v.report.has_value(); }
  static bool server_up(const MemberView& v) { return in_sight(v) && v.report->server == ServerState::kRunning; }
  // It has promised this election, its receiver was seen stopped after that, and it says what it holds. Such a report
  // stays true when its member falls silent: what it tells is durable, or its loss is told as amnesia.
  [[nodiscard]] bool fenced(const MemberView& v) const {
    return v.report && v.report->promised == record_.pair && v.report->role == MemberRole::kFenced && !v.report->busy &&
           v.report->server == ServerState::kRunning;
  }
  [[nodiscard]] bool settled(const MemberView& v) const {
    return server_up(v) && v.report->promised == record_.pair && !v.report->busy;
  }
  [[nodiscard]] bool follows(const MemberView& v) const {
    return settled(v) && v.report->role == MemberRole::kReplica && v.report->source == record_.primary;
  }
  [[nodiscard]] bool silent(const MemberView& v) const { return settled(v) && !v.report->acking; }
  [[nodiscard]] bool is_primary(const MemberView& v) const { return record_.primary == v.id; }
  [[nodiscard]] std::uint32_t d_in_force() const {
    return record_.mode == EpochMode::kSolo && record_.joining.empty() ? 0 : record_.d;
  }
  [[nodiscard]] bool primary_in_place(const MemberView& p) const {
    return settled(p) && p.report->role == MemberRole::kPrimary && p.report->writable &&
           p.report->semi_sync_d == d_in_force();
  }
  [[nodiscard]] bool should_acknowledge(const MemberId& m) const {
    return (record_.ackers.contains(m) && !record_.leaving.contains(m)) || record_.joining.contains(m);
  }
  [[nodiscard]] std::size_t max_ackers() const {
    const std::size_t others = members_.size() - 1;
    return cluster_.spec.flavour == Flavour::kMariadb ? std::min<std::size_t>(others, 2) : others;
  }
  [[nodiscard]] std::size_t needed() const { return record_.ackers.size() - record_.d + 1; }

  void revisit(Instant at) { out_.revisit = std::min(out_.revisit, at); }
  void wait(std::string what) {
    if (out_.waiting_for.empty()) out_.waiting_for = std::move(what);
  }
  void persist(EpochRecord next, std::string kind, std::string why) {
    out_.next = std::move(next);
    out_.kind = std::move(kind);
    out_.why = std::move(why);
  }
  // A condition that has held for `long_enough`; `since` remembers its begin.
  bool lasted(std::optional<Instant>& since, bool holds, Duration long_enough) {
    if (!holds) {
      since.reset();
      return false;
    }
    if (!since) since = now_;
    if (now_ - *since >= long_enough) return true;
    revisit(*since + long_enough);
    return false;
  }

  // ---- elections ----
  void start_election(std::string kind, std::string why) {
    EpochRecord next = record_;
    next.pair = Pair{record_.pair.epoch + 1, 0};
    next.electing = true;
    next.leaving.clear();
    next.joining.clear();
    persist(std::move(next), std::move(kind), std::move(why));
  }

  void elect() {
    if (!memory_.election_since) memory_.election_since = now_;
    for (const MemberView& v : members_) {
      const bool promised = in_sight(v) && v.report->promised == record_.pair;
      const bool done = promised && (fenced(v) || v.report->server != ServerState::kRunning);
      if (in_sight(v) && !done && v.report->promised <= record_.pair && !still_receives(v)) {
        out_.orders.emplace_back(v.id, order::Fence{record_.pair});
      }
    }
    if (record_.mode == EpochMode::kVirgin) {
      elect_first();
    } else if (const MemberView* chosen = choose()) {
      install(*chosen);
    }
  }

  // In a switchover the old primary is quieted first, and the replicas receive the rest of what it wrote before they are
  // fenced: fenced at once, another might hold a write that the target lacks. Bounded: then everybody is fenced.
  bool still_receives(const MemberView& v) {
    if (!cluster_.switchover_to || !record_.primary || is_primary(v)) return false;
    const MemberView* p = view(*record_.primary);
    if (p == nullptr || !server_up(*p) || now_ - *memory_.election_since >= times_.target_wait) return false;
    revisit(*memory_.election_since + times_.target_wait);
    return !fenced(*p) || (server_up(v) && v.report->receiver_connected && !v.report->received.contains(p->report->executed));
  }

  // Nothing was ever acknowledged: anybody may begin. All of them are waited for, so that nobody begins alone.
  void elect_first() {
    std::size_t ready = 0;
    const MemberView* first = nullptr;
    for (const MemberView& v : members_) {
      if (!fenced(v) || !v.connected) continue;
      ++ready;
      if (first == nullptr || v.report->executed.count() > first->report->executed.count()) first = &v;
    }
    if (first != nullptr && !memory_.first_ready) memory_.first_ready = now_;
    const bool all = ready == members_.size();
    const bool waited = memory_.first_ready && now_ - *memory_.first_ready >= times_.bootstrap_wait;
    if (first != nullptr && (all || waited)) return install(*first);
    if (memory_.first_ready && !waited) revisit(*memory_.first_ready + times_.bootstrap_wait);
    wait("its members to start: " + std::to_string(ready) + " of " + std::to_string(members_.size()) + " are ready");
  }

  // Rules R8 and R10 (docs/architecture.md): who is complete, and how that is known.
  const MemberView* choose() {
    GtidSet by_ackers;
    GtidSet by_primary;
    std::size_t counting = 0;
    bool primary_reported = false;
    for (const MemberView& v : members_) {
      if (!fenced(v)) continue;
      if (record_.ackers.contains(v.id)) {
        by_ackers = by_ackers.united(v.report->received);
        if (!v.report->amnesiac) ++counting;
      }
      if (is_primary(v)) {
        by_primary = v.report->received;
        primary_reported = true;
      }
    }
    const bool quorum = record_.mode == EpochMode::kNormal && !record_.ackers.empty() && counting >= needed();
    if (!quorum && !primary_reported) {
      wait(record_.mode == EpochMode::kSolo
               ? "the old primary: it served alone, so only its own log is complete"
               : std::to_string(needed() - counting) + " more acker(s), or the old primary, to report what they hold");
      return nullptr;
    }
    const MemberView* best = nullptr;
    for (const MemberView& v : members_) {
      if (!fenced(v) || !v.connected || !v.report->executed.contains(record_.floor)) continue;
      const bool complete = (quorum && v.report->executed.contains(by_ackers)) ||
                            (primary_reported && v.report->executed.contains(by_primary));
      if (complete && (best == nullptr || better(v, *best))) best = &v;
    }
    if (best == nullptr) {
      wait("a fenced member to have executed everything that was acknowledged");
      return nullptr;
    }
    return stragglers(*best) ? nullptr : best;
  }

  [[nodiscard]] bool better(const MemberView& a, const MemberView& b) const {
    const bool a_target = cluster_.switchover_to == a.id;
    const bool b_target = cluster_.switchover_to == b.id;
    if (a_target != b_target) return a_target;
    return a.report->executed.count() > b.report->executed.count();
  }

  // Whether somebody is worth a short wait: the target of a switchover, or a member that is about to be fenced.
  bool stragglers(const MemberView& best) {
    const Duration passed = now_ - *memory_.election_since;
    if (cluster_.switchover_to && cluster_.switchover_to != best.id && passed < times_.target_wait) {
      const MemberView* target = view(*cluster_.switchover_to);
      if (target != nullptr && server_up(*target)) {
        revisit(*memory_.election_since + times_.target_wait);
        wait("the target of the switchover to have executed everything");
        return true;
      }
    }
    const bool some = std::ranges::any_of(members_, [&](const MemberView& v) { return server_up(v) && !fenced(v); });
    if (some && passed < times_.stragglers_wait) {
      revisit(*memory_.election_since + times_.stragglers_wait);
      return true;
    }
    return false;
  }

  void install(const MemberView& chosen) {
    EpochRecord next;
    next.pair = Pair{record_.pair.epoch, 1};
    next.primary = chosen.id;
    next.floor = chosen.report->executed;
    std::vector<const MemberView*> able;
    for (const MemberView& v : members_) {
      if (v.id == chosen.id) continue;
      if (!fenced(v)) {
        next.shut_out.insert(v.id);
      } else if (v.connected && next.floor.contains(v.report->received)) {
        able.push_back(&v);
      }
    }
    std::ranges::sort(able, [](const MemberView* a, const MemberView* b) {
      const auto has = [](const MemberView* v) { return v->report->received.count(); };
      return has(a) != has(b) ? has(a) > has(b) : a->id < b->id;
    });
    for (const MemberView* v : able) {
      if (next.ackers.size() < max_ackers()) next.ackers.insert(v->id);
    }
    next.mode = next.ackers.empty() ? EpochMode::kSolo : EpochMode::kNormal;
    next.d = wanted_d(cluster_.spec.flavour, next.ackers.size());
    std::string kind = "primary_chosen";
    if (cluster_.switchover_to) kind = cluster_.switchover_to == chosen.id ? "switchover_done" : "switchover_failed";
    persist(std::move(next), std::move(kind),
            chosen.id.value + " has executed everything that was acknowledged" +
                (able.empty() && members_.size() > 1 ? "; it serves alone until a replica follows" : ""));
  }

  // ---- between elections ----
  void keep() {
    const MemberView* p = view(*record_.primary);
    MYSOS_ASSERT(p != nullptr, "the recorded primary is a member");
    if (evidence(*p)) return;
    if (switchover(*p)) return;
    if (primary_in_place(*p) && reconfigure(*p)) return;
    order_primary(*p);
    for (const MemberView& v : members_) {
      if (!is_primary(v)) order_replica(*p, v);
    }
  }

  // Enough ackers are there to end an election that begins now without the old primary.
  [[nodiscard]] bool replaceable() const {
    if (record_.mode != EpochMode::kNormal) return false;
    const auto ready = std::ranges::count_if(members_, [&](const MemberView& v) {
      return record_.ackers.contains(v.id) && server_up(v) && !v.report->amnesiac;
    });
    return static_cast<std::size_t>(ready) >= needed();
  }

  // Whether the primary has failed. Wrong evidence costs a switch, never a write.
  bool evidence(const MemberView& p) {
    const bool acker_receives = std::ranges::any_of(members_, [&](const MemberView& v) {
      return !is_primary(v) && server_up(v) && v.report->receiver_connected && v.report->source == record_.primary;
    });
    std::string why;
    if (in_sight(p) && p.report->crashed) why = "its mysqld has ended: " + p.report->problem;
    if (p.task_ended && !p.connected && !acker_receives) why = "its task has ended";
    const bool quiet = lasted(memory_.silent_since, !in_sight(p), times_.suspect_after);
    if (why.empty() && quiet && !acker_receives) why = "nothing is heard of it, and no replica receives from it";
    const bool down = lasted(memory_.not_serving_since, in_sight(p) && !server_up(p), times_.not_serving_after);
    if (why.empty() && down) why = "its server does not come up";
    if (why.empty()) {
      if (!in_sight(p)) wait("news of the primary " + p.id.value);
      return false;
    }
    if (!replaceable()) {
      wait(record_.mode == EpochMode::kSolo
               ? "the primary " + p.id.value + " to come back: it served alone, so only its own log is complete"
               : "the primary " + p.id.value + ", or enough of its ackers, to come back");
      return false;
    }
    start_election("failover_started", p.id.value + " is replaced: " + why);
    return true;
  }

  bool switchover(const MemberView& p) {
    if (!cluster_.switchover_to || cluster_.switchover_to == record_.primary) return false;
    const MemberView* target = view(*cluster_.switchover_to);
    if (target == nullptr || !follows(*target) || !target->report->receiver_connected || !primary_in_place(p)) {
      wait("the target of the switchover to follow the primary");
      return false;
    }
    start_election("switchover_started", "an operator asked for " + target->id.value);
    return true;
  }

  // One careful change of the record at a time, each only while the primary serves at the record that is.
  bool reconfigure(const MemberView& p) {
    return let_in() || add_acker(p) || recertify() || enter_solo(p) || leave_solo(p);
  }

  EpochRecord next_config() const {
    EpochRecord next = record_;
    ++next.pair.config;
    return next;
  }

  // Shut out until it has promised this epoch as silent: then it may follow.
  bool let_in() {
    for (const MemberView& v : members_) {
      if (!record_.shut_out.contains(v.id) || !silent(v) || !follows(v)) continue;
      EpochRecord next = next_config();
      next.shut_out.erase(v.id);
      persist(std::move(next), "member_let_in", v.id.value + " has promised this epoch and may follow");
      return true;
    }
    return false;
  }

  [[nodiscard]] bool caught_up(const MemberView& p, const MemberView& v) const {
    return v.report->receiver_connected && p.report->executed.minus(v.report->received).count() <= kCaughtUp;
  }
  // Follows silently at the present record, so it may be named; what it holds came from this primary in this epoch.
  [[nodiscard]] bool nameable(const MemberView& v) const {
    return !is_primary(v) && follows(v) && silent(v) && !record_.shut_out.contains(v.id);
  }

  bool add_acker(const MemberView& p) {
    if (record_.mode != EpochMode::kNormal || !record_.leaving.empty() || record_.ackers.size() >= max_ackers()) {
      return false;
    }
    for (const MemberView& v : members_) {
      if (record_.ackers.contains(v.id) || !nameable(v) || !caught_up(p, v)) continue;
      EpochRecord next = next_config();
      next.ackers.insert(v.id);
      persist(std::move(next), "acker_added", v.id.value + " follows closely and acknowledges from now on");
      return true;
    }
    return false;
  }

  // An amnesiac needs a read of the primary that is later than its restart: the next config proves that.
  bool recertify() {
    bool needed_one = false;
    for (const MemberView& v : members_) {
      if (!follows(v) || !v.report->amnesiac) {
        memory_.amnesiacs.erase(v.id);
        continue;
      }
      auto& known = memory_.amnesiacs[v.id];
      if (known.first == v.report->incarnation) continue;
      known = {v.report->incarnation, record_.pair};
      needed_one = true;
    }
    if (!needed_one) return false;
    persist(next_config(), "certification_started", "a restarted replica may have lost relay log: it is checked again");
    return true;
  }

  bool enter_solo(const MemberView& p) {
    const bool joining = record_.mode == EpochMode::kSolo && !record_.joining.empty();
    if (record_.mode != EpochMode::kNormal && !joining) {
      memory_.no_acker_since.reset();
      return false;
    }
    const bool nobody = p.report->semi_sync_clients < record_.d;
    if (nobody) wait("a replica to acknowledge writes");
    if (!lasted(memory_.no_acker_since, nobody, times_.solo_after)) return false;
    memory_.no_acker_since.reset();
    EpochRecord next = next_config();
    next.mode = EpochMode::kSolo;
    next.ackers.clear();
    next.leaving.clear();
    next.joining.clear();
    next.shut_out.clear();
    persist(std::move(next), "solo_entered", "no replica acknowledges: " + p.id.value + " goes on alone");
    return true;
  }

  bool leave_solo(const MemberView& p) {
    if (record_.mode != EpochMode::kSolo) return false;
    if (!record_.joining.empty()) return finish_leaving_solo(p);
    EpochRecord next = next_config();
    for (const MemberView& v : members_) {
      if (next.joining.size() < max_ackers() && nameable(v) && caught_up(p, v)) next.joining.insert(v.id);
    }
    if (next.joining.empty()) return false;
    next.d = wanted_d(cluster_.spec.flavour, next.joining.size());
    for (const MemberView& v : members_) {
      if (!is_primary(v) && !next.joining.contains(v.id)) next.shut_out.insert(v.id);
    }
    persist(std::move(next), "solo_leaving", std::to_string(next.joining.size()) + " replica(s) are to acknowledge again");
    return true;
  }

  // The primary has confirmed that it waits again and whom it shuts out; what it had executed then is held by d of those
  // who acknowledge.
  bool finish_leaving_solo(const MemberView& p) {
    const auto complete = std::ranges::count_if(members_, [&](const MemberView& v) {
      return record_.joining.contains(v.id) && follows(v) && v.report->acking && v.report->receiver_connected &&
             v.report->received.contains(p.report->executed);
    });
    if (static_cast<std::size_t>(complete) < record_.d) {
      wait("a joining replica to have everything");
      return false;
    }
    EpochRecord next = next_config();
    next.mode = EpochMode::kNormal;
    next.ackers = record_.joining;
    next.joining.clear();
    persist(std::move(next), "solo_left", "writes are acknowledged by a replica again");
    return true;
  }

  // ---- orders that bring a member to the record ----
  void order_primary(const MemberView& p) {
    if (!server_up(p) || p.report->promised > record_.pair || primary_in_place(p)) return;
    order::Promote o;
    o.pair = record_.pair;
    o.d = d_in_force();
    o.floor = record_.floor;
    o.shut_out = record_.shut_out;
    for (const MemberView& v : members_) {
      if (v.id != p.id) o.replicas.insert(v.id);
    }
    out_.orders.emplace_back(p.id, std::move(o));
    wait("the primary " + p.id.value + " to open");
  }

  void order_replica(const MemberView& p, const MemberView& v) {
    if (!server_up(v) || !p.report || v.report->promised > record_.pair) return;
    const MemberReport& r = *v.report;
    const bool acking = should_acknowledge(v.id);
    if (follows(v) && r.acking == acking && r.receiver_running) {
      certify(p, v);
      memory_.errant_since.erase(v.id);
      return;
    }
    const bool contained = p.report->executed.contains(r.received);
    if (settled(v) && r.role == MemberRole::kErrant && !contained) return errant(p, v);
    order::Follow o;
    o.pair = record_.pair;
    o.source = p.id;
    o.host = p.host;
    o.port = p.port;
    o.acking = acking;
    o.source_executed = p.report->executed;
    out_.orders.emplace_back(v.id, std::move(o));
  }

  void certify(const MemberView& p, const MemberView& v) {
    const auto known = memory_.amnesiacs.find(v.id);
    if (!v.report->amnesiac || known == memory_.amnesiacs.end()) return;
    const bool later = settled(p) && known->second.second < record_.pair && known->second.first == v.report->incarnation;
    if (!later || !v.report->received.contains(p.report->executed)) return;
    out_.orders.emplace_back(v.id, order::Certify{record_.pair, v.report->incarnation, p.report->executed});
  }

  // It holds what the primary lacks, so nobody was ever told that those writes are safe. Its data are made anew.
  void errant(const MemberView& p, const MemberView& v) {
    const auto [since, is_new] = memory_.errant_since.try_emplace(v.id, now_);
    const std::string extra = v.report->received.minus(p.report->executed).to_string();
    wait(v.id.value + ": it holds transactions that were never acknowledged (" + extra + ")");
    if (should_acknowledge(v.id) || record_.ackers.contains(v.id) || !primary_in_place(p)) return;
    if (!p.report->binlog_complete) return;
    if (now_ - since->second < times_.rebuild_after) return revisit(since->second + times_.rebuild_after);
    out_.orders.emplace_back(v.id, order::Rebuild{record_.pair});
  }

  const Cluster& cluster_;
  const EpochRecord& record_;
  const std::vector<MemberView>& members_;
  const EpochTimes& times_;
  EpochMemory& memory_;
  const Instant now_;
  EpochDecision out_;
};

}  // namespace

std::uint32_t wanted_d(Flavour flavour, std::size_t ackers) {
  if (flavour == Flavour::kMariadb || ackers <= 2) return 1;  // MariaDB acknowledges on one
  return static_cast<std::uint32_t>(ackers / 2);
}

EpochDecision plan_epoch(const Cluster& cluster, const std::vector<MemberView>& members, const EpochTimes& times,
                         EpochMemory& memory, Instant now) {
  return Planner(cluster, members, times, memory, now).plan();
}

}  // namespace mysos
