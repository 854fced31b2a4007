// SPDX-License-Identifier: Apache-2.0
#include "executor/volume_probe.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "base/clock.h"
#include "base/fs.h"

namespace mysos {
namespace {

Status write_once(const std::string& dir) {
  const std::string path = dir + "/probe";
  const Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  if (!fd.valid()) return std::unexpected(errno_error("open", path, errno));
  static constexpr std::array<char, 512> kBlock{};
  if (::pwrite(fd.get(), kBlock.data(), kBlock.size(), 0) < 0) {
    return std::unexpected(errno_error("write", path, errno));
  }
  if (::fdatasync(fd.get()) != 0) return std::unexpected(errno_error("sync", path, errno));
  MYSOS_TRY(const Bytes left, free_bytes(dir));
  if (left.value < kProbeFree) return fail(Errc::kIo, "no space is left on the volume");
  return {};
}

}  // namespace

struct VolumeProbe::State {
  explicit State(std::string folder) : dir(std::move(folder)) {}
  const std::string dir;
  std::mutex mutex;
  std::condition_variable ending;
  bool end = false;
  std::optional<Instant> began;  // of the write under way
  std::string trouble;
};

VolumeProbe::VolumeProbe(std::string dir) : state_(std::make_shared<State>(std::move(dir))) {
  std::thread([state = state_] { probe(state); }).detach();
}

VolumeProbe::~VolumeProbe() {
  const std::lock_guard lock(state_->mutex);
  state_->end = true;
  state_->ending.notify_all();
}

void VolumeProbe::probe(const std::shared_ptr<State>& state) {
  std::unique_lock lock(state->mutex);
  while (!state->end) {
    state->began = steady_now();
    lock.unlock();
    const Status written = write_once(state->dir);
    lock.lock();
    state->began.reset();
    state->trouble = written ? std::string() : written.error().message;
    state->ending.wait_for(lock, kProbeEvery, [&] { return state->end; });
  }
}

std::string VolumeProbe::trouble() const {
  const std::lock_guard lock(state_->mutex);
  if (state_->began && steady_now() - *state_->began >= kProbeSlow) return "a write to the volume does not finish";
  return state_->trouble;
}

}  // namespace mysos
