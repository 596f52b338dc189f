// One pool of threads for the whole program.
//
// Work is cut by the number of items alone, never by timing, so results for a fixed thread count
// are bitwise repeatable. parallel_for may be called from one thread at a time and does not nest: a
// call from inside a worker runs serially.
#pragma once

#include <cstdint>
#include <functional>

namespace lmpo {

// Processors this process may run on.
int available_threads();
// Sets the pool's size (at least 1) before the first parallel_for or between two of them.
void set_threads(int count);
int threads();

// Calls body(begin, end) on consecutive ranges that cover [0, count): at most one range a thread,
// none shorter than grain except the last. An exception of the body is thrown again here.
void parallel_for(std::int64_t count, std::int64_t grain,
                  const std::function<void(std::int64_t begin, std::int64_t end)>& body);

// Calls body(index) for every index in [0, count), handed out one by one: for items of unequal cost
// whose results do not depend on who computes them. Of the body's exceptions the one of the lowest
// index is thrown again here.
void parallel_each(std::int64_t count, const std::function<void(std::int64_t index)>& body);

}  // namespace lmpo
