// SPDX-License-Identifier: Apache-2.0
#pragma once
// The user's password, and what executors say of their server's accounts and settings and of their volume: from one report to
// the next.
#include "core/state/member_table.h"

namespace mysos {

inline constexpr Duration kTellRepairAgain = std::chrono::minutes(1);

// Refused where the secrets were made from others than the cluster has now.
Result<ClusterId> change_credentials(Ledger& ledger, const Cluster& cluster, const command::ChangeCredentials& in);

// It has none, or not the user's newest password.
bool lacks_secrets(const Cluster& cluster, const MemberView& view);

// `row` still holds the report before.
void tell_server_changes(Ledger& ledger, const Cluster& cluster, MemberRow& row, const MemberReport& report, Instant now);

}  // namespace mysos
