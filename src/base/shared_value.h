// SPDX-License-Identifier: Apache-2.0
#pragma once
// A value, or none, whose copies share it until one of them is changed: for what is big, copied often and changed
// rarely, as a member's report on its way through the scheduler. Reads as a std::optional. As thread-safe as that: copies
// may go to other threads, one object may not be used by two.
#include <memory>
#include <utility>

namespace mysos {

template <class T>
class SharedValue {
 public:
  SharedValue() = default;
  SharedValue(T value) : value_(std::make_shared<T>(std::move(value))) {}  // implicit, as std::optional is

  [[nodiscard]] bool has_value() const { return value_ != nullptr; }
  explicit operator bool() const { return has_value(); }
  const T& operator*() const { return *value_; }
  const T* operator->() const { return value_.get(); }
  // To change it: no copy made before sees that.
  T& operator*() { return own(); }
  T* operator->() { return &own(); }
  void reset() { value_.reset(); }
  // The same value, not merely an equal one.
  [[nodiscard]] bool shares(const SharedValue& other) const { return value_ == other.value_; }

 private:
  T& own() {
    if (value_.use_count() != 1) value_ = std::make_shared<T>(std::as_const(*value_));
    return *value_;
  }
  std::shared_ptr<T> value_;  // shared by the copies
};

}  // namespace mysos
