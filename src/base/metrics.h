// SPDX-License-Identifier: Apache-2.0
#pragma once
// Metrics in Prometheus' text format. A family has a name, a help line and one series per set of
// labels. Label by cluster, never by task: series live until forget(). Names are given once; the
// same name with another type is a bug. Any thread.
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace mysos {

using Labels = std::map<std::string, std::string>;

class Metrics;
struct MetricFamily;

class Counter {
 public:
  void inc(const Labels& labels = {}, double by = 1);

 private:
  friend class Metrics;
  Counter(Metrics& metrics, MetricFamily& family) : metrics_(&metrics), family_(&family) {}
  Metrics* metrics_;
  MetricFamily* family_;
};

class Gauge {
 public:
  void set(double value, const Labels& labels = {});
  void add(double by, const Labels& labels = {});

 private:
  friend class Metrics;
  Gauge(Metrics& metrics, MetricFamily& family) : metrics_(&metrics), family_(&family) {}
  Metrics* metrics_;
  MetricFamily* family_;
};

class Histogram {
 public:
  void observe(double value, const Labels& labels = {});

 private:
  friend class Metrics;
  Histogram(Metrics& metrics, MetricFamily& family) : metrics_(&metrics), family_(&family) {}
  Metrics* metrics_;
  MetricFamily* family_;
};

class Metrics {
 public:
  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // Handles are small values; they refer to this registry. Asking again for a name gives the same
  // family.
  Counter counter(std::string_view name, std::string_view help);
  Gauge gauge(std::string_view name, std::string_view help);
  Histogram histogram(std::string_view name, std::string_view help,
                      std::vector<double> upper_bounds = seconds_buckets());
  // Drops every series with this label: forget("cluster", "shop") after a delete.
  void forget(std::string_view label, std::string_view value);
  // text/plain; version=0.0.4
  [[nodiscard]] std::string render() const;

  static std::vector<double> seconds_buckets();  // 1 ms to 60 s

 private:
  friend class Counter;
  friend class Gauge;
  friend class Histogram;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mysos
