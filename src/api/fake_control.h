// SPDX-License-Identifier: Apache-2.0
#pragma once
// A fake of the scheduler's loop for the API's and the command line's tests: clusters are made at
// once and are what the test says they are. It places nothing and starts nothing.
#include <map>

#include "api/control.h"
#include "base/test_loop.h"

namespace mysos {

class FakeControl final : public Control {
 public:
  explicit FakeControl(asio::any_io_executor executor) : changed_(std::move(executor)) {}

  std::map<std::string, Cluster> made;
  std::map<std::string, std::string> passwords;
  std::map<std::string, ClusterState> states;
  std::optional<Error> refusal;  // of everything that changes something
  Health said_health{true, ""};
  std::vector<StoredEvent> log;
  std::map<std::string, std::string> deleted;  // clusters that the log knows: name, id
  std::vector<VersionInfo> offered_versions{{"mariadb-10.11", Flavour::kMariadb, mib(256)}};
  int creates = 0;
  int passwords_read = 0;
  std::optional<Caller> called_by;  // the newest that changed something, or read a password
  std::vector<std::pair<std::string, command::Any>> commanded;  // name, what
  OrphansView said_orphans;
  std::map<std::string, Cluster> unknown;  // can be adopted

  void add_event(std::string cluster_id, std::string kind) {
    const json::object event{{"kind", std::move(kind)}, {"message", "because"}};
    log.push_back({log.size() + 1, std::move(cluster_id), 1000, json::serialize(event)});
    changed_.notify_all();
  }

  std::vector<ClusterView> clusters() override {
    std::vector<ClusterView> out;
    for (const auto& [name, cluster] : made) out.push_back(*this->cluster(name));
    return out;
  }
  std::optional<ClusterView> cluster(const std::string& name) override {
    const auto at = made.find(name);
    if (at == made.end()) return std::nullopt;
    ClusterView view{.cluster = &at->second, .state = states[name], .waiting_for = "a test"};
    for (const Member& member : at->second.members) {
      view.members.push_back(MemberView{.id = member.id, .host = member.place().ip, .port = member.place().port});
    }
    return view;
  }
  const std::vector<VersionInfo>& versions() const override { return offered_versions; }
  std::vector<AgentView> agents() override {
    return {{AgentId("agent-1"), "host-1", "127.0.0.1", std::nullopt, {}, {}}};
  }

  asio::awaitable<Result<CreatedCluster>> create(Caller caller, CreateRequest request) override {
    called_by = std::move(caller);
    ++creates;
    if (refusal) co_return std::unexpected(*refusal);
    const std::string name = request.spec.name;
    if (made.contains(name)) co_return fail(Errc::kConflict, "the name is taken", "name");
    Cluster cluster{.id = ClusterId("id-" + name), .spec = request.spec};
    cluster.members.push_back(
        Member{.id = MemberId("id-" + name + "-0"), .granted = Granted{.place = {.ip = "127.0.0.1", .port = 3306}}});
    made[name] = cluster;
    passwords[name] = request.password.value_or("made-by-the-fake");
    changed_.notify_all();
    co_return CreatedCluster{cluster.id, passwords[name]};
  }
  OrphansView orphans() override { return said_orphans; }
  asio::awaitable<Result<ClusterId>> command(Caller caller, std::string name, command::Any what) override {
    if (refusal) co_return std::unexpected(*refusal);
    called_by = std::move(caller);
    if (std::holds_alternative<command::Delete>(what)) {
      if (made.contains(name)) deleted[name] = made[name].id.value;
      made.erase(name);
    }
    if (const auto* adopt = std::get_if<command::Adopt>(&what)) {
      if (auto found = unknown.extract(adopt->cluster)) made.insert(std::move(found));
    }
    commanded.emplace_back(name, std::move(what));
    changed_.notify_all();
    if (made.contains(name)) co_return made[name].id;
    co_return name.empty() && !made.empty() ? made.begin()->second.id : ClusterId();
  }
  // The newest command, if it is of that kind.
  template <class What>
  [[nodiscard]] const What* newest() const {
    return commanded.empty() ? nullptr : std::get_if<What>(&commanded.back().second);
  }
  asio::awaitable<Result<Credentials>> credentials(Caller caller, std::string name) override {
    called_by = std::move(caller);
    ++passwords_read;
    co_return Credentials{made[name].spec.user, passwords[name], Endpoint{"127.0.0.1", 3306}};
  }
  asio::awaitable<Result<Credentials>> change_credentials(Caller caller, std::string name, CredentialsChange change) override {
    if (refusal) co_return std::unexpected(*refusal);
    called_by = std::move(caller);
    const bool rotate = change == CredentialsChange::kRotate;
    if (rotate) passwords[name] += "-2";
    co_return Credentials{made[name].spec.user, passwords[name], Endpoint{"127.0.0.1", 3306}, true, rotate};
  }
  Result<bool> is_password_of(const std::string& name, const std::string& password) override {
    return passwords[name] == password;
  }
  asio::awaitable<Result<std::vector<StoredEvent>>> events(EventQuery query) override {
    std::vector<StoredEvent> out;
    for (const StoredEvent& event : log) {
      const bool wanted =
          event.seq > query.after_seq && (!query.cluster || *query.cluster == event.cluster);
      if (wanted && out.size() < query.limit) out.push_back(event);
    }
    co_return out;
  }
  asio::awaitable<Result<ClusterId>> newest_named(std::string name) override {
    const auto found = made.find(name);
    if (found != made.end()) co_return found->second.id;
    co_return ClusterId(deleted[name]);
  }
  std::uint64_t last_event_seq() const override { return log.size(); }
  Signal& changed() override { return changed_; }
  Health health() const override { return said_health; }
  std::string metrics() override { return "fake 1\n"; }

 private:
  Signal changed_;
};

}  // namespace mysos
