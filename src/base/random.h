// Counter-based random numbers: Philox 4x32-10 (Salmon et al., "Parallel random numbers: as easy as
// 1, 2, 3", SC 2011). The n-th number of a stream depends only on (seed, stream, n), so these three
// are all there is to save, and threads need no order.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace lmpo {

// One block of four 32-bit numbers.
std::array<std::uint32_t, 4> philox(std::uint64_t seed, std::uint64_t stream,
                                    std::uint64_t counter);

class Random {
 public:
  Random(std::uint64_t seed, std::uint64_t stream) : seed_(seed), stream_(stream) {}

  std::uint32_t next();
  // Uniform in [0, 1), 53 bits.
  double uniform();
  // Standard normal, Box-Muller.
  double normal();
  // Uniform in [0, bound), bound > 0, without bias.
  std::uint64_t below(std::uint64_t bound);

 private:
  std::uint64_t seed_;
  std::uint64_t stream_;
  std::uint64_t counter_ = 0;
  std::array<std::uint32_t, 4> block_{};
  unsigned used_ = 4;
};

// A random order of 0 .. count-1 (Fisher-Yates).
std::vector<std::int64_t> permutation(std::int64_t count, std::uint64_t seed, std::uint64_t stream);

}  // namespace lmpo
