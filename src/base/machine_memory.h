// Memory of this process and of this machine, in bytes.
#pragma once

#include <cstddef>

namespace lmpo {

std::size_t resident_memory();
// The largest resident memory since the process started.
std::size_t peak_resident_memory();
// Memory left without swapping: the machine's, or the container's if that is less.
std::size_t available_memory();

}  // namespace lmpo
