// The emulated device's failures.
#pragma once

#include <functional>

namespace lmpo::cuda::emulation {

// kernel(), unless an earlier one failed or this one is to (runtime.cpp). What it throws becomes
// cudaErrorLaunchFailure of all later calls, as on a GPU, and a line on standard error.
void launch(const std::function<void()>& kernel);

}  // namespace lmpo::cuda::emulation
