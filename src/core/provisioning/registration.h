// SPDX-License-Identifier: Apache-2.0
#pragma once
// Whether this scheduler is a framework of Mesos, and what it may do when it no longer is. Mesos removes a framework after a
// TEARDOWN, or when its scheduler stays away for longer than the failover timeout: its tasks are ended and its id is never
// taken again; reservations and volumes stay with their labels. The scheduler then only reads, until an operator has it
// registered anew. A scheduler whose framework another one has taken over ends. Volatile but for the ids, which the ledger
// keeps: after a restart the master says again what is the case.
#include <string>

#include "core/state/ledger.h"

namespace mysos {

inline constexpr std::size_t kMaxFormerFrameworks = 1000;

class Registration {
 public:
  explicit Registration(Ledger& ledger) : ledger_(ledger) {}

  // False: the master gave us another id, and nothing is to begin.
  bool on(const mesos::Subscribed& in);
  void on(const mesos::MasterError& in);
  void lost(const std::string& why);
  // As a new framework. kConflict where Mesos has not removed the one there is.
  Status begin_anew();

  [[nodiscard]] bool subscribed() const { return subscribed_; }
  [[nodiscard]] bool removed() const { return standing_ == Standing::kRemoved; }
  [[nodiscard]] bool dismissed() const { return standing_ == Standing::kDismissed; }
  // May decide and change: kUnavailable says why not.
  [[nodiscard]] bool acts() const { return standing_ == Standing::kActs; }
  [[nodiscard]] Status may_act() const;
  // Why it does not act, or why there is no subscription, as far as the master said it.
  [[nodiscard]] const std::string& problem() const { return problem_; }

 private:
  enum class Standing { kActs, kRemoved, kDismissed };
  void dismiss(const std::string& why);

  Ledger& ledger_;
  Standing standing_ = Standing::kActs;
  bool subscribed_ = false;
  std::string problem_;
};

}  // namespace mysos
