// Finds NaN and infinity in the weights of a checkpoint while it is read.
#pragma once

#include <cstdint>
#include <span>

#include "io/checkpoint.h"

namespace lmpo {

// The number of values that are NaN or infinite.
std::int64_t count_not_finite(std::span<const float> values);
// The same of a stored tensor of any type, on all threads.
std::int64_t count_not_finite(const TensorView& tensor);

// UserError that names the first five tensors with such values and how many each holds. Reads every
// tensor of a type that lmpo reads.
void require_finite(const Checkpoint& checkpoint);
// read_as_float of one of the checkpoint's tensors; the UserError of require_finite if a value that
// was read is not finite.
void read_finite(const Checkpoint& checkpoint, const TensorView& tensor, std::int64_t begin,
                 std::span<float> out);

}  // namespace lmpo
