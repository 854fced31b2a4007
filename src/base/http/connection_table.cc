// SPDX-License-Identifier: Apache-2.0
#include "base/http/connection_table.h"

#include <algorithm>
#include <iterator>

namespace mysos {
namespace {
constexpr std::size_t kShares = 4;
}

HttpConnectionTable::Place::Place(HttpConnectionTable& table, std::string peer, std::function<void()> close) : table_(table) {
  entry_ = table_.open_.insert(table_.open_.end(), Entry{std::move(peer), std::move(close)});
  table_.keep_share(entry_);
  admitted_ = table_.make_room(entry_);
}

HttpConnectionTable::Place::~Place() {
  hold(0);
  (entry_->closed ? table_.closed_ : table_.open_).erase(entry_);
}

void HttpConnectionTable::Place::begin_request() {
  hold(0);
  entry_->busy = true;
}

void HttpConnectionTable::Place::end_request() {
  entry_->busy = false;
  if (!entry_->closed) table_.open_.splice(table_.open_.end(), table_.open_, entry_);
}

void HttpConnectionTable::Place::hold(std::size_t bytes) {
  table_.held_ += bytes - entry_->held;
  entry_->held = bytes;
  while (table_.held_ > table_.max_held_) {
    if (!table_.close_waiting([](const Entry& e) { return e.held > 0; })) break;
  }
}

bool HttpConnectionTable::close_one() {
  return close_waiting([](const Entry& e) { return !e.trusted; });
}

bool HttpConnectionTable::make_room(Entries::iterator newcomer) {
  const auto stranger = [&](const Entry& e) { return &e != &*newcomer && !e.trusted; };
  const auto known = [&](const Entry& e) { return &e != &*newcomer && e.trusted; };
  while (open_.size() > max_) {
    if (!close_waiting(stranger) && !close_busy(stranger) && !close_waiting(known)) return false;
  }
  return true;
}

void HttpConnectionTable::keep_share(Entries::iterator newcomer) {
  const auto same = [&](const Entry& e) { return !e.trusted && e.peer == newcomer->peer; };
  const auto other = [&](const Entry& e) { return &e != &*newcomer && same(e); };
  const auto share = std::max<std::size_t>(1, max_ / kShares);
  for (auto count = static_cast<std::size_t>(std::ranges::count_if(open_, same)); count > share; --count) {
    if (!close_waiting(other) && !close_busy(other)) return;
  }
}

template <class Fits>
bool HttpConnectionTable::close_waiting(Fits fits) {
  const auto found = std::ranges::find_if(open_, [&](const Entry& e) { return !e.busy && fits(e); });
  if (found == open_.end()) return false;
  close(found);
  return true;
}

template <class Fits>
bool HttpConnectionTable::close_busy(Fits fits) {
  const auto found = std::find_if(open_.rbegin(), open_.rend(), [&](const Entry& e) { return e.busy && fits(e); });
  if (found == open_.rend()) return false;
  close(std::prev(found.base()));
  return true;
}

void HttpConnectionTable::close(Entries::iterator entry) {
  held_ -= entry->held;
  entry->held = 0;
  entry->closed = true;
  ++closed_count_;
  closed_.splice(closed_.end(), open_, entry);
  entry->close();
}

}  // namespace mysos
