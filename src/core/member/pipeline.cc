// SPDX-License-Identifier: Apache-2.0
#include "core/member/pipeline.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/assert.h"

namespace mysos {
namespace {

using namespace member_input;

// Each of them says all that there is to say of its subject.
template <class Input>
constexpr bool kOnlyNewestCounts =
    std::is_same_v<Input, Snapshot> || std::is_same_v<Input, Unanswered> || std::is_same_v<Input, Contact> ||
    std::is_same_v<Input, PasswordSeen> || std::is_same_v<Input, EventsMinded> || std::is_same_v<Input, VolumeProbed> ||
    std::is_same_v<Input, SeedProgress> || std::is_same_v<Input, Tick> || std::is_same_v<Input, Guarded>;

bool only_newest_counts(const MemberInput& input) {
  return std::visit([]<class Input>(const Input&) { return kOnlyNewestCounts<Input>; }, input);
}

template <class Text>
void keep_newest(std::vector<Text>& all) {
  if (all.size() > kMaxWaitingNotices) all.erase(all.begin(), all.end() - static_cast<std::ptrdiff_t>(kMaxWaitingNotices));
}

// A repair is reported once, so a look that replaces a waiting look takes its repairs over.
void take_over(Guarded& newer, Guarded older) {
  older.repaired.insert(older.repaired.end(), std::make_move_iterator(newer.repaired.begin()),
                        std::make_move_iterator(newer.repaired.end()));
  newer.repaired = std::move(older.repaired);
  keep_newest(newer.repaired);
}

}  // namespace

void MemberPipeline::push(MemberInput input) {
  if (!inputs_.empty() && only_newest_counts(input)) {
    const auto older = std::ranges::find(inputs_, input.index(), &MemberInput::index);
    if (older != inputs_.end()) {
      if (auto* guarded = std::get_if<Guarded>(&input)) take_over(*guarded, std::get<Guarded>(std::move(*older)));
      inputs_.erase(older);
    }
  }
  if (std::holds_alternative<Noticed>(input)) {
    const auto is_notice = [](const MemberInput& in) { return std::holds_alternative<Noticed>(in); };
    if (static_cast<std::size_t>(std::ranges::count_if(inputs_, is_notice)) >= kMaxWaitingNotices) {
      inputs_.erase(std::ranges::find_if(inputs_, is_notice));
    }
  }
  inputs_.push_back(std::move(input));
}

bool MemberPipeline::withdraw(std::uint64_t order) {
  return std::erase_if(inputs_, [&](const MemberInput& input) {
           const auto* given = std::get_if<OrderGiven>(&input);
           return given != nullptr && given->id == order;
         }) > 0;
}

std::optional<MemberOutput> MemberPipeline::step(Instant now) {
  MYSOS_ASSERT(next() != nullptr, "an input waits, and no promise");
  if (stale_) (void)report(true);  // what is durable, to be told while the next promise is not
  const MemberInput input = std::move(inputs_.front());
  inputs_.pop_front();
  core_.step(input, now);
  MemberOutput output = core_.take_output();
  stale_ = stale_ || output.report_changed || output.promise;
  if (!output.promise) return output;
  held_ = std::move(output);
  return std::nullopt;
}

Duration MemberPipeline::refused(std::string why) {
  problem_ = std::move(why);
  return pauses_.next();
}

MemberOutput MemberPipeline::durable() {
  problem_.clear();
  pauses_ = kPromisePauses;
  return *std::exchange(held_, std::nullopt);
}

SharedValue<MemberReport> MemberPipeline::report(bool server_alive) {
  if (!held_) {
    last_ = core_.report();
    stale_ = false;
    return last_;
  }
  MemberReport r = *std::as_const(last_);
  r.seq = core_.report().seq;
  r.busy = true;
  if (!problem_.empty()) r.problem = problem_;
  if (!server_alive && r.server != ServerState::kNone) {
    r.server = ServerState::kExited;
    r.writable = r.receiver_running = r.receiver_connected = r.acking = r.user_ready = false;
  }
  return r;
}

}  // namespace mysos
