// SPDX-License-Identifier: Apache-2.0
#pragma once
// The commands that the scheduler takes. A command names its fields once, by `fields` as for JSON (base/json.h). If it is a
// plain call (a POST with these fields as its body), it also has words. From these follow the API's route, check and parser,
// and the verb, arguments and flags of the command line (api/command_form.h). commands.cc carries commands out.
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "model/caller.h"
#include "model/cluster.h"

namespace mysos {

// One field of the body, on the command line. Required fields are positional, in their order; all others are flags.
struct FieldWords {
  std::string_view field;
  std::string_view word;  // "--to"; "member" for a positional argument
  std::string_view help;
};
// What the command line's --wait waits for.
enum class Awaited { kNothing, kAnotherPrimary };
struct CommandWords {
  std::string_view operation;  // its operationId in openapi.json
  std::string_view path;       // of the POST; "{name}" in it is Command::name
  std::string_view verb = {};  // `mysos VERB`; "": special code of the command line handles it
  std::string_view help = {};
  std::string_view done = {};  // printed afterwards: "{x}" is field x of the body or the answer; "": the cluster is shown
  Awaited awaited = Awaited::kNothing;
  std::array<FieldWords, 4> fields = {};
};

namespace command {

// The shell has made the secrets; the spec is as the user gave it.
struct Create {
  ClusterSpec spec;
  std::string sealed_secrets;
  std::string token_hash;
  WallTime at;
};

struct Delete {};

struct Switchover {
  static constexpr CommandWords kWords{
      .operation = "switchover",
      .path = "/v1/clusters/{name}/switchover",
      .verb = "switchover",
      .help = "make another member the primary",
      .awaited = Awaited::kAnotherPrimary,
      .fields = {{{"to", "--to", "the member (default: the best one)"}}}};
  std::optional<MemberId> to;
};
template <class Io>
void fields(Io& io, Switchover& c) {
  io("to", c.to);
}

// Begins at once, without evidence. Without accept_loss it is refused if acknowledged writes may be lost.
struct Failover {
  static constexpr CommandWords kWords{
      .operation = "failover",
      .path = "/v1/clusters/{name}/failover",
      .verb = "failover",
      .help = "replace the primary now, without waiting for evidence",
      .awaited = Awaited::kAnotherPrimary,
      .fields = {{{"to", "--to", "the member (default: the best one)"},
                  {"accept_loss", "--accept-loss", "even if acknowledged writes may be lost"}}}};
  FailoverRequest wanted;
};
template <class Io>
void fields(Io& io, Failover& c) {
  io("to", c.wanted.to);
  io("accept_loss", c.wanted.accept_loss);
}

struct Promote {
  static constexpr CommandWords kWords{
      .operation = "setPromotion",
      .path = "/v1/clusters/{name}/promotion",
      .verb = "promotion",
      .help = "set how elections treat a member",
      .done = "{member}: {promotion}",
      .fields = {{{"member", "member", ""}, {"promotion", "promotion", "prefer, neutral or avoid"}}}};
  MemberId member;
  Promotion promotion = Promotion::kNeutral;
};
template <class Io>
void fields(Io& io, Promote& c) {
  io.required("member", c.member);
  io.required("promotion", c.promotion);
}

// Changes the user's password. The shell has made the secrets from those that it found under `after`.
struct ChangeCredentials {
  std::string sealed_secrets;
  std::uint64_t after = 0;
  bool retires = false;  // keeps the password and makes the previous one invalid
};

// Destroys an orphan's volume with its data. Command::name is the orphan's id. Idempotent.
struct DestroyOrphan {
  static constexpr CommandWords kWords{.operation = "destroyOrphan", .path = "/v1/orphans/{name}/destroy"};
};
template <class Io>
void fields(Io&, DestroyOrphan&) {}

// Takes back a cluster that the state does not know, from what its members hold. Idempotent.
struct Adopt {
  static constexpr CommandWords kWords{.operation = "adoptCluster", .path = "/v1/orphans/adopt"};
  std::string cluster;  // name or id
  std::string as;       // a new name; "" = its own
  [[nodiscard]] Status check() const {
    if (!cluster.empty()) return {};
    return fail(Errc::kInvalid, "cluster must be the name or the id of a cluster", "cluster");
  }
};
template <class Io>
void fields(Io& io, Adopt& c) {
  io.required("cluster", c.cluster);
  io("as", c.as);
}

// After Mesos has removed this framework: subscribes as a new framework, and adopts what has the label of the old one.
struct Register {
  static constexpr CommandWords kWords{
      .operation = "register",
      .path = "/v1/register",
      .verb = "register",
      .help = "register the scheduler with Mesos again, after Mesos has removed it",
      .done = "A new framework is being registered; the databases are started again on their volumes. See mysos events."};
};
template <class Io>
void fields(Io&, Register&) {}

using Any = std::variant<Create, Delete, Switchover, Failover, Promote, ChangeCredentials, DestroyOrphan, Adopt, Register>;

}  // namespace command

struct Command {
  RequestId request;
  Caller caller;
  std::string name;  // of the cluster; or the id of an orphan; "": none
  command::Any what;
};

}  // namespace mysos
