// Weights that are numbers: NaN and infinity are found where a checkpoint is read, and named.
#pragma once

#include <cstdint>
#include <span>

#include "io/checkpoint.h"

namespace lmpo {

// How many of the values are NaN or infinite.
std::int64_t count_not_finite(std::span<const float> values);
// Of a stored tensor, in the type it is stored in, by all threads.
std::int64_t count_not_finite(const TensorView& tensor);

// UserError that names the tensors that hold such values (the first five) and says how many each
// holds. Reads every tensor of a type that lmpo reads.
void require_finite(const Checkpoint& checkpoint);
// read_as_float of one of the checkpoint's tensors; UserError as of require_finite where a value
// that was read is not finite.
void read_finite(const Checkpoint& checkpoint, const TensorView& tensor, std::int64_t begin,
                 std::span<float> out);

}  // namespace lmpo
