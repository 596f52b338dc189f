// Ops that pass every call on and note how long it took and how much it computed: where a step's
// time goes. Of a device that computes while the host continues, times are of the calls alone,
// unless each op is waited for, which slows the whole a little.
#pragma once

#include <array>
#include <memory>
#include <string_view>

#include "ops/ops.h"

namespace lmpo {

constexpr std::size_t kStepParts = 11;
std::string_view name(StepPart part);

// Useful operations: multiplications and additions that the mathematics asks for. What is computed
// again between a pack's head and the next pack's embedding, to save memory, is time without
// operations.
struct PartTime {
  double seconds = 0;
  double operations = 0;
};

class StepTimes {
 public:
  PartTime& at(StepPart part, Direction direction) {
    return times_[static_cast<std::size_t>(part)][static_cast<std::size_t>(direction)];
  }
  const PartTime& at(StepPart part, Direction direction) const {
    return times_[static_cast<std::size_t>(part)][static_cast<std::size_t>(direction)];
  }
  PartTime total() const;
  void divide_by(double steps);
  // Operations a second of the linear layers' backward, where nothing is computed again: the rate
  // of matrix products in this very run. 0 where there were none.
  double product_rate() const;

 private:
  std::array<std::array<PartTime, 2>, kStepParts> times_{};
};

enum class WaitForOps : std::uint8_t { no, yes };

// `inner` and `times` must outlive the result.
std::unique_ptr<Ops> make_timed_ops(Ops& inner, StepTimes& times, WaitForOps wait = WaitForOps::no);

// Pairs of a query and a key that it sees.
std::int64_t visible_pairs(std::span<const Pack::Segment> segments, std::int64_t window);

}  // namespace lmpo
