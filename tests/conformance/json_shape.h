// SPDX-License-Identifier: Apache-2.0
#pragma once
// Comparing a recorded JSON document with one of ours: `covers(recorded, ours)` says "" when
// everything that was recorded is in ours with the same value, else the first difference. Numbers
// compare by value (3584 is 3584.0), what ours has beside is not looked at, and lists of objects
// compare as sets where `any_order` is set; then so do the resources that a message lists.
#include <fstream>
#include <functional>
#include <set>
#include <sstream>
#include <string>

#include "base/json.h"

namespace mysos::conformance {

struct ShapeOptions {
  std::set<std::string> ignored_keys = {};
  bool any_order = false;
};

// The words of a text that lists resources, in an order of their own.
inline std::multiset<std::string> words(std::string_view text) {
  std::multiset<std::string> out;
  std::string word;
  for (const char c : text) {
    if (c != ' ' && c != ';') {
      word += c;
    } else if (!word.empty()) {
      out.insert(std::exchange(word, ""));
    }
  }
  out.insert(word);
  return out;
}

inline std::string covers(const json::value& recorded, const json::value& ours,
                          const ShapeOptions& options = {}, const std::string& path = "$");

inline std::string covers_list(const json::array& recorded, const json::array& ours,
                               const ShapeOptions& options, const std::string& path) {
  if (recorded.size() != ours.size()) {
    return path + ": " + std::to_string(recorded.size()) + " recorded, " +
           std::to_string(ours.size()) + " of ours: " + json::serialize(ours);
  }
  std::set<std::size_t> used;
  for (std::size_t i = 0; i < recorded.size(); ++i) {
    const std::string here = path + "[" + std::to_string(i) + "]";
    if (!options.any_order) {
      if (auto difference = covers(recorded[i], ours[i], options, here); !difference.empty())
        return difference;
      continue;
    }
    bool found = false;
    for (std::size_t k = 0; k < ours.size() && !found; ++k) {
      if (used.contains(k) || !covers(recorded[i], ours[k], options, here).empty()) continue;
      used.insert(k);
      found = true;
    }
    if (!found)
      return here + ": nothing like " + json::serialize(recorded[i]) + " in " +
             json::serialize(ours);
  }
  return "";
}

inline std::string covers(const json::value& recorded, const json::value& ours,
                          const ShapeOptions& options, const std::string& path) {
  if (recorded.is_number() && ours.is_number()) {
    return recorded.to_number<double>() == ours.to_number<double>()
               ? ""
               : path + ": " + json::serialize(recorded) + " recorded, ours " +
                     json::serialize(ours);
  }
  if (recorded.is_object() && ours.is_object()) {
    for (const auto& entry : recorded.get_object()) {
      const std::string key(entry.key());
      if (options.ignored_keys.contains(key)) continue;
      const auto* mine = ours.get_object().if_contains(key);
      if (mine == nullptr) return path + "." + key + " is missing";
      if (auto difference = covers(entry.value(), *mine, options, path + "." + key);
          !difference.empty()) {
        return difference;
      }
    }
    return "";
  }
  if (recorded.is_array() && ours.is_array()) {
    return covers_list(recorded.get_array(), ours.get_array(), options, path);
  }
  if (recorded == ours) return "";
  const bool texts = recorded.is_string() && ours.is_string();
  const bool of_resources =
      texts && recorded.get_string().find("(allocated: ") != json::string::npos;
  if (options.any_order && of_resources && words(recorded.get_string()) == words(ours.get_string()))
    return "";
  return path + ": " + json::serialize(recorded) + " recorded, ours " + json::serialize(ours);
}

inline json::value load_trace(const std::string& file) {
  std::ifstream in(file);
  std::stringstream text;
  text << in.rdbuf();
  auto parsed = parse_json(text.str());
  return parsed ? *parsed : json::value(nullptr);
}

}  // namespace mysos::conformance
