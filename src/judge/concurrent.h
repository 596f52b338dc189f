// Work that waits: more threads than processors.
#pragma once

#include <cstdint>
#include <functional>

namespace lmpo {

// Calls body(index) for every index in [0, count), on `workers` threads, each taking the next. After an
// exception no further index begins; the first exception is thrown again when all threads have ended.
void run_concurrently(std::int64_t count, std::int64_t workers,
                      const std::function<void(std::int64_t index)>& body);

}  // namespace lmpo
