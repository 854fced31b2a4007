// SPDX-License-Identifier: Apache-2.0
#include "core/commands.h"

#include "core/provisioning/admission.h"
#include "core/reporting/server_events.h"
#include "core/switchover.h"

namespace mysos {
namespace {

constexpr std::size_t kClusterIdLength = 8;

// One run() for each command: of a cluster that is there, or of a name that means something else.
struct Work : CommandParts {
  Instant now;

  Result<ClusterId> run(const command::Create& in, const std::string&) const {
    MYSOS_TRY_VOID(check_room(ledger.state()));
    MYSOS_TRY(ClusterSpec spec, admit(in.spec, ledger.state(), config.versions, provisioner.agents()));
    Cluster cluster;
    do {
      cluster.id = ClusterId(ledger.prng().name(kClusterIdLength));
    } while (ledger.find(cluster.id) != nullptr);
    cluster.spec = std::move(spec);
    add_members(cluster, cluster.spec.members);
    cluster.sealed_secrets = in.sealed_secrets;
    cluster.token_hash = in.token_hash;
    cluster.created = in.at;
    for (const Member& m : cluster.members) table.add(cluster, m, now);
    ClusterId id = cluster.id;
    ledger.event(cluster, {EventKind::kClusterCreated, std::to_string(cluster.spec.members) + " member(s) of " +
                                                  cluster.spec.version + " were asked for"});
    ledger.add(std::move(cluster));
    provisioner.cluster_added(now);
    return id;
  }

  Result<ClusterId> run(const command::Delete&, const Cluster& cluster) const {
    const ClusterId id = cluster.id;
    provisioner.begin_delete(id, now);
    return id;
  }

  Result<ClusterId> run(const command::Switchover& in, const Cluster& found) const {
    MYSOS_TRY(MemberId target, switchover_target(found, views_of(found, table), in.to));
    if (found.switchover_to == target) return found.id;
    Cluster& cluster = ledger.edit(found.id);
    cluster.switchover_to = target;
    ledger.event(cluster, target, {EventKind::kSwitchoverRequested, "an operator asked for a switchover"});
    return cluster.id;
  }

  Result<ClusterId> run(const command::Failover& in, const Cluster& cluster) const {
    return begin_failover(ledger, cluster, views_of(cluster, table), in.wanted);
  }

  Result<ClusterId> run(const command::Promote& in, const Cluster& cluster) const {
    return set_promotion(ledger, cluster, in.member, in.promotion);
  }

  Result<ClusterId> run(const command::ChangeCredentials& in, const Cluster& cluster) const {
    return change_credentials(ledger, cluster, in);
  }

  Result<ClusterId> run(const command::DestroyOrphan&, const std::string& id) const {
    return provisioner.destroy_orphan(id, now);
  }

  Result<ClusterId> run(const command::Adopt& in, const std::string&) const { return provisioner.adopt(in, now); }

  Result<ClusterId> run(const command::Register&, const std::string&) const {
    MYSOS_TRY_VOID(registration.begin_anew());
    for (const auto& [id, cluster] : ledger.state().clusters) ledger.touch(id);
    return ClusterId();
  }

  [[nodiscard]] Result<const Cluster*> living(const std::string& name) const {
    const Cluster* cluster = ledger.find_by_name(name);
    if (cluster == nullptr) return fail(Errc::kNotFound, "there is no cluster named '" + name + "'");
    if (cluster->deleting) return fail(Errc::kNotFound, "cluster '" + name + "' is being deleted");
    return cluster;
  }

  // A framework that Mesos has removed may do one thing: be registered again.
  Result<ClusterId> run(const Command& command) const {
    if (!std::holds_alternative<command::Register>(command.what)) MYSOS_TRY_VOID(registration.may_act());
    return std::visit(
        [&](const auto& what) -> Result<ClusterId> {
          if constexpr (requires(const Cluster& cluster) { run(what, cluster); }) {
            MYSOS_TRY(const Cluster* cluster, living(command.name));
            return run(what, *cluster);
          } else {
            return run(what, command.name);
          }
        },
        command.what);
  }
};

}  // namespace

void carry_out(const Command& command, const CommandParts& parts, Instant now) {
  parts.ledger.acts_for(&command.caller);
  parts.ledger.reply(command.request, Work{parts, now}.run(command));
  parts.ledger.acts_for(nullptr);
}

}  // namespace mysos
