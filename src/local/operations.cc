// SPDX-License-Identifier: Apache-2.0
#include "local/operations.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/overloaded.h"

namespace mysos::local {
namespace {

Resources without_volumes(const Resources& volumes) {
  std::vector<Resource> out;
  for (Resource r : volumes.list()) {
    r.volume.reset();
    out.push_back(std::move(r));
  }
  return Resources(out);
}

bool all_reserved(const Resources& resources) {
  return std::ranges::all_of(resources.list(),
                             [](const Resource& r) { return !r.reservations.empty(); });
}
Resources popped_where_reserved(const Resources& resources) {
  return all_reserved(resources) ? resources.popped() : Resources{};
}

bool role_allows(const std::string& allocated_role, const std::string& reserved_role) {
  return reserved_role == allocated_role || reserved_role.starts_with(allocated_role + "/");
}

std::optional<std::string> reserve_refusal(const Resources& resources, const OperationContext& c) {
  for (const Resource& r : resources.list()) {
    if (r.reservations.empty())
      return "Resource " + mesos_text(Resources{r}) + " is not dynamically reserved";
    if (r.volume)
      return "A persistent volume " + mesos_text(Resources{r}) + " must already be reserved";
    const Reservation& last = r.reservations.back();
    if (!c.principal.empty() && last.principal.empty()) {
      return fmt::format(
          "A reserve operation was attempted by principal '{}', but there is a reserved resource "
          "in the "
          "request with no principal set",
          c.principal);
    }
    if (!c.principal.empty() && last.principal != c.principal) {
      return fmt::format(
          "A reserve operation was attempted by principal '{}', but there is a reserved resource "
          "in the "
          "request with principal '{}' set",
          c.principal, last.principal);
    }
    if (!role_allows(c.role, last.role)) {
      return fmt::format(
          "A reserve operation was attempted for a resource with role '{}', but the resource was "
          "allocated to role '{}'",
          last.role, c.role);
    }
  }
  return std::nullopt;
}

std::optional<std::string> unreserve_refusal(const Resources& resources) {
  for (const Resource& r : resources.list()) {
    if (r.reservations.empty())
      return "Resource " + mesos_text(Resources{r}) + " is not dynamically reserved";
    if (r.volume) {
      return "A dynamically reserved persistent volume " + mesos_text(Resources{r}) +
             " cannot be unreserved directly. Please destroy the persistent volume first then "
             "unreserve the resource";
    }
  }
  return std::nullopt;
}

bool same_volume(const Resource& a, const Resource& b) {
  return a.volume && b.volume && a.volume->id == b.volume->id && !a.reservations.empty() &&
         !b.reservations.empty() && a.reservations.back().role == b.reservations.back().role;
}

std::optional<std::string> create_refusal(const Resources& volumes, const OperationContext& c) {
  for (const Resource& r : volumes.list()) {
    if (!r.volume) return "'" + mesos_text(Resources{r}) + "' is not a persistent volume";
    if (r.reservations.empty()) {
      return "Invalid resources: Invalid DiskInfo: Persistent volumes cannot be created from "
             "unreserved resources";
    }
    if (!is_valid_id(r.volume->id.value))
      return "Persistence ID '" + r.volume->id.value + "' contains invalid characters";
    if (!c.principal.empty() && r.volume->principal != c.principal) {
      return fmt::format(
          "A create volume operation was attempted by principal '{}', but there is a volume in the "
          "operation with principal '{}' set",
          c.principal, r.volume->principal);
    }
    if (std::ranges::any_of(c.agent_total.list(),
                            [&](const Resource& have) { return same_volume(have, r); })) {
      return "Persistence ID '" + r.volume->id.value + "' is not unique";
    }
  }
  return std::nullopt;
}

std::optional<std::string> destroy_refusal(const Resources& volumes, const OperationContext& c) {
  for (const Resource& r : volumes.list()) {
    if (!r.volume) return "'" + mesos_text(Resources{r}) + "' is not a persistent volume";
    if (std::ranges::none_of(c.agent_total.list(),
                             [&](const Resource& have) { return same_volume(have, r); })) {
      return "Persistent volumes not found";
    }
  }
  return std::nullopt;
}

std::string number(std::int64_t milli) {
  return fmt::format("{:g}", static_cast<double>(milli) / 1000.0);
}
std::string exact(std::int64_t milli) {
  return milli % 1000 == 0 ? std::to_string(milli / 1000) : number(milli);
}

}  // namespace

Conversion conversion_of(const mesos::Operation& operation) {
  return std::visit(
      Overloaded{
          [](const mesos::Reserve& o) {
            return Conversion{popped_where_reserved(o.resources), o.resources};
          },
          [](const mesos::Unreserve& o) {
            return Conversion{o.resources, popped_where_reserved(o.resources)};
          },
          [](const mesos::Create& o) { return Conversion{without_volumes(o.volumes), o.volumes}; },
          [](const mesos::Destroy& o) { return Conversion{o.volumes, without_volumes(o.volumes)}; },
          [](const mesos::Launch&) { return Conversion{}; },
      },
      operation.what);
}

mesos::Operation allocated(mesos::Operation operation, const std::string& role) {
  std::visit(Overloaded{
                 [&](mesos::Reserve& o) { o.resources = o.resources.allocated_to(role); },
                 [&](mesos::Unreserve& o) { o.resources = o.resources.allocated_to(role); },
                 [&](mesos::Create& o) { o.volumes = o.volumes.allocated_to(role); },
                 [&](mesos::Destroy& o) { o.volumes = o.volumes.allocated_to(role); },
                 [&](mesos::Launch& o) {
                   for (auto& task : o.tasks) {
                     task.resources = task.resources.allocated_to(role);
                     task.executor_resources = task.executor_resources.allocated_to(role);
                   }
                 },
             },
             operation.what);
  return operation;
}

Resources converted(const Resources& total, const mesos::Operation& operation) {
  const Conversion c = conversion_of(operation);
  return total - c.consumed + c.produced;
}

std::optional<std::string> refusal(const mesos::Operation& operation,
                                   const OperationContext& context) {
  auto invalid =
      std::visit(Overloaded{
                     [&](const mesos::Reserve& o) { return reserve_refusal(o.resources, context); },
                     [&](const mesos::Unreserve& o) { return unreserve_refusal(o.resources); },
                     [&](const mesos::Create& o) { return create_refusal(o.volumes, context); },
                     [&](const mesos::Destroy& o) { return destroy_refusal(o.volumes, context); },
                     [&](const mesos::Launch&) { return std::optional<std::string>(); },
                 },
                 operation.what);
  if (invalid) return *invalid + "; on agent " + context.agent_text;
  const Conversion c = conversion_of(operation);
  if (!context.pool.contains(c.consumed)) {
    return mesos_text(context.pool) + " does not contain " + mesos_text(c.consumed);
  }
  for (const Resource& r : c.produced.list()) {
    if (!r.volume) continue;
    const std::string& path = r.volume->container_path;
    if (path.empty() || path.starts_with("/") || path.find("..") != std::string::npos) {
      return "the container path '" + path + "' is not a relative path inside the sandbox";
    }
  }
  return std::nullopt;
}

std::string mesos_text(const Resources& resources) {
  std::string out;
  for (const Resource& r : resources.list()) {
    if (!out.empty()) out += "; ";
    out += r.name;
    if (!r.allocation_role.empty()) out += "(allocated: " + r.allocation_role + ")";
    if (!r.reservations.empty()) {
      out += "(reservations: [";
      for (std::size_t i = 0; i < r.reservations.size(); ++i) {
        const Reservation& one = r.reservations[i];
        out += (i ? "," : "") + std::string("(DYNAMIC,") + one.role;
        if (!one.principal.empty()) out += "," + one.principal;
        std::string labels;
        for (const auto& [key, value] : one.labels)
          labels += (labels.empty() ? "" : ", ") + key + ": " + value;
        if (!labels.empty()) out += ",{" + labels + "}";
        out += ")";
      }
      out += "])";
    }
    if (r.volume) out += "[" + r.volume->id.value + ":" + r.volume->container_path + "]";
    out += ":";
    if (!r.is_ranges()) {
      out += exact(r.milli);
      continue;
    }
    std::string ranges;
    for (const Range& one : r.ranges)
      ranges += fmt::format("{}{}-{}", ranges.empty() ? "" : ", ", one.begin, one.end);
    out += "[" + ranges + "]";
  }
  return out;
}

bool is_valid_id(const std::string& id) {
  if (id.empty() || id == "." || id == ".." || id.size() > 255) return false;
  return std::ranges::none_of(
      id, [](unsigned char c) { return c <= ' ' || c == '/' || c == '\\' || c == 0x7f; });
}

}  // namespace mysos::local
