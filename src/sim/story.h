// SPDX-License-Identifier: Apache-2.0
#pragma once
// The texts of a seed's story for messages between a scheduler and the other parts.
#include <string>

#include "model/epoch.h"
#include "model/member_report.h"
#include "model/mesos.h"
#include "model/order.h"

namespace mysos::sim {

std::string told(const ClusterId& cluster, const EpochRecord& record);
std::string told(const Order& order);
std::string told(const mesos::Call& call);
std::string told(const mesos::Event& event);

}  // namespace mysos::sim
