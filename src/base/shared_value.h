// SPDX-License-Identifier: Apache-2.0
#pragma once
// An optional value with copy-on-write: copies share the value until one of them is changed. For large values that are copied
// often and changed rarely, such as a member's report in the scheduler. Reads like a std::optional, and is as thread-safe:
// copies may go to other threads, but two threads may not use one object.
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
  // Access for a change, which earlier copies do not see.
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
