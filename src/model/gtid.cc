// SPDX-License-Identifier: Apache-2.0
#include "model/gtid.h"

#include <algorithm>
#include <charconv>
#include <cctype>

namespace mysos {
namespace {

using Interval = GtidSet::Interval;

std::vector<std::string_view> split(std::string_view text, char by) {
  std::vector<std::string_view> out;
  for (std::size_t start = 0; start <= text.size();) {
    const std::size_t end = std::min(text.find(by, start), text.size());
    out.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  return out;
}

bool number(std::string_view text, std::uint64_t& out) {
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), out);
  return ec == std::errc{} && end == text.data() + text.size();
}

std::unexpected<Error> bad(std::string_view text) {
  return fail(Errc::kInvalid, "'" + std::string(text) + "' is no GTID set");
}

// "domain-server": the source of a MariaDB GTID. A MySQL source starts with a uuid (36 characters).
bool is_mariadb_source(std::string_view source) { return std::ranges::count(source, '-') == 1; }

Status parse_mariadb(std::string_view text, GtidSet& out) {
  const auto parts = split(text, '-');
  std::uint64_t domain = 0, server = 0, seq = 0;
  if (parts.size() != 3 || !number(parts[0], domain) || !number(parts[1], server) || !number(parts[2], seq)) {
    return bad(text);
  }
  if (seq > 0) out.add(std::to_string(domain) + "-" + std::to_string(server), 1, seq);
  return {};
}

Status parse_mysql(std::string_view text, GtidSet& out) {
  const auto parts = split(text, ':');
  if (parts.size() < 2 || parts[0].size() != 36) return bad(text);
  std::string source(parts[0]);
  std::ranges::transform(source, source.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const std::string uuid = source;
  for (const auto part : std::vector(parts.begin() + 1, parts.end())) {
    if (part.empty()) return bad(text);
    if (std::isdigit(static_cast<unsigned char>(part.front())) == 0) {  // a tag: what follows belongs to uuid:tag
      source = uuid + ":" + std::string(part);
      continue;
    }
    const auto ends = split(part, '-');
    std::uint64_t first = 0, last = 0;
    if (ends.size() > 2 || !number(ends.front(), first) || !number(ends.back(), last) || first == 0 || last < first) {
      return bad(text);
    }
    out.add(source, first, last);
  }
  return {};
}

}  // namespace

Result<GtidSet> GtidSet::parse(std::string_view text) {
  std::string clean;
  for (char c : text) {
    if (std::isspace(static_cast<unsigned char>(c)) == 0) clean += c;
  }
  GtidSet out;
  if (clean.empty()) return out;
  for (const auto part : split(clean, ',')) {
    if (part.empty()) continue;
    MYSOS_TRY_VOID(part.find(':') == std::string_view::npos ? parse_mariadb(part, out) : parse_mysql(part, out));
  }
  return out;
}

const GtidSet::Sources& GtidSet::sources() const {
  static const Sources kNone;
  return sources_ ? *sources_ : kNone;
}

std::string GtidSet::to_string() const {
  std::string out;
  for (const auto& [source, intervals] : sources()) {
    if (!out.empty()) out += ",";
    out += source;
    if (is_mariadb_source(source)) {
      out += "-" + std::to_string(intervals.back().last);
      continue;
    }
    for (const Interval& i : intervals) {
      out += ":" + std::to_string(i.first);
      if (i.last != i.first) out += "-" + std::to_string(i.last);
    }
  }
  return out;
}

void GtidSet::add(const std::string& source, std::uint64_t first, std::uint64_t last) {
  if (!sources_) sources_ = Sources{};
  auto& list = (*sources_)[source];
  if (!list.empty() && first >= list.back().first && first <= list.back().last + 1) {  // as a server writes
    list.back().last = std::max(list.back().last, last);
    return;
  }
  list.push_back({first, last});
  if (list.size() == 1) return;
  std::ranges::sort(list);
  std::vector<Interval> merged;
  for (const Interval& i : list) {
    if (!merged.empty() && i.first <= merged.back().last + 1) {
      merged.back().last = std::max(merged.back().last, i.last);
    } else {
      merged.push_back(i);
    }
  }
  list = std::move(merged);
}

bool GtidSet::contains(const GtidSet& part) const {
  if (sources_.shares(part.sources_)) return true;
  const Sources& all = sources();
  return std::ranges::all_of(part.sources(), [&](const auto& entry) {
    const auto mine = all.find(entry.first);
    if (mine == all.end()) return false;
    return std::ranges::all_of(entry.second, [&](const Interval& p) {
      return std::ranges::any_of(mine->second,
                                 [&](const Interval& w) { return w.first <= p.first && p.last <= w.last; });
    });
  });
}

GtidSet GtidSet::united(const GtidSet& other) const {
  if (empty()) return other;
  if (contains(other)) return *this;
  GtidSet out = *this;
  for (const auto& [source, intervals] : other.sources()) {
    for (const Interval& i : intervals) out.add(source, i.first, i.last);
  }
  return out;
}

GtidSet GtidSet::minus(const GtidSet& other) const {
  if (other.empty()) return *this;
  GtidSet out;
  if (sources_.shares(other.sources_)) return out;
  const Sources& taken = other.sources();
  for (const auto& [source, intervals] : sources()) {
    const auto theirs = taken.find(source);
    for (Interval mine : intervals) {
      bool left = true;
      if (theirs != taken.end()) {
        for (const Interval& t : theirs->second) {
          if (t.last < mine.first || t.first > mine.last) continue;
          if (t.first > mine.first) out.add(source, mine.first, t.first - 1);
          left = t.last < mine.last;
          if (!left) break;
          mine.first = t.last + 1;
        }
      }
      if (left) out.add(source, mine.first, mine.last);
    }
  }
  return out;
}

std::uint64_t GtidSet::count() const {
  std::uint64_t n = 0;
  for (const auto& [source, intervals] : sources()) {
    for (const Interval& i : intervals) n += i.last - i.first + 1;
  }
  return n;
}

}  // namespace mysos
