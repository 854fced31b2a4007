// SPDX-License-Identifier: Apache-2.0
#include "base/metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <mutex>

#include "base/assert.h"

namespace mysos {
namespace {
enum class Kind { kCounter, kGauge, kHistogram };

struct Series {
  double value = 0;  // of a histogram: the sum
  std::uint64_t count = 0;
  std::vector<std::uint64_t> buckets =
      {};  // of a histogram: how many fell into each, not cumulated
};

std::string number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  return fmt::format("{}", value);
}

std::string escaped(std::string_view text, bool quotes) {
  std::string out;
  for (const char c : text) {
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '"' && quotes) {
      out += "\\\"";
    } else {
      out += c;
    }
  }
  return out;
}

// `{cluster="a",le="0.5"}`, or nothing.
std::string label_text(const Labels& labels, std::string_view le = {}) {
  std::string out;
  for (const auto& [name, value] : labels) {
    out += fmt::format("{}{}=\"{}\"", out.empty() ? "" : ",", name, escaped(value, true));
  }
  if (!le.empty()) out += fmt::format("{}le=\"{}\"", out.empty() ? "" : ",", le);
  return out.empty() ? out : "{" + out + "}";
}

bool is_metric_name(std::string_view name) {
  const auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  };
  return !name.empty() && std::ranges::all_of(name, good) && (name[0] < '0' || name[0] > '9');
}
}  // namespace

struct MetricFamily {
  Kind kind = Kind::kCounter;
  std::string help;
  std::vector<double> bounds = {};
  std::map<Labels, Series> series = {};
};

struct Metrics::Impl {
  mutable std::mutex mutex;
  std::map<std::string, MetricFamily, std::less<>> families;  // its nodes do not move

  MetricFamily& family(Kind kind, std::string_view name, std::string_view help) {
    MYSOS_ASSERT(is_metric_name(name), "a metric's name has a-z, 0-9 and _ only");
    const std::lock_guard lock(mutex);
    const auto [entry, made] =
        families.try_emplace(std::string(name), MetricFamily{kind, std::string(help)});
    MYSOS_ASSERT(entry->second.kind == kind, "a metric's name has one type");
    return entry->second;
  }
};

Metrics::Metrics() : impl_(std::make_unique<Impl>()) {}
Metrics::~Metrics() = default;

Counter Metrics::counter(std::string_view name, std::string_view help) {
  return {*this, impl_->family(Kind::kCounter, name, help)};
}
Gauge Metrics::gauge(std::string_view name, std::string_view help) {
  return {*this, impl_->family(Kind::kGauge, name, help)};
}
Histogram Metrics::histogram(std::string_view name, std::string_view help,
                             std::vector<double> upper_bounds) {
  MYSOS_ASSERT(std::ranges::is_sorted(upper_bounds), "buckets rise");
  MetricFamily& family = impl_->family(Kind::kHistogram, name, help);
  const std::lock_guard lock(impl_->mutex);
  if (family.bounds.empty()) family.bounds = std::move(upper_bounds);
  return {*this, family};
}

void Counter::inc(const Labels& labels, double by) {
  MYSOS_ASSERT(by >= 0, "a counter never falls");
  const std::lock_guard lock(metrics_->impl_->mutex);
  family_->series[labels].value += by;
}

void Gauge::set(double value, const Labels& labels) {
  const std::lock_guard lock(metrics_->impl_->mutex);
  family_->series[labels].value = value;
}

void Gauge::add(double by, const Labels& labels) {
  const std::lock_guard lock(metrics_->impl_->mutex);
  family_->series[labels].value += by;
}

void Histogram::observe(double value, const Labels& labels) {
  const std::lock_guard lock(metrics_->impl_->mutex);
  Series& series = family_->series[labels];
  series.buckets.resize(family_->bounds.size());
  const auto bucket = std::ranges::lower_bound(family_->bounds, value);
  if (bucket != family_->bounds.end())
    ++series.buckets[static_cast<std::size_t>(bucket - family_->bounds.begin())];
  ++series.count;
  series.value += value;
}

void Metrics::forget(std::string_view label, std::string_view value) {
  const std::lock_guard lock(impl_->mutex);
  for (auto& [name, family] : impl_->families) {
    std::erase_if(family.series, [&](const auto& entry) {
      const auto found = entry.first.find(std::string(label));
      return found != entry.first.end() && found->second == value;
    });
  }
}

std::string Metrics::render() const {
  static constexpr std::string_view kTypes[] = {"counter", "gauge", "histogram"};
  const std::lock_guard lock(impl_->mutex);
  std::string out;
  for (const auto& [name, family] : impl_->families) {
    out += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, escaped(family.help, false), name,
                       kTypes[static_cast<std::size_t>(family.kind)]);
    for (const auto& [labels, series] : family.series) {
      if (family.kind != Kind::kHistogram) {
        out += fmt::format("{}{} {}\n", name, label_text(labels), number(series.value));
        continue;
      }
      std::uint64_t cumulated = 0;
      for (std::size_t i = 0; i < family.bounds.size(); ++i) {
        cumulated += series.buckets[i];
        out += fmt::format("{}_bucket{} {}\n", name, label_text(labels, number(family.bounds[i])),
                           cumulated);
      }
      out += fmt::format("{}_bucket{} {}\n", name, label_text(labels, "+Inf"), series.count);
      out += fmt::format("{}_sum{} {}\n", name, label_text(labels), number(series.value));
      out += fmt::format("{}_count{} {}\n", name, label_text(labels), series.count);
    }
  }
  return out;
}

std::vector<double> Metrics::seconds_buckets() {
  return {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60};
}

}  // namespace mysos
