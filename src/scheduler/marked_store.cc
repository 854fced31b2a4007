// SPDX-License-Identifier: Apache-2.0
#include "scheduler/marked_store.h"

#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "base/json.h"
#include "base/slot_file.h"

namespace mysos {
namespace {

constexpr std::uint32_t kMarkVersion = 1;
constexpr auto kKey = "state";

struct Mark {
  std::uint32_t version = kMarkVersion;  // 0.1 wrote none
  std::uint64_t count = 0;
  std::int64_t key_since = 0;
};
template <class Io>
void fields(Io& io, Mark& m) {
  io("v", m.version);
  io.required("count", m.count);
  io.required("key_since", m.key_since);
}

Result<std::optional<std::uint64_t>> count_in(const std::string& file) {
  MYSOS_TRY(const auto text, read_slot_file(file));
  if (!text) return std::nullopt;
  std::uint64_t count = 0;
  const auto [end, ec] = std::from_chars(text->data(), text->data() + text->size(), count);
  if (ec != std::errc() || end != text->data() + text->size()) return fail(Errc::kIo, file + " is damaged: it holds no count");
  return count;
}

Result<std::optional<Mark>> mark_in(const Snapshot& records) {
  const auto kind = records.find(kMarkKind);
  if (kind == records.end() || !kind->second.contains(kKey)) return std::nullopt;
  auto mark = from_json_text<Mark>(kind->second.at(kKey));
  if (!mark) return std::unexpected(std::move(mark.error()).with_context("the mark in the state"));
  if (mark->version > kMarkVersion) {
    return fail(Errc::kConflict, "the mark in the state has version " + std::to_string(mark->version) +
                                     ", written by a newer Mysos: start the newer one again");
  }
  return *mark;
}

Result<std::int64_t> since(const std::string& file) {
  struct stat info{};
  if (::stat(file.c_str(), &info) != 0) return std::unexpected(errno_error("look at", file, errno));
  return std::int64_t{info.st_ctim.tv_sec} * 1'000'000'000 + info.st_ctim.tv_nsec;
}

std::string why_put_back(const std::optional<Mark>& mark, const std::optional<std::uint64_t>& count,
                         std::int64_t key_since) {
  if (!mark && !count) return "";  // new, or of a version without marks
  if (!mark) return "state.db was put back to one of an older version of Mysos";
  if (!count) return "state.db was put back without the file state.mark that was beside it";
  if (mark->count < *count) {
    return "state.db was put back: it has seen " + std::to_string(mark->count) + " of " + std::to_string(*count) + " changes";
  }
  // One ahead: the process died before the file was written, and before anything followed from that commit.
  if (mark->count > *count + 1) return "state.mark was put back, and state.db may have been";
  if (mark->key_since != key_since) {
    return "the state directory was put back, copied or moved: secret.key is another file than before";
  }
  return "";
}

}  // namespace

Result<std::unique_ptr<MarkedStore>> MarkedStore::open(std::unique_ptr<RecordStore> inner, const StateDir& dir) {
  std::unique_ptr<MarkedStore> store(new MarkedStore(std::move(inner), dir.path() + "/state.mark"));
  MYSOS_TRY(const Snapshot records, store->inner_->load());
  MYSOS_TRY(const auto mark, mark_in(records));
  MYSOS_TRY(const auto count, count_in(store->file_));
  MYSOS_TRY(store->key_since_, since(dir.path() + "/secret.key"));
  store->put_back_ = why_put_back(mark, count, store->key_since_);
  store->only_moved_ = mark && count && mark->count == *count;
  store->count_ = std::max(mark ? mark->count : 0, count.value_or(0));
  return store;
}

Result<Snapshot> MarkedStore::load() {
  MYSOS_TRY(Snapshot records, inner_->load());
  records.erase(kMarkKind);
  return records;
}

Status MarkedStore::commit(Term term, const std::vector<RecordChange>& changes) {
  if (changes.empty() && !first_ && !owed_) return {};
  if (!owed_) {
    std::vector<RecordChange> all = changes;
    all.emplace_back(PutRecord{kMarkKind, kKey, to_json_text(Mark{kMarkVersion, count_ + 1, key_since_})});
    MYSOS_TRY_VOID(inner_->commit(term, all));
    owed_ = true;
  }
  MYSOS_TRY_VOID(write_slot_file(file_, std::to_string(count_ + 1), 0600));
  ++count_;
  owed_ = first_ = false;
  put_back_.clear();
  return {};
}

}  // namespace mysos
