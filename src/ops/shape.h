// For the checks at the head of every op.
#pragma once

#include <algorithm>
#include <cstdint>
#include <initializer_list>

#include "tensor/tensor.h"

namespace lmpo {

inline bool has_shape(const Tensor& x, std::initializer_list<std::int64_t> shape) {
  int axis = 0;
  return x.rank() == static_cast<int>(shape.size()) &&
         std::all_of(shape.begin(), shape.end(),
                     [&](std::int64_t size) { return x.dim(axis++) == size; });
}

}  // namespace lmpo
