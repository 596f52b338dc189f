#include "objective/statistics.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace lmpo {
namespace {

constexpr double kDeviationFloor = 1e-6;

Moments moments_of(std::span<const double> values) {
  Moments result;
  for (const double value : values) {
    if (std::isfinite(value)) {
      result.add(value);
    }
  }
  return result;
}

Zscales scale_of(std::span<const double> values) {
  const Moments moments = moments_of(values);
  return {moments.mean, moments.deviation(1)};
}

Zscale scale_of_group(std::span<const double> scales, std::size_t group) {
  LMPO_CHECK(2 * group + 1 < scales.size());
  return {scales[2 * group], scales[2 * group + 1]};
}

}  // namespace

void Moments::add(double value) {
  ++count;
  const double difference = value - mean;
  mean += difference / static_cast<double>(count);
  squares += difference * (value - mean);
}

void Moments::merge(const Moments& other) {
  if (other.count == 0) {
    return;
  }
  const double difference = other.mean - mean;
  const auto mine = static_cast<double>(count);
  const auto theirs = static_cast<double>(other.count);
  count += other.count;
  mean += difference * theirs / (mine + theirs);
  squares += other.squares + difference * difference * mine * theirs / (mine + theirs);
}

double Moments::deviation(double fallback) const {
  return count < 2 ? fallback : std::sqrt(squares / static_cast<double>(count - 1));
}

ZscoreStatistics::ZscoreStatistics(ZscoreMode mode, double decay, std::int64_t group)
    : mode_(mode), decay_(decay), group_(group) {
  if (mode_ == ZscoreMode::code) {
    standing_ = {0, 0};
  }
}

bool ZscoreStatistics::needs_margins() const {
  return mode_ == ZscoreMode::code || (mode_ != ZscoreMode::none && !started_);
}

Zscales ZscoreStatistics::step_scales(std::span<const double> margins) const {
  LMPO_CHECK(!needs_margins() || !margins.empty());
  if (mode_ == ZscoreMode::code) {
    return group_scales(margins);
  }
  return needs_margins() ? scale_of(margins) : Zscales{standing_.mean, standing_.deviation};
}

Zscales ZscoreStatistics::evaluation_scales(std::span<const double> margins) const {
  return mode_ == ZscoreMode::none ? Zscales{0, 1} : scale_of(margins);
}

// Each group moves the statistics before it is normalised with them.
Zscales ZscoreStatistics::group_scales(std::span<const double> margins) const {
  Zscales scales;
  Zscale scale = standing_;
  for (std::size_t begin = 0; begin < margins.size(); begin += static_cast<std::size_t>(group_)) {
    const std::size_t size = std::min(static_cast<std::size_t>(group_), margins.size() - begin);
    scale = blend(scale, moments_of(margins.subspan(begin, size)));
    scales.insert(scales.end(), {scale.mean, scale.deviation});
  }
  return scales;
}

Zscale ZscoreStatistics::blend(const Zscale& old, const Moments& recent) const {
  Zscale result = old;
  if (recent.count > 0) {
    result.mean = decay_ * old.mean + (1 - decay_) * recent.mean;
  }
  if (recent.count > 1) {
    result.deviation = decay_ * old.deviation + (1 - decay_) * recent.deviation(0);
  }
  return result;
}

Zscale ZscoreStatistics::scale_at(std::span<const double> scales, std::int64_t place) const {
  Zscale scale =
      scale_of_group(scales, scales.size() == 2 ? 0 : static_cast<std::size_t>(place / group_));
  scale.deviation = std::max(scale.deviation, kDeviationFloor);
  return scale;
}

void ZscoreStatistics::update(std::span<const double> scales, std::span<const double> margins) {
  LMPO_CHECK(scales.size() >= 2);
  switch (mode_) {
    case ZscoreMode::none:
      return;
    case ZscoreMode::code:
      standing_ = scale_of_group(scales, scales.size() / 2 - 1);
      break;
    case ZscoreMode::ema:
      standing_ = blend(scale_of_group(scales, 0), moments_of(margins));
      break;
    case ZscoreMode::running:
      seen_.merge(moments_of(margins));
      standing_ = {seen_.mean, seen_.deviation(scales[1])};
      break;
  }
  started_ = true;
}

json ZscoreStatistics::state() const {
  return {{"started", started_},  {"mean", standing_.mean},  {"deviation", standing_.deviation},
          {"count", seen_.count}, {"seen_mean", seen_.mean}, {"seen_squares", seen_.squares}};
}

void ZscoreStatistics::restore(const json& state) {
  const std::string_view source = "the checkpoint's margin statistics";
  started_ = required<bool>(state, "started", source);
  standing_.mean = required<double>(state, "mean", source);
  standing_.deviation = required<double>(state, "deviation", source);
  seen_.count = required<std::int64_t>(state, "count", source);
  seen_.mean = required<double>(state, "seen_mean", source);
  seen_.squares = required<double>(state, "seen_squares", source);
}

}  // namespace lmpo
