// SPDX-License-Identifier: Apache-2.0
#pragma once
// What is asked about each of some tasks, again and again with back-off, until it is answered or nobody needs the answer.
#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "base/time.h"
#include "model/ids.h"

namespace mysos {

class Questions {
 public:
  Questions(Duration first, Duration most) : first_(first), most_(most) {}

  // Ask from `at` on; one that is asked already is asked at the earlier of both times.
  void ask(const TaskId& task, const AgentId& agent, Instant at) {
    const auto [it, added] = open_.try_emplace(task, Question{agent, at, first_});
    if (!added) it->second.at = std::min(it->second.at, at);
  }
  // Goes on asking with back-off; begins at `at` if nobody asked yet.
  void keep_asking(const TaskId& task, const AgentId& agent, Instant at) {
    open_.try_emplace(task, Question{agent, at, first_});
  }
  void settled(const TaskId& task) { open_.erase(task); }

  std::vector<std::pair<TaskId, AgentId>> due(Instant now) {
    std::vector<std::pair<TaskId, AgentId>> out;
    for (auto& [task, question] : open_) {
      if (now < question.at) continue;
      out.emplace_back(task, question.agent);
      question.at = now + question.backoff;
      question.backoff = std::min(question.backoff * 2, most_);
    }
    return out;
  }
  [[nodiscard]] Instant next() const {
    Instant at = kNever;
    for (const auto& [task, question] : open_) at = std::min(at, question.at);
    return at;
  }

 private:
  struct Question {
    AgentId agent;
    Instant at;
    Duration backoff;
  };
  Duration first_;
  Duration most_;
  std::map<TaskId, Question> open_;
};

}  // namespace mysos
