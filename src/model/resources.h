// SPDX-License-Identifier: Apache-2.0
#pragma once
// Mesos resources as values. A Resource is one entry of an offer: a name, a quantity, a stack of reservations (last =
// current), and for disk perhaps a persistent volume. Quantities of scalars are whole thousandths, Mesos' own precision.
// Two entries are `alike` when only their quantity differs; a Resources list keeps alike scalars and ranges merged, so
// that adding and subtracting is exact. Volumes are never split or merged.
// Source of the shapes: Mesos reservation.md, persistent-volume.md (capabilities MULTI_ROLE, RESERVATION_REFINEMENT).
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/shared_value.h"
#include "model/ids.h"

namespace mysos {

struct Range {  // both ends included
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  auto operator<=>(const Range&) const = default;
};
template <class Io>
void fields(Io& io, Range& r) {
  io("begin", r.begin);
  io("end", r.end);
}

using Labels = std::map<std::string, std::string>;

struct Reservation {  // always DYNAMIC: Mysos makes no static ones and leaves foreign ones alone
  std::string role;
  std::string principal;
  Labels labels;
  auto operator<=>(const Reservation&) const = default;
};
template <class Io>
void fields(Io& io, Reservation& r) {
  io("role", r.role);
  io("principal", r.principal);
  io("labels", r.labels);
}

// A stack of them, the current one last. Copies share it until one is changed: an offer is copied often, and these are most
// of it. Reads as a std::vector.
class Reservations {
 public:
  using value_type = Reservation;
  Reservations() = default;
  Reservations(std::initializer_list<Reservation> stack) : stack_(std::vector<Reservation>(stack)) {}

  [[nodiscard]] bool empty() const { return list().empty(); }
  [[nodiscard]] std::size_t size() const { return list().size(); }
  [[nodiscard]] auto begin() const { return list().begin(); }
  [[nodiscard]] auto end() const { return list().end(); }
  const Reservation& operator[](std::size_t i) const { return list()[i]; }
  [[nodiscard]] const Reservation& back() const { return list().back(); }
  void push_back(Reservation r) {
    if (!stack_) stack_ = std::vector<Reservation>();
    stack_->push_back(std::move(r));
  }
  void pop_back() { stack_->pop_back(); }
  void clear() { stack_.reset(); }
  bool operator==(const Reservations& other) const { return stack_.shares(other.stack_) || list() == other.list(); }

 private:
  [[nodiscard]] const std::vector<Reservation>& list() const {
    static const std::vector<Reservation> kNone;
    return stack_ ? *stack_ : kNone;
  }
  SharedValue<std::vector<Reservation>> stack_;
};
template <>
struct json_detail::IsVector<Reservations> : std::true_type {};

struct Volume {
  VolumeId id;
  std::string principal;
  std::string container_path;
  auto operator<=>(const Volume&) const = default;
};
template <class Io>
void fields(Io& io, Volume& v) {
  io("id", v.id);
  io("principal", v.principal);
  io("container_path", v.container_path);
}

struct Resource {
  std::string name;                       // cpus, mem (MiB), disk (MiB), ports, ...
  std::int64_t milli = 0;                 // scalar value in thousandths; unused where there are ranges
  std::vector<Range> ranges;              // ports
  Reservations reservations;              // [] = unreserved
  std::optional<Volume> volume;
  std::string allocation_role;            // allocation_info.role, "" where absent
  bool operator==(const Resource&) const = default;
  [[nodiscard]] bool is_ranges() const { return !ranges.empty(); }
};
template <class Io>
void fields(Io& io, Resource& r) {
  io("name", r.name);
  io("milli", r.milli);
  io("ranges", r.ranges);
  io("reservations", r.reservations);
  io("volume", r.volume);
  io("allocation_role", r.allocation_role);
}

// Same name, kind, reservations, volume and allocation role.
bool alike(const Resource& a, const Resource& b);

class Resources {
 public:
  Resources() = default;
  Resources(std::initializer_list<Resource> list);
  explicit Resources(const std::vector<Resource>& list);

  [[nodiscard]] const std::vector<Resource>& list() const { return list_; }
  [[nodiscard]] bool empty() const { return list_.empty(); }
  [[nodiscard]] bool contains(const Resources& part) const;
  Resources& operator+=(const Resources& other);
  // Takes `part` away; it must be contained (asserted).
  Resources& operator-=(const Resources& part);
  // Takes away those entries of `part` that are contained.
  void take_possible(const Resources& part);
  friend Resources operator+(Resources a, const Resources& b) {
    a += b;
    return a;
  }
  friend Resources operator-(Resources a, const Resources& b) {
    a -= b;
    return a;
  }
  bool operator==(const Resources& other) const;  // as sets: order does not matter

  // The sum of a scalar over all entries that pass `keep`, in thousandths.
  template <class Keep>
  [[nodiscard]] std::int64_t milli(std::string_view name, Keep keep) const {
    std::int64_t sum = 0;
    for (const auto& r : list_) {
      if (r.name == name && !r.is_ranges() && keep(r)) sum += r.milli;
    }
    return sum;
  }
  [[nodiscard]] std::int64_t milli(std::string_view name) const {
    return milli(name, [](const Resource&) { return true; });
  }
  template <class Keep>
  [[nodiscard]] Resources filter(Keep keep) const {
    Resources out;
    for (const auto& r : list_) {
      if (keep(r)) out.list_.push_back(r);
    }
    return out;
  }
  [[nodiscard]] Resources unreserved() const {
    return filter([](const Resource& r) { return r.reservations.empty() && !r.volume; });
  }
  // The same quantities with `reservation` pushed / the last reservation popped / another allocation role.
  [[nodiscard]] Resources reserved_as(const Reservation& reservation) const;
  [[nodiscard]] Resources popped() const;
  [[nodiscard]] Resources allocated_to(const std::string& role) const;

 private:
  void add(Resource r);
  bool take(const Resource& r);
  [[nodiscard]] bool has(const Resource& r) const;
  std::vector<Resource> list_;
};
json::value to_json_list(const Resources& r);

Resource scalar(std::string name, std::int64_t milli);
Resource ports(std::vector<Range> ranges);
// "cpus:1; mem:512; ports:[31000-31009]; disk(mysos):1024[data]" for logs and placement reasons.
std::string describe(const Resources& resources);

}  // namespace mysos
