// SPDX-License-Identifier: Apache-2.0
#include "cli/text.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>

namespace mysos::cli {
namespace {

const json::object& child(const json::object& object, std::string_view key) {
  static const json::object kNone;
  const auto* found = object.if_contains(key);
  return found != nullptr && found->is_object() ? found->get_object() : kNone;
}
const json::array& list(const json::object& object, std::string_view key) {
  static const json::array kNone;
  const auto* found = object.if_contains(key);
  return found != nullptr && found->is_array() ? found->get_array() : kNone;
}

// Others have chosen some of these texts: nothing of them may steer the terminal.
std::string printable(std::string text) {
  std::ranges::replace_if(text, [](unsigned char c) { return c < 0x20 || c == 0x7f; }, ' ');
  return text;
}

}  // namespace

std::string text_of(const json::object& object, std::string_view key) {
  const auto* found = object.if_contains(key);
  if (found == nullptr || found->is_null()) return "";
  if (found->is_string()) return printable(std::string(found->get_string()));
  if (found->is_double()) return fmt::format("{}", found->get_double());
  return json::serialize(*found);
}

json::value number_or_text(const std::string& text) {
  auto parsed = parse_json(text);
  return parsed && parsed->is_number() ? *parsed : json::value(json::string(text));
}

std::string filled_in(std::string_view sentence, const json::object& body, const json::object& answer) {
  std::string out;
  for (std::size_t open = sentence.find('{'); open != std::string_view::npos; open = sentence.find('{')) {
    const std::size_t close = std::min(sentence.find('}', open), sentence.size() - 1);
    const std::string_view key = sentence.substr(open + 1, close - open - 1);
    out += std::string(sentence.substr(0, open)) + text_of(body.contains(key) ? body : answer, key);
    sentence.remove_prefix(close + 1);
  }
  return out + std::string(sentence);
}

std::string table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string out;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      if (i + 1 < row.size()) line += std::string(widths[i] - row[i].size() + 2, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

std::string clusters_text(const json::array& clusters) {
  std::vector<std::vector<std::string>> rows{
      {"NAME", "STATE", "VERSION", "MEMBERS", "PRIMARY", "WAITING FOR"}};
  for (const auto& value : clusters) {
    const json::object& cluster = value.as_object();
    rows.push_back({text_of(cluster, "name"), text_of(cluster, "state"),
                    text_of(cluster, "version"), std::to_string(list(cluster, "members").size()),
                    text_of(child(cluster, "endpoints"), "primary"),
                    text_of(cluster, "waiting_for")});
  }
  return table(rows);
}

// "copies the data of X: 40 MB in 3 s", or that it waits to; "" where neither.
std::string seeding_text(const json::object& member) {
  const auto* seeding = member.if_contains("seeding");
  if (seeding == nullptr || !seeding->is_object()) return {};
  const json::object& it = seeding->get_object();
  if (text_of(it, "state") != "copying") return "waits for a member whose data it can copy";
  constexpr std::uint64_t kMega = std::uint64_t{1} << 20;
  const auto bytes = it.at("bytes").to_number<std::uint64_t>();
  return "copies the data of " + text_of(it, "donor") + ": " + std::to_string(bytes / kMega) + " MB in " +
         text_of(it, "seconds") + " s";
}

// "" of a member that is no replica.
std::string lag_text(const json::object& member) {
  const std::string lag = text_of(member, "lag_ms");
  if (lag.empty()) return text_of(member, "role") == "replica" ? "unknown" : "";
  return lag.starts_with('-') ? "" : lag + " ms";
}

std::string members_text(const json::array& members) {
  std::vector<std::vector<std::string>> rows{
      {"MEMBER", "ROLE", "STATE", "ADDRESS", "AGENT", "LAG", "GTID"}};
  std::string problems;
  for (const auto& value : members) {
    const json::object& member = value.as_object();
    const std::string port = text_of(member, "port");
    rows.push_back(
        {text_of(member, "id"), text_of(member, "role"), text_of(member, "state"),
         port == "0" ? "" : text_of(member, "host") + ":" + port, text_of(member, "agent"),
         lag_text(member), text_of(member, "gtid")});
    if (const std::string problem = text_of(member, "problem"); !problem.empty()) {
      problems += text_of(member, "id") + ": " + problem + "\n";
    }
    if (const std::string seeding = seeding_text(member); !seeding.empty()) {
      problems += text_of(member, "id") + ": " + seeding + "\n";
    }
  }
  return table(rows) + problems;
}

namespace {

// A text that a server tells and this table has no row for is shown by its name: "on_call": "anna" as "On call  anna".
void add_others(const json::object& cluster, std::vector<std::vector<std::string>>& rows) {
  static constexpr auto kElsewhere = std::to_array<std::string_view>(
      {"name", "id", "state", "mode", "primary", "doubt", "user", "waiting_for", "version", "created", "password"});
  for (const auto& field : cluster) {
    const bool elsewhere = std::ranges::find(kElsewhere, std::string_view(field.key())) != kElsewhere.end();
    if (elsewhere || !field.value().is_string()) continue;
    std::string name(field.key());
    std::ranges::replace(name, '_', ' ');
    if (!name.empty() && name[0] >= 'a' && name[0] <= 'z') name[0] = static_cast<char>(name[0] - 'a' + 'A');
    if (const std::string text = text_of(cluster, field.key()); !text.empty()) rows.push_back({printable(name), text});
  }
}

}  // namespace

std::string cluster_text(const json::object& cluster) {
  const json::object& size = child(cluster, "size");
  const json::object& endpoints = child(cluster, "endpoints");
  std::string replicas;
  for (const auto& replica : list(endpoints, "replicas")) {
    replicas += (replicas.empty() ? "" : ", ") + std::string(replica.as_string());
  }
  std::vector<std::vector<std::string>> rows{
      {"Cluster", text_of(cluster, "name")},
      {"State", text_of(cluster, "state")},
      {"Version", text_of(cluster, "version")},
      {"Size", text_of(size, "members") + " members of " + text_of(size, "cpus") + " CPU, " +
                   text_of(size, "mem") + " memory, " + text_of(size, "disk") + " disk"},
      {"Epoch", text_of(cluster, "epoch") + "." + text_of(cluster, "config") + ", " +
                    text_of(cluster, "mode")},
      {"Primary", text_of(endpoints, "primary")},
      {"Replicas", replicas},
      {"User", text_of(cluster, "user")}};
  if (const std::string stable = text_of(endpoints, "read_write"); !stable.empty()) {
    rows.push_back({"Read-write port", stable});
    rows.push_back({"Read-only port", text_of(endpoints, "read_only")});
  }
  if (const std::string waiting = text_of(cluster, "waiting_for"); !waiting.empty())
    rows.push_back({"Waiting for", waiting});
  add_others(cluster, rows);
  return table(rows) + "\n" + members_text(list(cluster, "members"));
}

std::string event_text(const json::object& event) {
  std::string line = text_of(event, "time");
  for (const char* key : {"cluster", "member", "kind"}) {
    if (const std::string word = text_of(event, key); !word.empty()) line += " " + word;
  }
  line += ": " + text_of(event, "message");
  const json::object& by = child(event, "by");
  if (by.empty()) return line + "\n";
  const std::string from = text_of(by, "from");
  return line + " (by " + text_of(by, "who") + (from.empty() ? "" : " from " + from) + ")\n";
}

std::string orphans_text(const json::object& answer) {
  std::vector<std::vector<std::string>> rows{{"ORPHAN", "CLUSTER", "MEMBER", "AGENT", "DISK", "FATE"}};
  for (const auto& value : list(answer, "orphans")) {
    const json::object& o = value.as_object();
    const std::string disk = text_of(o, "volume").empty() ? "no volume" : text_of(o, "disk");
    rows.push_back({text_of(o, "id"), text_of(o, "cluster_name"), text_of(o, "member"), text_of(o, "hostname"), disk,
                    text_of(o, "fate")});
  }
  std::vector<std::vector<std::string>> tasks{{"TASK", "CLUSTER", "AGENT", "STATE"}};
  for (const auto& value : list(answer, "tasks")) {
    const json::object& t = value.as_object();
    tasks.push_back({text_of(t, "task"), text_of(t, "cluster_name"), text_of(t, "agent"), text_of(t, "state")});
  }
  if (rows.size() == 1 && tasks.size() == 1) return "There are no orphans.\n";
  std::string out;
  if (rows.size() > 1) out += table(rows) + "\n";
  if (tasks.size() > 1) out += "Tasks that the state does not know; Mysos does not touch them:\n" + table(tasks) + "\n";
  return out + "mysos orphans adopt CLUSTER takes a cluster back; mysos orphans destroy ORPHAN destroys one volume.\n";
}

std::string versions_text(const json::array& versions) {
  std::vector<std::vector<std::string>> rows{{"VERSION", "LEAST MEMORY", ""}};
  for (const auto& value : versions) {
    const json::object& version = value.as_object();
    rows.push_back({text_of(version, "name"), text_of(version, "min_mem"),
                    text_of(version, "default") == "true" ? "default" : ""});
  }
  return table(rows);
}

std::string progress_text(const json::object& cluster) {
  std::size_t running = 0;
  const json::array& members = list(cluster, "members");
  for (const auto& member : members)
    running += text_of(member.as_object(), "state") == "running" ? 1 : 0;
  std::string line = text_of(cluster, "name") + " is " + text_of(cluster, "state") + ": " +
                     std::to_string(running) + " of " + std::to_string(members.size()) +
                     " servers running";
  const std::string waiting = text_of(cluster, "waiting_for");
  return waiting.empty() ? line : line + ", waiting for " + waiting;
}

}  // namespace mysos::cli
