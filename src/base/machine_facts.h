// What Linux and the processor tell of this machine, for bug reports.
#pragma once

#include <string>
#include <string_view>

namespace lmpo {

// The value of the first line "key : value" of a file such as /proc/meminfo, or "unknown".
std::string proc_value(const char* file, std::string_view key);

// The processor's vector instructions that kernels use, "avx2 avx512f"; or that there are none.
std::string vector_units();

}  // namespace lmpo
