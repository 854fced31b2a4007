// SPDX-License-Identifier: Apache-2.0
// operator new of mysos-sim: a third of a simulated second went into memory for small objects. They are kept in lists by size,
// one set of lists for each thread, and never given back. Sanitizers want the usual one, and get it.
#include <array>
#include <cstddef>
#include <cstdlib>
#include <new>

#if !defined(__SANITIZE_ADDRESS__) && !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer) && \
    !__has_feature(memory_sanitizer)

namespace {

constexpr std::size_t kStep = 16;  // what operator new aligns to
constexpr std::size_t kSizes = 40;
constexpr std::size_t kChunk = std::size_t{256} << 10;

// Stands before each object; in a free one the next free one follows it.
struct alignas(kStep) Head {
  std::size_t steps = 0;  // 0: too large for a list
};
struct Free {
  Free* next = nullptr;
};

struct Lists {
  std::array<Free*, kSizes + 1> free{};
  std::byte* chunk = nullptr;
  std::size_t left = 0;
};
thread_local constinit Lists lists;

void* with_head(void* memory, std::size_t steps) {
  if (memory == nullptr) throw std::bad_alloc();
  return ::new (memory) Head{steps} + 1;
}

void* cut(std::size_t steps) {
  const std::size_t size = sizeof(Head) + steps * kStep;
  if (lists.left < size) {
    lists.chunk = static_cast<std::byte*>(std::malloc(kChunk));  // NOLINT: this is operator new
    lists.left = lists.chunk == nullptr ? 0 : kChunk;
    if (lists.chunk == nullptr) throw std::bad_alloc();
  }
  lists.left -= size;
  void* const memory = lists.chunk;
  lists.chunk += size;
  return with_head(memory, steps);
}

}  // namespace

void* operator new(std::size_t size) {
  const std::size_t steps = size == 0 ? 1 : (size + kStep - 1) / kStep;
  if (steps > kSizes) return with_head(std::malloc(sizeof(Head) + size), 0);  // NOLINT: this is operator new
  Free* const found = lists.free[steps];
  if (found == nullptr) return cut(steps);
  lists.free[steps] = found->next;
  return found;
}

void operator delete(void* object) noexcept {
  if (object == nullptr) return;
  Head* const head = static_cast<Head*>(object) - 1;
  if (head->steps == 0) return std::free(head);  // NOLINT: this is operator delete
  lists.free[head->steps] = ::new (object) Free{lists.free[head->steps]};
}

void operator delete(void* object, std::size_t /*size*/) noexcept { operator delete(object); }

#endif
