// SPDX-License-Identifier: Apache-2.0
#include "stories/storyteller.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <sstream>

#include "stories/transcript.h"

namespace mysos::scenario {
namespace {

class Storyteller {
 public:
  std::string tell(const std::string& story) {
    std::istringstream lines(story);
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with("#")) text_ += line + "\n";
      if (!line.starts_with("> ")) continue;
      text_ += "\n" + line + "\n";
      carry_out(line.substr(2));
    }
    return text_;
  }

 private:
  void carry_out(const std::string& command) {
    std::istringstream words(command);
    std::string verb;
    std::string first;
    std::string second;
    words >> verb >> first >> second;
    if (verb == "agents") return begin(std::stoi(first));
    if (!world_) begin(3);
    if (verb == "healthy") return create_in_silence(first, static_cast<std::uint32_t>(std::stoul(second)));
    if (verb == "create") return create(first, static_cast<std::uint32_t>(std::stoul(second)));
    if (verb == "delete") return void(world_->remove(first));
    if (verb == "switchover") return void(world_->switch_over(first, to(second)));
    if (verb == "until") return until(first);
    if (verb == "run") return run(std::chrono::seconds(std::stoi(first)));
    if (verb == "write") return write(static_cast<std::uint64_t>(std::stoull(first)));
    if (verb == "restart") return restart();
    if (verb == "show") return show();
    if (verb == "crash") return crash(who(first));
    if (verb == "recover") return recover(who(first));
    if (verb == "freeze") return freeze(who(first));
    if (verb == "thaw") return thaw(who(first));
    if (verb == "errant") return errant(who(first));
    if (verb == "end") return end(who(first));
    ADD_FAILURE() << "a story does not know the command: " << command;
  }

  void begin(int agents) {
    ASSERT_FALSE(world_) << "agents N comes first";
    world_ = std::make_unique<Scenario>(agents);
    world_->let_members_live();
    world_->report_to_each = true;
    world_->watch = [this](const SchedulerInput& in, const SchedulerOutput& out) {
      text_ += transcript_of(in, out, world_->records, world_->now);
    };
  }

  void create(const std::string& name, std::uint32_t members) {
    name_ = name;
    (void)world_->create(name, members);
  }

  void create_in_silence(const std::string& name, std::uint32_t members) {
    const std::string told = text_;
    create(name, members);
    until("healthy");
    run(std::chrono::seconds(10));  // until nothing is left to be said
    text_ = told;
    show();
  }

  void until(const std::string& state) {
    const Instant end = world_->now + std::chrono::seconds(90);
    while (!is(state) && world_->now < end) pass(std::chrono::milliseconds(100));
    ASSERT_TRUE(is(state)) << name_ << " is not " << state << " within 90 s";
  }
  [[nodiscard]] bool is(const std::string& state) const {
    const auto view = world_->core->view(name_, world_->now);
    return view ? enum_text(view->state) == state : state == "gone";
  }

  void run(Duration duration) {
    for (const Instant end = world_->now + duration; world_->now < end;) pass(std::chrono::milliseconds(100));
  }
  // Who lives reports. A primary knows how many acknowledge.
  void pass(Duration time) {
    world_->run_for(time);
    for (auto& [id, primary] : world_->members) {
      primary.now.gtid_source = source_of(id);
      if (primary.now.role != MemberRole::kPrimary) continue;
      primary.now.semi_sync_clients = static_cast<std::uint32_t>(std::ranges::count_if(world_->members, [&](const auto& other) {
        const MemberReport& r = other.second.now;
        return !other.second.silent && r.source == id && r.acking && r.receiver_connected;
      }));
    }
    for (auto& [id, member] : world_->members) {
      if (!member.silent) say(id);
    }
  }

  void restart() {
    world_->start();
    text_ += "  the next scheduler has read the records\n";
  }

  void show() {
    const auto view = world_->core->view(name_, world_->now);
    if (!view) {
      text_ += "  there is no cluster " + name_ + "\n";
      return;
    }
    const EpochRecord& epoch = view->cluster->epoch;
    text_ += fmt::format("  {} is {}, epoch {}, {}", name_, enum_text(view->state), epoch.pair.epoch, enum_text(epoch.mode));
    text_ += view->waiting_for.empty() ? "\n" : "; it waits for " + view->waiting_for + "\n";
    for (const MemberView& m : view->members) {
      const std::string what = !m.report ? "has not reported"
                                         : fmt::format("{}{}, executed {}", enum_text(m.report->role),
                                                       m.report->acking ? ", acknowledges" : "",
                                                       m.report->executed.empty() ? "nothing" : m.report->executed.to_string());
      text_ += fmt::format("  {} {}: {}\n", m.id.value, m.connected ? "reachable" : "unreachable", what);
    }
  }

  // ---- members ----
  MemberId who(const std::string& word) {
    const Cluster& cluster = world_->cluster(name_);
    if (word == "primary") return cluster.epoch.primary.value_or(MemberId());
    if (word != "replica") return cluster.members.at(std::stoul(word)).id;
    for (const Member& m : cluster.members) {
      if (m.id != cluster.epoch.primary) return m.id;
    }
    return MemberId();
  }
  std::optional<MemberId> to(const std::string& word) { return word.empty() ? std::nullopt : std::optional(who(word)); }

  MemberReport& report(const MemberId& member) { return world_->members.at(member).now; }
  void say(const MemberId& member) { world_->give(scheduler_input::Reported{world_->members.at(member).beat()}); }

  // What the member does to its followers: those that hear it, as long as they do.
  template <class Change>
  void followers_of(const MemberId& member, const Change& change) {
    for (auto& [id, follower] : world_->members) {
      if (id == member || follower.silent || follower.now.source != member) continue;
      change(follower.now);
      say(id);
    }
  }

  void write(std::uint64_t count) {
    const MemberId primary = who("primary");
    MemberReport& at = report(primary);
    ASSERT_TRUE(at.writable) << "nobody can write at " << primary.value;
    execute(primary, count);
    say(primary);
    followers_of(primary, [&](MemberReport& r) {
      if (r.receiver_connected) r.executed = r.received = at.executed;
    });
  }

  // MariaDB's way to count: who wrote it, and the how many-th of that writer.
  static std::string source_of(const MemberId& member) { return "0-10" + member.value.substr(member.value.rfind('-') + 1); }
  void execute(const MemberId& member, std::uint64_t count) {
    const std::string source = source_of(member);
    GtidSet& executed = report(member).executed;
    const auto found = executed.sources().find(source);
    const std::uint64_t last = found == executed.sources().end() ? 0 : found->second.back().last;
    executed.add(source, last + 1, last + count);
    report(member).received = executed;
  }

  void crash(const MemberId& member) {
    MemberReport& r = report(member);
    r.server = ServerState::kStarting;
    r.crashed = true;
    r.problem = "mysqld was ended by signal 9";
    r.role = MemberRole::kIdle;
    r.writable = r.user_ready = r.acking = r.receiver_running = r.receiver_connected = r.applier_running = false;
    r.semi_sync_d = r.semi_sync_clients = 0;
    r.source.reset();
    say(member);
    followers_of(member, [](MemberReport& follower) { follower.receiver_connected = false; });
  }

  void recover(const MemberId& member) {
    MemberReport& r = report(member);
    r.server = ServerState::kRunning;
    r.crashed = false;
    r.problem.clear();
    r.incarnation = std::to_string(std::stoi(r.incarnation) + 1);
    say(member);
  }

  void freeze(const MemberId& member) {
    world_->members.at(member).silent = true;
    followers_of(member, [](MemberReport& follower) { follower.source_silent_ms = 2000; });
    world_->give(scheduler_input::WatchLost{member, "silent"});
  }

  void thaw(const MemberId& member) {
    world_->members.at(member).silent = false;
    say(member);
  }

  void errant(const MemberId& member) {
    execute(member, 1);
    say(member);
  }

  void end(const MemberId& member) {
    for (const Member& m : world_->cluster(name_).members) {
      if (m.id == member) world_->mesos.end_task(m.task, mesos::TaskState::kFailed, "REASON_COMMAND_EXECUTOR_FAILED");
    }
    world_->run_for(std::chrono::milliseconds(1));
  }

  std::unique_ptr<Scenario> world_;
  std::string name_;
  std::string text_;
};

}  // namespace

std::string tell(const std::string& story) { return Storyteller().tell(story); }

}  // namespace mysos::scenario
