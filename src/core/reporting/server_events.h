// SPDX-License-Identifier: Apache-2.0
#pragma once
// Events about the user's password, a server's accounts and settings, and a member's volume, from the difference between two
// reports.
#include "core/state/member_table.h"

namespace mysos {

inline constexpr Duration kTellRepairAgain = std::chrono::minutes(1);

// Refused if the secrets were made from an older version than the cluster has now.
Result<ClusterId> change_credentials(Ledger& ledger, const Cluster& cluster, const command::ChangeCredentials& in);

// The member lacks secrets, or the user's newest password.
bool lacks_secrets(const Cluster& cluster, const MemberView& view);

// `row` still holds the previous report.
void tell_server_changes(Ledger& ledger, const Cluster& cluster, MemberRow& row, const MemberReport& report, Instant now);

}  // namespace mysos
