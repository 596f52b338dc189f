// What this process uses and what this machine has, in bytes.
#pragma once

#include <cstddef>

namespace lmpo {

std::size_t resident_memory();
// The largest resident memory since the process began.
std::size_t peak_resident_memory();
// What can still be used without swapping: of the machine, or of the container where that is less.
std::size_t available_memory();

}  // namespace lmpo
