// SPDX-License-Identifier: Apache-2.0
// What a member reports of itself.
#include "core/member/member_core.h"
#include "model/stalled_applier.h"

namespace mysos {

MemberReport MemberCore::report() const {
  MemberReport r;
  r.member = config_.member;
  r.task = config_.task;
  r.seq = ++seq_;
  r.executor = config_.executor;
  r.promised = promise_.pair;
  r.led = led_by(promise_);
  r.led_kept = promise_.led_kept;
  const Running* const s = server();
  r.role = s != nullptr ? s->role : role_at_rest();
  r.busy = s == nullptr || s->plan || !s->settled || !s->read;
  r.has_secrets = has_secrets_;
  r.crashed = crashed_ && s == nullptr;
  r.memory_kills = memory_kills_;
  r.server = state_of(life_);
  r.amnesiac = promise_.amnesiac;
  r.known = promise_.known;
  r.volume = promise_.volume;
  r.peers = promise_.peers;
  r.reaches = contact_.peers;
  r.write_trouble = write_trouble_;
  r.source = promise_.source;
  r.problem = problem_;
  r.port = config_.port;
  r.credentials = config_.credentials;
  r.keeps_sealed = config_.keeps_sealed;
  r.repaired = repaired_;
  r.repairs = repairs_;
  r.generation = promise_.generation;
  r.data_server_id = promise_.server_id;
  r.made_at = promise_.made_at;
  r.names_from = promise_.names_from;
  r.needs_copy = needs_copy();
  r.seeding = seeding_;
  r.errant_kept = errant_kept_;
  r.notices = notices_;
  r.logs_reset = promise_.logs_reset;
  if (s != nullptr && s->isolated) r.problem = "it reaches neither the scheduler nor most of the members, so it does not serve";
  if (on_another_volume()) r.problem = "its volume is not its former volume, so no server is started on it";
  if (s != nullptr) report_server(*s, r);
  return r;
}

// Of the server that serves, or served until it was stopped.
void MemberCore::report_server(const Running& s, MemberReport& r) const {
  const ServerSnapshot& seen = s.seen;
  r.isolated = s.isolated;
  r.user_ready = s.user_ready;
  r.credentials_applied = s.user_ready ? s.credentials_applied : 0;
  r.password_changed = s.user_ready && s.password_changed;
  r.tampered = s.tampered;
  r.events_run = s.events_run;
  r.events_trouble = s.events_trouble;
  r.written_on = data_.written_on && s.role == MemberRole::kReplica;
  r.incarnation = s.incarnation;
  r.server_id = s.server_id;
  r.version = s.version;
  r.writable = s.role == MemberRole::kPrimary && s.read && !seen.read_only;
  r.executed = seen.executed;
  r.received = seen.received;
  r.in_flight = seen.in_flight;
  r.binlog_end = seen.binlog_end;
  if (s.heard) r.received_end = seen.received_end;
  r.receiver_running = seen.receiver_running;
  r.receiver_connected = seen.receiver_connected;
  r.applier_running = seen.applier_running;
  r.applier_restarts = data_.applier_stop ? data_.applier_stop->restarts : 0;
  r.applier_error = seen.applier_error;
  r.receiver_error = seen.receiver_error;
  r.gtid_source = seen.gtid_source;
  r.source_silent_ms = s.source.told_ms();
  r.receiving = s.receipt.lasted() < kReceivesWithin;
  r.server_silent_ms = s.server.told_ms();
  r.acking = s.role == MemberRole::kReplica && promise_.acking && s.settled && seen.receiver_running;
  r.semi_sync_d = seen.semi_sync_d;
  r.semi_sync_clients = seen.semi_sync_clients;
  r.commits_stuck = seen.commits_stuck;
  r.lag_ms = r.server_silent_ms < kServerSilentMs ? seen.lag_ms : -1;  // of a frozen server it is of the time before
  r.applier_stalled_ms = s.applier.told_ms();
  r.applier_does = s.wait.does();
  r.applier_waits_for = s.wait.waits_for();
  r.applier_waits_ms = s.wait.told_ms(s.applier.lasted());
  r.binlog_complete = seen.binlog_complete && !promise_.logs_reset && !promise_.renamed;
  r.binlog_gone = s.refused.has_value();
  if (r.problem.empty() && r.server_silent_ms > 0) r.problem = "mysqld does not answer";
  if (r.problem.empty() && is_stalled(r)) r.problem = stall_text(r);
  // What a primary shows of replication is of the time when it was a replica.
  if (r.problem.empty() && s.role != MemberRole::kPrimary) r.problem = seen.last_error;
}

}  // namespace mysos
