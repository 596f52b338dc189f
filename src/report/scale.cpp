// Numbers of axes.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report/chart.h"

namespace lmpo {
namespace {

double round_step(double rough) {
  const double power = std::pow(10.0, std::floor(std::log10(rough)));
  const double digit = rough / power;
  return power * (digit <= 1 ? 1 : digit <= 2 ? 2 : digit <= 5 ? 5 : 10);
}

}  // namespace

std::vector<double> ticks(double low, double high, int count) {
  if (!(high > low)) {
    const double reach = low == 0 ? 1 : std::abs(low) * 0.1;
    low -= reach;
    high += reach;
  }
  // Halves first: the difference of the two largest numbers is not a number.
  const double step = round_step(std::max(2 * (high / 2 - low / 2) / count, 1e-300));
  const double first = std::floor(low / step * (1 - 1e-12));
  std::vector<double> result;
  for (double i = first;; ++i) {
    result.push_back(i * step);
    if (result.back() >= high - step * 1e-9 || result.size() > 100) {
      return result;
    }
  }
}

std::vector<double> log_ticks(double low, double high) {
  const int first = static_cast<int>(std::floor(std::log10(low) + 1e-9));
  const int last = static_cast<int>(std::ceil(std::log10(high) - 1e-9));
  std::vector<double> all;
  for (int power = first; power <= std::max(last, first + 1); ++power) {
    for (const double digit : {1.0, 2.0, 5.0}) {
      if (digit == 1 || last - first <= 2) {
        all.push_back(digit * std::pow(10.0, power));
      }
    }
  }
  // From the last at or below `low` to the first at or above `high`.
  const auto begin = std::upper_bound(all.begin(), all.end(), low * (1 + 1e-9)) - 1;
  const auto end = std::lower_bound(all.begin(), all.end(), high * (1 - 1e-9));
  return {begin, std::max(begin + 2, end == all.end() ? end : end + 1)};
}

std::vector<Point> thinned(std::span<const Point> points, std::size_t buckets) {
  if (points.size() <= 2 * buckets) {
    return {points.begin(), points.end()};
  }
  std::vector<Point> result;
  for (std::size_t i = 0; i < buckets; ++i) {
    const std::size_t begin = points.size() * i / buckets;
    const std::size_t end = points.size() * (i + 1) / buckets;
    std::size_t least = begin;
    std::size_t most = begin;
    std::size_t gap = end;
    for (std::size_t at = begin; at < end; ++at) {
      if (!std::isfinite(points[at].y)) {
        gap = at;
        continue;
      }
      least = !(points[least].y <= points[at].y) ? at : least;
      most = !(points[most].y >= points[at].y) ? at : most;
    }
    std::vector<std::size_t> kept = {least, most, gap};
    std::ranges::sort(kept);
    kept.erase(std::unique(kept.begin(), kept.end()), kept.end());
    for (const std::size_t at : kept) {
      if (at < end) {
        result.push_back(points[at]);
      }
    }
  }
  return result;
}

std::string tick_text(double value, double step) {
  if (std::abs(value) < step * 1e-6) {
    return "0";
  }
  const double size = std::max(std::abs(value), step);
  if (size >= 1e6 || step < 1e-4) {
    const double digits = std::floor(std::log10(std::abs(value))) - std::floor(std::log10(step));
    std::string text = fmt::format("{:.{}e}", value, std::clamp(static_cast<int>(digits), 0, 6));
    const auto mantissa_end = text.find('e');
    if (digits >= 1) {  // "1e-04" beside "8e-05", not "1.0e-04"
      const auto last = text.find_last_not_of("0.", mantissa_end - 1);
      text.erase(last + 1, mantissa_end - last - 1);
    }
    return text;
  }
  const double decimals = std::max(0.0, -std::floor(std::log10(step) + 1e-9));
  return fmt::format("{:.{}f}", value, static_cast<int>(decimals));
}

std::vector<Point> smoothed(std::span<const Point> points, double smoothing) {
  std::vector<Point> result;
  double sum = 0;
  double weight = 0;
  for (const Point& point : points) {
    if (std::isfinite(point.x) && std::isfinite(point.y)) {
      sum = smoothing * sum + (1 - smoothing) * point.y;
      weight = smoothing * weight + (1 - smoothing);
      result.push_back({point.x, sum / weight});
    }
  }
  return result;
}

}  // namespace lmpo
