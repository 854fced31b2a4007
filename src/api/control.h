// SPDX-License-Identifier: Apache-2.0
#pragma once
// The scheduler's loop, as the API uses it. A call that changes something returns once the change is
// durable, or with an Error by its deadline; kTimeout means that the outcome is unknown. The
// pointers inside a ClusterView are good until the next co_await. Belongs to the thread of the
// io_context.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/asio.h"
#include "base/http/message.h"
#include "base/result.h"
#include "core/scheduler_core.h"
#include "model/cluster.h"
#include "store/event_log.h"

namespace mysos {

struct CreateRequest {
  ClusterSpec spec;
  std::optional<std::string> password;  // of the user; generated if none is given
};
struct CreatedCluster {
  ClusterId id;
  std::string password;
};

struct Credentials {
  std::string user;
  std::string password;
  std::optional<Endpoint> primary;  // the address where it is valid now
  bool applied = true;              // a primary has it
  bool old_password_valid = false;  // the previous password is still valid
  bool changed_in_sql = false;      // somebody changed the password in SQL, so Mysos does not know it
};
enum class CredentialsChange { kRotate, kRetire };

// A known agent: by an offer, or because a member is on it.
struct AgentView {
  AgentId id;
  std::string hostname;
  std::string ip;
  std::optional<WallTime> last_offer;
  Resources offered;  // of the last offer
  std::vector<MemberId> members;
};

struct Health {
  bool mesos_connected = false;
  std::string store_problem;  // "" = the last commit succeeded
  std::string mesos_problem = {};  // why there is no subscription, in the master's words
  [[nodiscard]] bool ready() const { return mesos_connected && store_problem.empty(); }
};

class Control {
 public:
  virtual ~Control() = default;

  [[nodiscard]] virtual std::vector<ClusterView> clusters() = 0;  // by name
  [[nodiscard]] virtual std::optional<ClusterView> cluster(const std::string& name) = 0;
  [[nodiscard]] virtual const std::vector<VersionInfo>& versions()
      const = 0;  // the first is the default
  [[nodiscard]] virtual std::vector<AgentView> agents() = 0;

  // Reservations with our label that belong to no member.
  [[nodiscard]] virtual OrphansView orphans() = 0;

  // Carries a command out, or refuses it (kConflict has the reason). Returns its cluster; `name` as in Command.
  virtual asio::awaitable<Result<ClusterId>> command(Caller caller, std::string name, command::Any what) = 0;
  // These make or read secrets. Each is recorded as an event.
  virtual asio::awaitable<Result<CreatedCluster>> create(Caller caller, CreateRequest request) = 0;
  virtual asio::awaitable<Result<Credentials>> credentials(Caller caller, std::string name) = 0;
  // Sets another password, with the previous one still valid; or makes the previous one invalid. The answer is stored, not yet
  // applied.
  virtual asio::awaitable<Result<Credentials>> change_credentials(Caller caller, std::string name,
                                                                  CredentialsChange change) = 0;
  virtual Result<bool> is_password_of(const std::string& name, const std::string& password) = 0;

  virtual asio::awaitable<Result<std::vector<StoredEvent>>> events(EventQuery query) = 0;
  // The id of the cluster that has this name, or had it last according to the event log; "" = none.
  virtual asio::awaitable<Result<ClusterId>> newest_named(std::string name) = 0;
  [[nodiscard]] virtual std::uint64_t last_event_seq() const = 0;
  // Notified when a call above may answer differently.
  virtual Signal& changed() = 0;

  [[nodiscard]] virtual Health health() const = 0;
  [[nodiscard]] virtual std::string metrics() = 0;
};

}  // namespace mysos
