// SPDX-License-Identifier: Apache-2.0
#pragma once
// Scheduler calls to and from the v1 JSON of Mesos (scheduler-http-api.md). What Mysos sends reads
// back as the same value; a body that Mesos 1.11 refuses is refused here in Mesos' own words,
// because the embedded master answers with them.
#include "base/json.h"
#include "model/mesos.h"

namespace mysos::mesos {

struct AddressedCall {
  std::optional<FrameworkId> framework;
  Call call;
};

// `framework` is absent in the first Subscribe only; it must then equal framework.id of the
// Subscribe.
json::object encode_call(const Call& call, const std::optional<FrameworkId>& framework);
// Errc::kInvalid with the text of Mesos' 400. Errc::kNotFound for a call Mesos knows and Mysos
// never makes.
Result<AddressedCall> decode_call(const json::value& body);

}  // namespace mysos::mesos
