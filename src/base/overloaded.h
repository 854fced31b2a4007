// SPDX-License-Identifier: Apache-2.0
#pragma once
// Lambdas as one function object for std::visit, one of them for each alternative.

namespace mysos {

template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};

}  // namespace mysos
