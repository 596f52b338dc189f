// Whether weights are numbers.
#pragma once

#include <string>

#include "model/weights.h"

namespace lmpo {

// The name of the first tensor of the checkpoint that has an element which is not finite, in the
// type in which it would be saved; empty: none has. Reads every weight once.
std::string first_nonfinite(const Weights& weights, Ops& ops);

}  // namespace lmpo
