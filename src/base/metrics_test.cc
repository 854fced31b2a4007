// SPDX-License-Identifier: Apache-2.0
#include "base/metrics.h"

#include <gtest/gtest.h>

namespace mysos {
namespace {

TEST(Metrics, RenderAsPrometheusReadsThem) {
  Metrics metrics;
  Counter failovers = metrics.counter("mysos_failovers_total", "Failovers\nso far");
  Gauge up = metrics.gauge("mysos_up", "Members up");
  Histogram waits = metrics.histogram("mysos_wait_seconds", "Waits", {0.1, 1});

  failovers.inc({{"cluster", "a\"b\\"}});
  metrics.counter("mysos_failovers_total", "").inc({{"cluster", "a\"b\\"}}, 2);
  up.set(2.5);
  up.add(-1);
  for (const double seconds : {0.05, 0.1, 0.5, 7.0}) waits.observe(seconds, {{"op", "x"}});

  EXPECT_EQ(metrics.render(),
            "# HELP mysos_failovers_total Failovers\\nso far\n"
            "# TYPE mysos_failovers_total counter\n"
            "mysos_failovers_total{cluster=\"a\\\"b\\\\\"} 3\n"
            "# HELP mysos_up Members up\n"
            "# TYPE mysos_up gauge\n"
            "mysos_up 1.5\n"
            "# HELP mysos_wait_seconds Waits\n"
            "# TYPE mysos_wait_seconds histogram\n"
            "mysos_wait_seconds_bucket{op=\"x\",le=\"0.1\"} 2\n"
            "mysos_wait_seconds_bucket{op=\"x\",le=\"1\"} 3\n"
            "mysos_wait_seconds_bucket{op=\"x\",le=\"+Inf\"} 4\n"
            "mysos_wait_seconds_sum{op=\"x\"} 7.65\n"
            "mysos_wait_seconds_count{op=\"x\"} 4\n");
}

TEST(Metrics, ForgetDropsTheSeriesOfAClusterThatIsGone) {
  Metrics metrics;
  Gauge lag = metrics.gauge("mysos_lag_seconds", "Lag");
  lag.set(1, {{"cluster", "a"}});
  lag.set(2, {{"cluster", "b"}});
  metrics.forget("cluster", "a");
  EXPECT_EQ(metrics.render(),
            "# HELP mysos_lag_seconds Lag\n# TYPE mysos_lag_seconds "
            "gauge\nmysos_lag_seconds{cluster=\"b\"} 2\n");
}

TEST(MetricsDeathTest, ANameHasOneType) {
  Metrics metrics;
  metrics.gauge("mysos_x", "");
  EXPECT_DEATH(metrics.counter("mysos_x", ""), "one type");
}

}  // namespace
}  // namespace mysos
