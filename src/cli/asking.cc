// SPDX-License-Identifier: Apache-2.0
#include "cli/asking.h"

#include <fmt/core.h>

#include "base/clock.h"
#include "cli/text.h"

namespace mysos::cli {
namespace {
constexpr Duration kPollEvery = std::chrono::milliseconds(100);
}  // namespace

std::string path_of(const std::string& cluster) { return "/v1/clusters/" + percent_encode(cluster); }

std::string target_of(const CommandForm& form, const std::string& name) {
  constexpr std::string_view kName = "{name}";
  std::string target(form.words.path);
  if (const auto at = target.find(kName); at != std::string::npos) target.replace(at, kName.size(), percent_encode(name));
  return target;
}

const json::array& list_in(const json::value& answer, std::string_view key) {
  return answer.as_object().at(key).as_array();
}

Status wait_until(ApiClient& api, const std::string& name, Duration at_most,
                  const std::function<bool(const json::object*)>& done) {
  const Instant until = steady_now() + at_most;
  std::string told;
  while (true) {
    const auto answer = api.get(path_of(name));
    if (!answer && answer.error().code != Errc::kNotFound &&
        answer.error().code != Errc::kUnavailable) {
      return std::unexpected(answer.error());
    }
    const bool gone = !answer && answer.error().code == Errc::kNotFound;
    if (answer || gone) {
      const json::object* cluster = gone ? nullptr : &answer->as_object();
      if (done(cluster)) return {};
      if (gone) return fail(Errc::kNotFound, "cluster " + name + " is gone");
    }
    const std::string now_telling =
        answer ? progress_text(answer->as_object()) : answer.error().message;
    if (now_telling != told) fmt::print(stderr, "{}\n", now_telling);
    told = now_telling;
    if (steady_now() >= until) return fail(Errc::kTimeout, "not in time: " + told);
    pause_for(kPollEvery);
  }
}

}  // namespace mysos::cli
