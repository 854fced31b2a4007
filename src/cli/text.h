// SPDX-License-Identifier: Apache-2.0
#pragma once
// Answers as text for a terminal, from the API's JSON. Pure.
#include <string>
#include <vector>

#include "base/json.h"

namespace mysos::cli {

// Columns as wide as they need; the first row is the heading.
std::string table(const std::vector<std::vector<std::string>>& rows);
// The field as text; "" where it is missing or null.
std::string text_of(const json::object& object, std::string_view key);

// A number as JSON, so that the server can say what is wrong with it; a text where it is no number.
json::value number_or_text(const std::string& text);
// Replaces "{x}" in the sentence with field x of the body, or else of the answer.
std::string filled_in(std::string_view sentence, const json::object& body, const json::object& answer);

std::string clusters_text(const json::array& clusters);
std::string cluster_text(const json::object& cluster);
std::string members_text(const json::array& members);
std::string event_text(const json::object& event);
std::string orphans_text(const json::object& answer);
std::string versions_text(const json::array& versions);
// "2 of 3 members are running; waiting for ...": what changes while one waits.
std::string progress_text(const json::object& cluster);

}  // namespace mysos::cli
