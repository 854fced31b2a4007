// SPDX-License-Identifier: Apache-2.0
#include "store/store.h"

namespace mysos {
namespace {
Status check_text(const std::string& text, std::string_view what) {
  if (text.size() <= kMaxStoreValueBytes) return {};
  return fail(Errc::kTooLarge, std::string(what) + " has " + std::to_string(text.size()) +
                                   " bytes; the store takes at most " +
                                   std::to_string(kMaxStoreValueBytes));
}

Status check_name(const std::string& kind, const std::string& key) {
  if (kind.empty() || key.empty()) return fail(Errc::kInvalid, "a record needs a kind and a key");
  return {};
}

struct Check {
  Status operator()(const PutRecord& put) const {
    MYSOS_TRY_VOID(check_name(put.kind, put.key));
    return check_text(put.json, "the record " + put.kind + "/" + put.key);
  }
  Status operator()(const EraseRecord& erase) const { return check_name(erase.kind, erase.key); }
  Status operator()(const AppendEvent& event) const { return check_text(event.json, "an event"); }
};
}  // namespace

Status check_changes(const std::vector<StoreChange>& changes) {
  for (const auto& change : changes) MYSOS_TRY_VOID(std::visit(Check{}, change));
  return {};
}

}  // namespace mysos
