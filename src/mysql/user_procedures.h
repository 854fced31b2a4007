// SPDX-License-Identifier: Apache-2.0
#pragma once
// Accounts for a user of MariaDB. CREATE USER reaches every account there, ours too, and a grant on a pattern of databases
// reaches mysql.*: so a user has neither, and calls these procedures instead. They run with the rights of mysos_owner,
// take plain names only, refuse our accounts, the server's and the cluster's user, and databases that are not the user's. Made
// with the user's account, through the binlog. Pure.
#include <string>
#include <string_view>
#include <vector>

namespace mysos::mysql {

inline constexpr std::string_view kProcedureSchema = "mysos";
inline constexpr std::string_view kProcedureForm = "mysos 2";  // the comment of each; another one: they are made again
inline constexpr int kProcedures = 8;

// To be run one by one as `definer` (an SQL account). `user`: the cluster's user.
std::vector<std::string> procedure_sql(const std::string& definer, std::string_view user);

}  // namespace mysos::mysql
