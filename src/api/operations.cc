// SPDX-License-Identifier: Apache-2.0
#include "api/operation.h"

namespace mysos {
namespace {

std::vector<Operation> all_operations() {
  std::vector<Operation> all;
  for (const auto part : {cluster_operations, command_operations, credentials_operations, event_operations, cotton_operations,
                          service_operations}) {
    for (Operation& operation : part()) all.push_back(std::move(operation));
  }
  return all;
}

}  // namespace

const std::vector<Operation>& api_operations() {
  static const std::vector<Operation> kAll = all_operations();
  return kAll;
}

}  // namespace mysos
