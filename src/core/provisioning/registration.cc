// SPDX-License-Identifier: Apache-2.0
#include "core/provisioning/registration.h"

#include <utility>

namespace mysos {

bool Registration::on(const mesos::Subscribed& in) {
  const auto& known = ledger_.state().framework;
  if (known && *known != in.framework) {
    dismiss("the master gave this framework another id (" + in.framework.value + ", not " + known->value + ")");
    return false;
  }
  if (!known) {
    const std::size_t former = ledger_.state().former.size();
    ledger_.set_framework(in.framework);
    const std::string adopts =
        former == 0 ? "" : "; what carries the label of " + std::to_string(former) + " former one(s) is ours too";
    ledger_.event({EventKind::kFrameworkRegistered, "this framework is " + in.framework.value + adopts});
  }
  standing_ = Standing::kActs;  // a master that has forgotten the removal takes the framework back
  subscribed_ = true;
  problem_.clear();
  ledger_.open_calls(true);
  ledger_.event({EventKind::kMasterConnected, "subscribed to master " + in.master_id});
  return true;
}

void Registration::on(const mesos::MasterError& in) {
  if (in.message.find("failed over") != std::string::npos) return dismiss("the master says: " + in.message);
  lost("the master says: " + in.message);
  const auto& known = ledger_.state().framework;
  if (in.message.find("removed") == std::string::npos || !known || standing_ != Standing::kActs) return;
  standing_ = Standing::kRemoved;
  problem_ = "Mesos has removed this framework, so nothing can be started or changed; the volumes with the data are kept on "
             "the agents. `mysos register` registers a new framework, which starts the databases on their volumes again";
  ledger_.event({EventKind::kFrameworkRemoved, known->value + ": " + problem_});
}

void Registration::lost(const std::string& why) {
  ledger_.open_calls(false);
  if (acts()) problem_ = why;
  if (std::exchange(subscribed_, false)) ledger_.event({EventKind::kMasterDisconnected, why});
}

// Somebody else acts for this framework now, or nobody may: whatever this process did could only do harm.
void Registration::dismiss(const std::string& why) {
  lost(why);
  standing_ = Standing::kDismissed;
  problem_ = why + "; this scheduler acts no more";
  ledger_.event({EventKind::kFrameworkDismissed, problem_});
}

Status Registration::begin_anew() {
  if (dismissed()) return may_act();
  const auto& known = ledger_.state().framework;
  if (!removed() || !known) {
    const std::string now = known ? "is registered with Mesos as " + known->value : "is being registered with Mesos";
    return fail(Errc::kConflict, "this framework " + now + "; there is nothing to do");
  }
  if (ledger_.state().former.size() >= kMaxFormerFrameworks) {
    return fail(Errc::kTooLarge, "Mesos has removed " + std::to_string(kMaxFormerFrameworks) +
                                     " frameworks of this scheduler, the most that it remembers");
  }
  ledger_.event({EventKind::kFrameworkRetired, "a new framework is registered in place of " + known->value});
  ledger_.retire_framework();
  standing_ = Standing::kActs;
  problem_.clear();
  ledger_.resubscribe();
  return {};
}

Status Registration::may_act() const {
  return acts() ? Status() : fail(Errc::kUnavailable, problem_);
}

}  // namespace mysos
