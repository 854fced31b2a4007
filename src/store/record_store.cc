// SPDX-License-Identifier: Apache-2.0
#include "store/record_store.h"

namespace mysos {
namespace {

struct Check {
  static Status name(const std::string& kind, const std::string& key) {
    if (kind.empty() || key.empty()) return fail(Errc::kInvalid, "a record needs a kind and a key");
    return {};
  }
  Status operator()(const PutRecord& put) const {
    MYSOS_TRY_VOID(name(put.kind, put.key));
    if (put.json.size() <= kMaxRecordBytes) return {};
    return fail(Errc::kTooLarge, "the record " + put.kind + "/" + put.key + " has " + std::to_string(put.json.size()) +
                                     " bytes; the store takes at most " + std::to_string(kMaxRecordBytes));
  }
  Status operator()(const EraseRecord& erase) const { return name(erase.kind, erase.key); }
};

}  // namespace

Status check_changes(const std::vector<RecordChange>& changes) {
  for (const auto& change : changes) MYSOS_TRY_VOID(std::visit(Check{}, change));
  return {};
}

std::unexpected<Error> deposed(Term term, Term newest) {
  return fail(Errc::kFenced, "another scheduler has begun term " + std::to_string(newest) +
                                 " of the store; this one, of term " + std::to_string(term) + ", may not write any more");
}

}  // namespace mysos
