// SPDX-License-Identifier: Apache-2.0
#pragma once
// The executor's shell around MemberCore. It carries the output out in the order of the contract (core/member/output.h): first
// the promise on the volume, then server and plan, then answers. core/member/pipeline.h decides what waits, what may be sent,
// what is reported while the volume refuses a promise (a full disk), and when to try again. This class does the I/O. Belongs to
// the io_context's thread.
#include <map>
#include <optional>
#include <string>

#include "base/asio.h"
#include "base/metrics.h"
#include "base/task_group.h"
#include "core/member/pipeline.h"
#include "executor/member_api.h"
#include "executor/member_volume.h"

namespace mysos {

inline constexpr std::size_t kMaxWaitingOrders = 64;
inline constexpr Duration kMaxOrderTime = std::chrono::seconds(60);

struct TakenSecrets {
  json::object kept;
  std::uint64_t credentials = 0;  // the number of the user's password in them
  bool older = false;             // the given secrets are older than the kept ones
};
struct StoredSecrets {
  bool open = false;   // those of the accounts
  std::string sealed;  // those of the cluster's record, encrypted; "" = none
};

// The work on mysqld that the loop orders. Results come back through MemberLoop::feed.
class ServerSide {
 public:
  virtual ~ServerSide() = default;
  virtual void act(const ServerAction& action) = 0;
  virtual void run(StepPlan plan) = 0;    // replaces a running plan
  virtual void poll_fast(bool fast) = 0;  // how often to read snapshots
  // The secrets to store. kInvalid: not what this flavour needs. kConflict: `stored` are of another cluster. Only the user's
  // password may change.
  virtual Result<TakenSecrets> use_secrets(const json::object& secrets, const std::optional<json::object>& stored) = 0;
  [[nodiscard]] virtual bool alive() const = 0;  // a mysqld of ours is running
};

class MemberLoop final : public MemberService {
 public:
  // Every metric has `labels`. Background tasks run in `tasks`.
  MemberLoop(TaskGroup& tasks, const MemberVolume& volume, MemberCore core, ServerSide& side,
             Labels labels, StoredSecrets stored);
  ~MemberLoop() override;

  // Adopts a live mysqld, if there is one, and starts the loop.
  void start(std::optional<std::string> adopted_incarnation);
  void feed(MemberInput input);
  void stop() { feed(member_input::Stop{}); }
  [[nodiscard]] bool finished() const { return finished_; }  // changed() is notified
  [[nodiscard]] const std::string& sealed_secrets() const { return stored_.sealed; }

  MemberReport report() override;
  asio::awaitable<Result<MemberReport>> obey(Order order, json::object secrets) override;
  Signal& changed() override { return changed_; }
  [[nodiscard]] std::uint64_t version() const override { return version_; }
  std::string metrics() override;

 private:
  struct Waiting {
    explicit Waiting(const asio::any_io_executor& executor) : answered(executor) {}
    Signal answered;
    std::optional<Answer> answer;
  };
  void drain();
  void carry_out(MemberOutput output);
  [[nodiscard]] bool keep_promise();
  void count(const MemberInput& input);
  void count_seeding(std::string_view result);
  void count_ended_readers();
  Status store_secrets(json::object secrets);
  void note_change();
  asio::awaitable<void> keep_promise_later(Duration pause);
  asio::awaitable<void> ticks();

  TaskGroup& tasks_;
  const MemberVolume& volume_;
  MemberPipeline pipeline_;
  ServerSide& side_;
  Metrics metrics_;
  Labels labels_;
  Signal changed_;
  Signal stepped_;
  std::uint64_t version_ = 0;
  bool draining_ = false;
  bool finished_ = false;
  StoredSecrets stored_;
  std::map<std::uint64_t, Waiting*> waiting_;
  std::uint64_t next_order_ = 1;
};

}  // namespace mysos
