// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the API asks of the scheduler's loop. Everything that changes something returns once it is
// durable, or with an Error by its deadline; kTimeout then means that the outcome is unknown. The
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
  std::optional<std::string> password;  // of the user; made where none is given
};
struct CreatedCluster {
  ClusterId id;
  std::string password;
};

struct Credentials {
  std::string user;
  std::string password;
  std::optional<Endpoint> primary;  // where it may be used now
  bool applied = true;              // a primary has been seen to have it
  bool old_password_valid = false;  // the one before it, until it is retired
  bool changed_in_sql = false;      // the primary has another one, which Mysos does not know
};
enum class CredentialsChange { kRotate, kRetire };

// An agent that has been heard of: by an offer, or because a member lives there.
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
  std::string mesos_problem = {};  // why there is no subscription, as far as the master said it
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

  // What carries our label and belongs to no member.
  [[nodiscard]] virtual OrphansView orphans() = 0;

  // Carried out, or refused: kConflict says what stands against it. The cluster that it was about; `name` as in Command.
  virtual asio::awaitable<Result<ClusterId>> command(Caller caller, std::string name, command::Any what) = 0;
  // These make secrets, or read them. Each leaves an event.
  virtual asio::awaitable<Result<CreatedCluster>> create(Caller caller, CreateRequest request) = 0;
  virtual asio::awaitable<Result<Credentials>> credentials(Caller caller, std::string name) = 0;
  // Another password, with the one before still valid; or only the newest one. What is answered is stored, and not yet applied.
  virtual asio::awaitable<Result<Credentials>> change_credentials(Caller caller, std::string name,
                                                                  CredentialsChange change) = 0;
  virtual Result<bool> is_password_of(const std::string& name, const std::string& password) = 0;

  virtual asio::awaitable<Result<std::vector<StoredEvent>>> events(EventQuery query) = 0;
  // The cluster that has this name, or had it last as far as the event log goes back; "" = none.
  virtual asio::awaitable<Result<ClusterId>> newest_named(std::string name) = 0;
  [[nodiscard]] virtual std::uint64_t last_event_seq() const = 0;
  // Something above may answer differently than before.
  virtual Signal& changed() = 0;

  [[nodiscard]] virtual Health health() const = 0;
  [[nodiscard]] virtual std::string metrics() = 0;
};

}  // namespace mysos
