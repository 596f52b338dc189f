// One thread pool for the whole program.
//
// Work is split by the number of items, never by timing, so results for a fixed number of threads
// are bitwise repeatable. Only one thread may call these functions at a time. They do not nest: a
// call from inside a worker runs serially.
#pragma once

#include <cstdint>
#include <functional>

namespace lmpo {

// The number of CPUs this process may use.
int available_threads();
// Sets the pool's size (at least 1) before the first parallel_for or between two of them.
void set_threads(int count);
int threads();

// Calls body(begin, end) on consecutive ranges that cover [0, count): at most one range per thread,
// at most ceil(count / grain) ranges. Rethrows an exception of the body.
void parallel_for(std::int64_t count, std::int64_t grain,
                  const std::function<void(std::int64_t begin, std::int64_t end)>& body);

// Calls body(index) for every index in [0, count); threads take indices one by one. For items of
// unequal cost whose results do not depend on the thread. Rethrows the exception of the lowest
// failing index.
void parallel_each(std::int64_t count, const std::function<void(std::int64_t index)>& body);

}  // namespace lmpo
