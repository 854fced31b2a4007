// SPDX-License-Identifier: Apache-2.0
// What a member reports of itself.
#include "core/member/member_core.h"
#include "model/standstill.h"

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
  r.role = role_;
  r.busy = plan_.has_value() || !settled_ || (running_ && !running_->read);
  r.has_secrets = has_secrets_;
  r.crashed = crashed_;
  r.memory_kills = memory_kills_;
  r.server = state_;
  r.amnesiac = promise_.amnesiac;
  r.known = promise_.known;
  r.volume = promise_.volume;
  r.peers = promise_.peers;
  r.reaches = contact_.peers;
  r.isolated = isolated_;
  r.write_trouble = write_trouble_;
  r.source = promise_.source;
  r.problem = isolated_ ? "it reaches neither the scheduler nor most of the members, so it does not serve" : problem_;
  r.port = config_.port;
  r.user_ready = user_ready_;
  r.credentials = config_.credentials;
  r.keeps_sealed = config_.keeps_sealed;
  r.credentials_applied = user_ready_ ? credentials_applied_ : 0;
  r.password_changed = user_ready_ && password_changed_;
  r.tampered = tampered_;
  r.repaired = repaired_;
  r.repairs = repairs_;
  r.generation = promise_.generation;
  r.data_server_id = promise_.server_id;
  r.made_at = promise_.made_at;
  r.needs_copy = needs_copy();
  r.seeding = seeding_;
  r.errant_kept = errant_kept_;
  r.notices = notices_;
  r.events_run = events_run_;
  r.events_trouble = events_trouble_;
  r.logs_reset = promise_.logs_reset;
  r.written_on = written_on_ && role_ == MemberRole::kReplica;
  if (on_another_volume()) r.problem = "its volume is not the one that it had: no server is started on it";
  if (!running_) return r;
  const ServerSnapshot& seen = running_->seen;
  r.incarnation = running_->incarnation;
  r.server_id = running_->server_id;
  r.version = running_->version;
  r.writable = role_ == MemberRole::kPrimary && running_->read && !seen.read_only;
  r.executed = seen.executed;
  r.received = seen.received;
  r.in_flight = seen.in_flight;
  r.binlog_end = seen.binlog_end;
  if (running_->heard) r.received_end = seen.received_end;
  r.receiver_running = seen.receiver_running;
  r.receiver_connected = seen.receiver_connected;
  r.applier_running = seen.applier_running;
  r.applier_restarts = applier_stop_ ? applier_stop_->restarts : 0;
  r.applier_error = seen.applier_error;
  r.receiver_error = seen.receiver_error;
  r.gtid_source = seen.gtid_source;
  r.source_silent_ms = running_->source.told_ms();
  r.receiving = running_->receipt.lasted() < kReceivesWithin;
  r.server_silent_ms = running_->server.told_ms();
  r.acking = role_ == MemberRole::kReplica && promise_.acking && settled_ && seen.receiver_running;
  r.semi_sync_d = seen.semi_sync_d;
  r.semi_sync_clients = seen.semi_sync_clients;
  r.commits_stuck = seen.commits_stuck;
  r.lag_ms = r.server_silent_ms < kServerSilentMs ? seen.lag_ms : -1;  // of a frozen server it is of the time before
  r.applier_stalled_ms = running_->applier.told_ms();
  r.applier_does = running_->wait.does();
  r.applier_waits_for = running_->wait.waits_for();
  r.applier_waits_ms = running_->wait.told_ms(running_->applier.lasted());
  r.binlog_complete = seen.binlog_complete && !promise_.logs_reset && !promise_.renamed;
  r.binlog_gone = seen.binlog_gone;
  if (r.problem.empty() && r.server_silent_ms > 0) r.problem = "mysqld does not answer";
  if (r.problem.empty() && stands_still(r)) r.problem = standstill_text(r);
  // What a primary shows of replication is of the time when it was a replica.
  if (r.problem.empty() && role_ != MemberRole::kPrimary) r.problem = seen.last_error;
  return r;
}

}  // namespace mysos
