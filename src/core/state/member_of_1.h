// SPDX-License-Identifier: Apache-2.0
#pragma once
// A member in the form of version 0.1 and of records of version 1. Its place is beside its other fields, and its size and
// version are those of its cluster.
#include "model/cluster.h"

namespace mysos {

struct MemberOf1 {
  Place place;
  Member rest;
};
template <class Io>
void fields(Io& io, MemberOf1& m) {
  io.required("id", m.rest.id);
  io.required("index", m.rest.index);
  io.required("stage", m.rest.stage);
  fields(io, m.place);
  io.required("task", m.rest.task);
  io.required("launches", m.rest.launches);
  io.required("holds_data", m.rest.holds_data);
  io.required("released_volume", m.rest.released_volume);
  io.required("volume_name", m.rest.volume_name);
  io.required("volume_lost", m.rest.volume_lost);
  io.required("promotion", m.rest.promotion);
  io.required("server_id", m.rest.server_id);
}

// Converts it to the present form.
inline Member member_since_1(MemberOf1 old, const Cluster& cluster) {
  Member m = std::move(old.rest);
  m.leaves = cluster.deleting;
  if (m.stage != MemberStage::kWanted) {
    m.granted = Granted{std::move(old.place), cluster.spec.size(), cluster.spec.version, cluster.spec.any_engine};
  }
  return m;
}

}  // namespace mysos
