// What the devices' AdamW have in common.
#pragma once

#include "ops/adamw_constants.h"
#include "ops/ops.h"

namespace lmpo {

AdamWConstants constants_of(const AdamWStep& step);

// LMPO_CHECK for sizes that do not fit, and for a master that is not where the storage of w asks
// for it.
void check_adamw(const Tensor& w, const Tensor& low, const Tensor& gradient, const Moment& moment1,
                 const Moment& moment2);

}  // namespace lmpo
