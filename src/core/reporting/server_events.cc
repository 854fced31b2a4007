// SPDX-License-Identifier: Apache-2.0
#include "core/reporting/server_events.h"

namespace mysos {
namespace {

std::string listed(const std::vector<std::string>& parts) {
  std::string out;
  for (const std::string& part : parts) out += (out.empty() ? "" : "; ") + part;
  return out;
}

void tell_repairs(Ledger& ledger, const Cluster& cluster, MemberRow& row, const MemberReport& report, Instant now) {
  const MemberReport* before = row.report ? &*row.report : nullptr;
  const bool same_process = before != nullptr && before->executor == report.executor;
  if (same_process && report.repairs > before->repairs) {
    const std::string what = listed(report.repaired);
    // If a client does it over and over, there is one event a minute.
    if (what != row.repaired || now >= row.repair_told + kTellRepairAgain) {
      row.repaired = what;
      row.repair_told = now;
      ledger.event(cluster, report.member, {EventKind::kServerRepaired, "somebody changed its server; repaired: " + what});
    }
  }
  if (!report.tampered.empty() && (before == nullptr || before->tampered != report.tampered)) {
    ledger.event(cluster, report.member,
                 {EventKind::kServerTampered,
                  "somebody changed its server, and it cannot be repaired: " + listed(report.tampered)});
  }
}

void tell_password(Ledger& ledger, const Cluster& cluster, const MemberRow& row, const MemberReport& report) {
  if (!report.password_changed || (row.report && row.report->password_changed)) return;
  ledger.event(cluster, report.member,
               {EventKind::kPasswordChanged, "the user's password was changed in SQL: `mysos credentials` does not know it"});
}

// A disk that is slow again and again makes one event a minute.
void tell_volume(Ledger& ledger, const Cluster& cluster, MemberRow& row, const MemberReport& report, Instant now) {
  const bool trouble = !report.write_trouble.empty();
  if (trouble == row.volume_trouble_told) return;
  if (trouble && row.volume_told && now < *row.volume_told + kTellRepairAgain) return;
  row.volume_trouble_told = trouble;
  row.volume_told = now;
  if (trouble) {
    ledger.event(cluster, report.member,
                 {EventKind::kVolumeNotWritable, "nothing can be written to its volume: " + report.write_trouble});
  } else {
    ledger.event(cluster, report.member, {EventKind::kVolumeWritable, "its volume takes writes again"});
  }
}

void note_credentials(Ledger& ledger, const Cluster& cluster, const MemberReport& report) {
  const bool applied = cluster.epoch.primary == report.member && report.role == MemberRole::kPrimary && report.user_ready &&
                       report.credentials_applied > cluster.credentials_applied &&
                       report.credentials_applied <= cluster.credentials;
  if (!applied) return;
  Cluster& c = ledger.edit(cluster.id);
  c.credentials_applied = report.credentials_applied;
  if (c.credentials_applied == c.credentials) {
    ledger.event(c, report.member, {EventKind::kCredentialsApplied, "the primary has the user's account as it was asked for"});
  }
}

}  // namespace

Result<ClusterId> change_credentials(Ledger& ledger, const Cluster& cluster, const command::ChangeCredentials& in) {
  if (in.after != cluster.credentials) {
    return fail(Errc::kConflict, "the password was changed at the same time; nothing was done");
  }
  Cluster& c = ledger.edit(cluster.id);
  c.sealed_secrets = in.sealed_secrets;
  ++c.credentials;
  if (in.retires) {
    ledger.event(c, {EventKind::kCredentialsRetired, "the user's old password becomes invalid"});
  } else {
    ledger.event(c, {EventKind::kCredentialsRotated,
                     "the user gets another password; the one before stays valid until it is retired"});
  }
  return c.id;
}

bool lacks_secrets(const Cluster& cluster, const MemberView& view) {
  return view.connected && view.report &&
         (!view.report->has_secrets || !view.report->keeps_sealed || view.report->credentials < cluster.credentials);
}

void tell_server_changes(Ledger& ledger, const Cluster& cluster, MemberRow& row, const MemberReport& report, Instant now) {
  tell_repairs(ledger, cluster, row, report, now);
  tell_password(ledger, cluster, row, report);
  tell_volume(ledger, cluster, row, report, now);
  note_credentials(ledger, cluster, report);
}

}  // namespace mysos
