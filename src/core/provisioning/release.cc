// SPDX-License-Identifier: Apache-2.0
#include "core/provisioning/release.h"

#include <utility>

namespace mysos {
namespace {

using mesos::OperationState;

}  // namespace

Release::Release(Ledger& ledger, Members& members, StageChanges& stages, OrphanHandling& orphans)
    : ledger_(ledger), members_(members), stages_(stages), orphans_(orphans) {}

void Release::subscribed(const Owner& owner, Instant now) {
  auto& releasing = members_.in<stage::Releasing>(owner);
  releasing.since = now;
  releasing.answer_by = kNever;
}

// ---- offers ----
void Release::offered(const Owner& owner, const Holding& holding, AgentUse& use, Instant now) {
  auto& releasing = members_.in<stage::Releasing>(owner);
  if (now < releasing.not_before) {
    use.awaited = true;
    return;
  }
  Member& m = members_.edit(owner);
  if (holding.volumes.empty()) m.released_volume = true;
  const std::string tag = m.place().resource_id + "." + ledger_.prng().name(6);
  for (auto& operation : release_operations(holding, tag)) use.operations.push_back(std::move(operation));
  releasing.unreserve = OperationId("unreserve." + tag);
  releasing.answer_by = now + kReleasePatience;
}

// An answer that is still to come may say that it is not done yet.
void Release::absent(const Owner& owner, AgentUse& use, Instant now) {
  const MemberRow& row = members_.row(owner);
  const auto& releasing = row.in<stage::Releasing>();
  const Duration patience = releasing.unreserve.empty() ? kProofAfter : kProofUnanswered;
  const bool was_there = row.offered && now < *row.offered + kProofUnanswered;
  if (releasing.answer_by == kNever && !was_there && now >= releasing.since + patience) {
    stages_.finish(owner, "nothing of it is left on " + members_.get(owner).place().hostname);
  } else {
    use.awaited = true;
  }
}

// ---- updates ----
void Release::alive(const Owner& owner, mesos::TaskState, Instant now) { stages_.to_killing(owner, now); }

void Release::ended(const Owner& owner, mesos::TaskState state, Instant) {
  if (state == mesos::TaskState::kGoneByOperator) stages_.finish(owner, kAllGone);
}

void Release::answered(const Owner& owner, const OperationName& name, const mesos::UpdateOperation& in, Instant now) {
  if (name.kind == "unreserve") return unreserve_answered(owner, in, now);
  const bool destroyed = name.kind == "destroy" && in.state == OperationState::kFinished;
  if (destroyed && !members_.get(owner).released_volume) members_.edit(owner).released_volume = true;
}

void Release::unreserve_answered(const Owner& owner, const mesos::UpdateOperation& in, Instant now) {
  auto& releasing = members_.in<stage::Releasing>(owner);
  if (in.state == OperationState::kFinished) {
    stages_.finish(owner, "its volume is destroyed and its reservation on " + members_.get(owner).place().hostname +
                              " given back");
  } else if (in.state == OperationState::kGoneByOperator) {
    stages_.finish(owner, kAllGone);
  } else if ((has_failed(in.state) || in.state == OperationState::kUnknown) && in.operation == releasing.unreserve) {
    releasing.answer_by = kNever;
    releasing.since = now;  // only now is it on its way back
    releasing.unreserve = OperationId();
    releasing.not_before = now + stages_.backoff(++releasing.failures);
  }
}

// ---- time ----
bool Release::overdue(const Owner& owner, Instant now) {
  const Member& m = members_.get(owner);
  const auto& releasing = members_.in<stage::Releasing>(owner);
  if (m.holds_data || releasing.answer_by != kNever || now < releasing.since + kForgetAfter) return true;
  orphans_.unused(m, now);
  stages_.finish(owner, "its agent offers nothing, and nothing of it was ever seen there");
  return false;
}

void Release::await(const Owner& owner, Wants& wants) {
  const Member& m = members_.get(owner);
  auto& releasing = members_.in<stage::Releasing>(owner);
  if (releasing.answer_by != kNever && wants.now >= releasing.answer_by) {
    ledger_.call(mesos::ReconcileOperations{{{releasing.unreserve, m.place().agent}}});
    releasing.answer_by = kNever;
  }
  if (releasing.answer_by != kNever) return wants.alarm.wake(releasing.answer_by);
  if (!m.holds_data) wants.alarm.wake(releasing.since + kForgetAfter);
  wants.add("release:" + owner.member.value, releasing.not_before);
}

std::string Release::waiting_for(const Member& m, const MemberRow& row) const {
  return "the volume and reservation of member " + m.id.value + " to be given back by " + agent_of(m, row);
}

}  // namespace mysos
