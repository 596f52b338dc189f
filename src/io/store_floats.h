// From float32 to the storage types of files: the inverse of read_as_float.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "tensor/dtype.h"

namespace lmpo {

// Rounds each value to the nearest of float32, bfloat16 or float16, ties to even. `out` holds
// exactly values.size() elements and may start at any address. UserError that names the tensor
// where a finite value is too large for float16. Thread-safe.
void store_floats(std::span<const float> values, Dtype dtype, std::span<std::byte> out,
                  std::string_view tensor);

}  // namespace lmpo
