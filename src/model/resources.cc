// SPDX-License-Identifier: Apache-2.0
#include "model/resources.h"

#include <algorithm>
#include <cstdio>

#include "base/assert.h"

namespace mysos {
namespace {

std::vector<Range> normalized(std::vector<Range> ranges) {
  std::ranges::sort(ranges);
  std::vector<Range> out;
  for (const Range& r : ranges) {
    if (r.begin > r.end) continue;
    if (!out.empty() && r.begin <= out.back().end + 1) {
      out.back().end = std::max(out.back().end, r.end);
    } else {
      out.push_back(r);
    }
  }
  return out;
}

bool covers(const std::vector<Range>& whole, const std::vector<Range>& part) {
  return std::ranges::all_of(part, [&](const Range& p) {
    return std::ranges::any_of(whole, [&](const Range& w) { return w.begin <= p.begin && p.end <= w.end; });
  });
}

std::vector<Range> without(const std::vector<Range>& whole, const std::vector<Range>& part) {
  std::vector<Range> out;
  for (Range w : whole) {
    for (const Range& p : part) {
      if (p.end < w.begin || p.begin > w.end) continue;
      if (p.begin > w.begin) out.push_back({w.begin, p.begin - 1});
      w.begin = p.end + 1;
    }
    if (w.begin <= w.end) out.push_back(w);
  }
  return normalized(std::move(out));
}

}  // namespace

bool alike(const Resource& a, const Resource& b) {
  return a.name == b.name && a.is_ranges() == b.is_ranges() && a.reservations == b.reservations &&
         a.volume == b.volume && a.allocation_role == b.allocation_role;
}

Resources::Resources(std::initializer_list<Resource> list) {
  for (const Resource& r : list) add(r);
}
Resources::Resources(const std::vector<Resource>& list) {
  for (const Resource& r : list) add(r);
}

void Resources::add(Resource r) {
  if (!r.is_ranges() && r.milli == 0) return;
  r.ranges = normalized(std::move(r.ranges));
  const auto mine = r.volume ? list_.end() : std::ranges::find_if(list_, [&](const Resource& m) { return alike(m, r); });
  if (mine == list_.end()) {
    list_.push_back(std::move(r));
  } else if (r.is_ranges()) {
    mine->ranges.insert(mine->ranges.end(), r.ranges.begin(), r.ranges.end());
    mine->ranges = normalized(std::move(mine->ranges));
  } else {
    mine->milli += r.milli;
  }
}

bool Resources::take(const Resource& r) {
  for (auto it = list_.begin(); it != list_.end(); ++it) {
    if (!alike(*it, r)) continue;
    if (r.volume) {
      if (it->milli != r.milli) continue;
      list_.erase(it);
      return true;
    }
    if (r.is_ranges()) {
      const auto wanted = normalized(r.ranges);
      if (!covers(it->ranges, wanted)) return false;
      it->ranges = without(it->ranges, wanted);
      if (it->ranges.empty()) list_.erase(it);
      return true;
    }
    if (it->milli < r.milli) return false;
    it->milli -= r.milli;
    if (it->milli == 0) list_.erase(it);
    return true;
  }
  return false;
}

bool Resources::has(const Resource& r) const {
  return std::ranges::any_of(list_, [&](const Resource& mine) {
    if (!alike(mine, r)) return false;
    if (r.volume) return mine.milli == r.milli;
    return r.is_ranges() ? covers(mine.ranges, r.ranges) : mine.milli >= r.milli;
  });
}

// No two entries of a list are alike, but for volumes.
bool Resources::contains(const Resources& part) const {
  return std::ranges::all_of(part.list_, [&](const Resource& r) {
    return has(r) && (!r.volume || std::ranges::count(list_, r) >= std::ranges::count(part.list_, r));
  });
}

void Resources::take_possible(const Resources& part) {
  for (const Resource& r : part.list_) take(r);
}

Resources& Resources::operator+=(const Resources& other) {
  for (const Resource& r : other.list_) add(r);
  return *this;
}

Resources& Resources::operator-=(const Resources& part) {
  for (const Resource& r : part.list_) {
    const bool taken = take(r);
    MYSOS_ASSERT(taken, "only contained resources are subtracted");
  }
  return *this;
}

bool Resources::operator==(const Resources& other) const {
  return list_.size() == other.list_.size() && contains(other) && other.contains(*this);
}

Resources Resources::reserved_as(const Reservation& reservation) const {
  Resources out;
  for (Resource r : list_) {
    r.reservations.push_back(reservation);
    out.add(std::move(r));
  }
  return out;
}

Resources Resources::popped() const {
  Resources out;
  for (Resource r : list_) {
    MYSOS_ASSERT(!r.reservations.empty(), "there is a reservation to give back");
    r.reservations.pop_back();
    out.add(std::move(r));
  }
  return out;
}

Resources Resources::allocated_to(const std::string& role) const {
  Resources out;
  for (Resource r : list_) {
    r.allocation_role = role;
    out.add(std::move(r));
  }
  return out;
}

json::value to_json_list(const Resources& r) { return to_json(r.list()); }

Resource scalar(std::string name, std::int64_t milli) {
  Resource r;
  r.name = std::move(name);
  r.milli = milli;
  return r;
}

Resource ports(std::vector<Range> ranges) {
  Resource r;
  r.name = "ports";
  r.ranges = std::move(ranges);
  return r;
}

std::string describe(const Resources& resources) {
  std::string out;
  for (const Resource& r : resources.list()) {
    if (!out.empty()) out += "; ";
    out += r.name;
    if (!r.reservations.empty()) out += "(" + r.reservations.back().role + ")";
    out += ":";
    if (r.is_ranges()) {
      out += "[";
      for (std::size_t i = 0; i < r.ranges.size(); ++i) {
        out += (i ? "," : "") + std::to_string(r.ranges[i].begin) + "-" + std::to_string(r.ranges[i].end);
      }
      out += "]";
    } else {
      char text[32];
      std::snprintf(text, sizeof text, "%g", static_cast<double>(r.milli) / 1000.0);
      out += text;
    }
    if (r.volume) out += "[" + r.volume->container_path + "]";
  }
  return out;
}

}  // namespace mysos
