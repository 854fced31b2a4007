// SPDX-License-Identifier: Apache-2.0
#pragma once
// One mysqld: the behaviour of MySQL and MariaDB that matters for elections. Semi-sync
// AFTER_SYNC: a write is in the own binlog (and with that durable, and sent to replicas) before
// anybody acknowledges it. An acknowledgement counts by position: it acknowledges all before it;
// but a replica that connects acknowledges nothing of what it holds. MySQL shows a commit as executed only
// a moment after it was acknowledged. It keeps its data in a Datadir
// that outlives it. It starts read-only, without replication, semi-sync off. Flavours differ in
// what a restart does to the relay log: MySQL keeps it, MariaDB in GTID mode throws it away, also
// whenever both threads stop. A write is durable, and sent, once its disk says so; a server that is
// killed before keeps some of what it had written, a machine without power keeps nothing of it.
// A commit that waits for an acker is in MariaDB's executed set (gtid_binlog_state), and not in
// MySQL's, where only the end of the binlog tells of it.
// SIGTERM acknowledges what waits for an acker; on MariaDB sessions are ended only while no commit
// waits. Sources: docs/mysql.md; findings of the model, C8 and R12.
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "model/server_step.h"
#include "sim/sim_process.h"
#include "sim/sim_volume.h"

namespace mysos::sim {

class SimServer;

// How servers find each other, and who watches what they do.
class ServerWorld {
 public:
  virtual ~ServerWorld() = default;
  virtual SimServer* server_at(const std::string& host, std::uint16_t port) = 0;
  virtual void opened(SimServer& server) = 0;            // lifted read-only
  virtual void begun(SimServer& server, TxnId txn) = 0;  // in the own binlog
  // The client is being told OK, after these have acknowledged.
  virtual void released(SimServer& server, TxnId txn, const std::set<MemberId>& acked_by) = 0;
  virtual void relay_lost(SimServer& server, bool any) = 0;  // a relay log was thrown away
  virtual void destroyed(const VolumeId& id, const SimVolume& volume) = 0;  // by the scheduler's DESTROY
  virtual void throws_away(const ClusterId& cluster, const MemberId& member, const Datadir& data) = 0;  // by an order
  virtual void rebuilt(const ClusterId& cluster, const MemberId& member) = 0;  // its data
};

struct ServerIdentity {
  ClusterId cluster;
  MemberId member;
  std::uint32_t machine = 0;
  Flavour flavour = Flavour::kMysql;
};

// A replica's connection to its source.
struct ReplicaLink {
  SimServer* source = nullptr;
  SimServer* replica = nullptr;
  std::uint64_t replica_life = 0;
  bool acking = false;
  std::shared_ptr<Stream> down = std::make_shared<Stream>();  // shared with what flies
  std::shared_ptr<Stream> up = std::make_shared<Stream>();
  TxnSet held;           // by the replica, when it connected
  std::uint64_t file = 0;  // the source's binlog,
  std::size_t next = 0;    // and where in it
  int missed = 0;        // heartbeats, by the replica
  bool connected = false;
  Instant relay_synced{};  // when all that has come is durable in the relay log
};

class SimServer final : private SimProcess {
 public:
  using Done = std::function<void(std::optional<std::string> failure)>;
  static constexpr Duration kForLong = std::chrono::hours(1);
  SimServer(Sim& sim, ServerWorld& world, ServerIdentity identity, const SimDisk& disk);

  void start(Datadir& data, std::function<void()> up, std::function<void(std::string)> exited);
  void crash(const std::string& how, bool power_lost = false);
  void shutdown();             // SIGTERM
  void freeze(Duration pause);  // SIGSTOP, and SIGCONT after it
  void forget_watcher() { exited_ = {}; }  // its executor has died
  void watch(std::function<void()> up,
             std::function<void(std::string)> exited);  // ... and come back

  void run_step(const ServerStep& step, const Pair& promised, Done done);  // what its executor had promised then
  [[nodiscard]] ServerSnapshot read() const;
  void ensure_user(std::function<void()> ready);
  void write(std::uint64_t write, std::function<void(bool ok)> reply);
  void push_commits();
  // What an administrator does: resets the binary logs (false: not now, a commit is under way), purges them.
  bool reset_logs();
  void purge_logs();
  void lock_applier(bool by_a_reader);  // by its session, which may be ended; else by a transaction that is prepared
  void stop_applier_once();
  // By its executor. What the applier waits for, once the sessions that were in its way are ended.
  struct Waits {
    bool ended = false;  // some sessions
    bool for_lock = false;  // that no session holds
  };
  Waits end_readers();
  void break_applier();  // the next transaction that comes cannot be applied
  void write_locally();  // a statement on the read-only port that is written to the binlog all the same
  void drop_accounts(bool all, bool sessions_too);  // that others replicate with
  // By its executor: restores dropped accounts in their last known state; false: nothing to restore, or the state is unknown.
  bool restore_accounts();
  void end_sessions_of_replicas();
  void end_storm() { crowded_until_ = {}; }
  void take_connections(Duration pause);  // an application has all of them: the executor has a door of its own
  [[nodiscard]] bool replicates() const { return accepting_ && receiver_ && read_only_; }
  [[nodiscard]] bool applier_running() const { return applier_; }
  [[nodiscard]] Duration applies_for() const {
    if (data_ != nullptr && data_->held_lock) return kForLong;  // nobody can tell for how long
    return applying_ ? applies_until_ - sim_.now() : Duration{};
  }
  [[nodiscard]] std::uint32_t commits_waited() const { return static_cast<std::uint32_t>(pending_.size()); }
  [[nodiscard]] std::uint64_t commits_acknowledged() const { return commits_acknowledged_; }

  [[nodiscard]] bool alive() const { return data_ != nullptr; }
  [[nodiscard]] bool accepting() const { return accepting_; }
  [[nodiscard]] bool answering() const { return accepting_ && !freezer_.frozen(); }
  [[nodiscard]] bool writable() const { return accepting_ && !read_only_; }
  [[nodiscard]] const std::string& incarnation() const { return incarnation_; }
  [[nodiscard]] std::uint64_t starts() const { return starts_; }  // each has an incarnation of its own
  [[nodiscard]] const ServerIdentity& identity() const { return identity_; }
  [[nodiscard]] const Datadir* data() const { return data_; }
  [[nodiscard]] bool receiver_running() const { return receiver_; }
  void end_copies() { ++copies_ended_; }
  [[nodiscard]] std::uint64_t copies_ended() const { return copies_ended_; }
  [[nodiscard]] bool waiting_commits() const { return !pending_.empty(); }
  [[nodiscard]] Pair told_under() const { return told_under_; }
  Pair opened_under;  // kept by the checkers
  void show_within(Duration most) { show_most_ = most; }
  void set_apply_delay(Duration low, Duration high) { apply_min_ = low, apply_max_ = high; }

 private:
  struct Pending {  // a commit that waits for acknowledgements
    TxnId txn = 0;
    std::size_t position = 0;  // in the binlog, after it
    std::uint64_t group = 0;   // became durable at once
    std::set<MemberId> acked_by = {};
    bool session = true;  // somebody still waits for the answer
    bool own = false;     // our own session: not the users', never killed
    std::function<void(bool)> reply;
  };
  struct Waiting {  // a step that waits for something
    std::function<bool()> ready;
    Done done;
  };
  [[nodiscard]] Node node() const { return server_node(identity_.machine); }
  [[nodiscard]] bool runs() const override { return true; }  // as long as its life lasts
  TxnId number_own(std::uint64_t write);
  void commit(TxnId txn, bool own, std::function<void(bool)> reply);
  void flush();
  [[nodiscard]] bool no_room() const;
  void lose_unsynced(bool power_lost);
  void lose_unsynced_relay();
  void forget_tail(std::size_t keep);
  void settle_commits();
  void release(Pending& commit);
  [[nodiscard]] GtidSet in_flight() const;
  // A commit is under way.
  [[nodiscard]] bool commits_wait() const { return !pending_.empty() || !flushing_.empty() || !unseen_.empty(); }
  void show_soon(const std::vector<Pending>& commits);
  void hold(TxnId txn, bool applied);
  // replication, as a replica (sim_replication.cc)
  void connect_soon(Duration delay);
  void connect();
  void stop_receiver();
  void end_link();
  void lose_relay();
  void drain(Done done);
  void poke_until(Instant until);
  void point_at(const step::SetSource& to, Done done);
  [[nodiscard]] std::optional<std::string> would_lose_relay(bool may_go) const;
  void received_batch(const std::shared_ptr<ReplicaLink>& link, std::vector<TxnId> txns,
                      std::size_t position);
  void relayed(const std::shared_ptr<ReplicaLink>& link, const std::vector<TxnId>& txns,
               std::size_t position);
  void reached(const std::shared_ptr<ReplicaLink>& link, std::size_t position);
  void watch_link(const std::shared_ptr<ReplicaLink>& link);
  void apply_soon();
  void apply_one();
  [[nodiscard]] bool applier_waits() const { return applier_ && !data_->relay.empty() && (data_->held_lock || reader_lock_); }
  [[nodiscard]] bool named_twice(TxnId txn) const;
  [[nodiscard]] bool all_executed_by_name() const;
  [[nodiscard]] bool knows_names_of(const SimServer& replica) const;
  void start_applier();
  void stop_applier(ReplicationError why);
  // replication, as a source
  void beat(const std::shared_ptr<ReplicaLink>& link);
  void admit(const std::shared_ptr<ReplicaLink>& link);
  void refuse(const std::shared_ptr<ReplicaLink>& link);
  void pump();
  void pump(const std::shared_ptr<ReplicaLink>& link);
  void acknowledged(const std::shared_ptr<ReplicaLink>& link, std::size_t position);
  void drop_shut_out();
  void poke();
  void wait(std::function<bool()> ready, Done done);

  void take(const step::KillClients& s, Done done);
  void take(const step::SetReadOnly& s, Done done);
  void take(const step::SemiSyncSource& s, Done done);
  void take(const step::SemiSyncReplica& s, Done done);
  void take(const step::StopReceiver& s, Done done);
  void take(const step::StopReplication& s, Done done);
  void take(const step::StartReplication& s, Done done);
  void take(const step::ForgetSource& s, Done done);
  void take(const step::ShutOut& s, Done done);
  void take(const step::SetSource& s, Done done);
  void take(const step::RequireExecuted& s, Done done);
  void take(const step::RequireContainedIn& s, Done done);
  void take(const step::AwaitReceived& s, Done done);
  void take(const step::Drain& s, Done done);
  void take(const step::SyncRelayLog& s, Done done);
  void take(const step::StartApplier& s, Done done);
  void take(const step::KeepRelayLog& s, Done done);
  void take(const step::AbandonRelayLog& s, Done done);

  ServerWorld& world_;
  ServerIdentity identity_;
  const SimDisk& disk_;
  Datadir* data_ = nullptr;  // of the volume; null = no process
  std::uint64_t starts_ = 0;
  std::string incarnation_;
  std::function<void()> up_;
  std::function<void(std::string)> exited_;
  bool accepting_ = false;
  bool read_only_ = true;
  bool turning_read_only_ = false;
  std::uint32_t d_ = 0;
  bool semi_sync_replica_ = false;
  bool receiver_ = false;
  bool receiver_acks_ = false;  // it was started with semi-sync on
  bool applier_ = false;
  bool applying_ = false;
  bool reader_lock_ = false;  // a session that reads holds a lock that the applier will want
  bool stopped_once_ = false;
  Instant applies_until_{};
  ReplicationError applier_error_;
  std::uint64_t heard_ = 0;                          // by the receiver: batches and heartbeats
  std::shared_ptr<ReplicaLink> link_;                // shared with what flies; mine, as a replica
  std::vector<std::shared_ptr<ReplicaLink>> dumps_;  // of my replicas
  std::vector<Pending> flushing_;  // not durable yet
  bool syncing_ = false;
  std::uint64_t groups_ = 0;
  bool holding_commits_ = false;  // while sessions are ended
  std::vector<Pending> pending_;
  std::uint64_t commits_acknowledged_ = 0;  // that waited, since it started
  std::vector<TxnId> unseen_;  // let through, and not shown as executed yet (MySQL)
  Instant shown_by_{};
  Duration show_most_ = milliseconds(1);
  std::vector<Waiting> waiting_;
  Pair told_under_;  // promised when the last step was sent
  std::map<MemberId, bool> told_accounts_;  // locked? by the last order to this executor; empty: no order since its start
  Instant crowded_until_{};
  bool binlog_gone_ = false;  // its source refused it
  std::uint64_t copies_ended_ = 0;
  Duration apply_min_ = microseconds(100);
  Duration apply_max_ = milliseconds(2);
};

}  // namespace mysos::sim
