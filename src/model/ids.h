// SPDX-License-Identifier: Apache-2.0
#pragma once
// Strong types for all identities (docs/glossary.md).
#include "base/strong_id.h"

namespace mysos {

using ClusterId = StrongId<struct ClusterIdTag>;      // ours, never reused: 8 characters of a-z2-7
using MemberId = StrongId<struct MemberIdTag>;        // "<cluster id>-<index>"; outlives its tasks
using TaskId = StrongId<struct TaskIdTag>;            // one launch of a member
using FrameworkId = StrongId<struct FrameworkIdTag>;  // given by the Mesos master
using AgentId = StrongId<struct AgentIdTag>;
using OfferId = StrongId<struct OfferIdTag>;
using ExecutorId = StrongId<struct ExecutorIdTag>;
using OperationId = StrongId<struct OperationIdTag>;  // ours; Mesos' feedback names it
using VolumeId = StrongId<struct VolumeIdTag>;        // persistence.id, globally unique
using RequestId = StrongId<struct RequestIdTag>;      // one API request that waits for a Reply

}  // namespace mysos
