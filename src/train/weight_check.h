// Finds weights that are infinite or NaN.
#pragma once

#include <string>

#include "model/weights.h"

namespace lmpo {

// The name of the first tensor with an element that is not finite in the type it would be saved in;
// empty if there is none. Reads every weight once.
std::string first_nonfinite(const Weights& weights, Ops& ops);

}  // namespace lmpo
