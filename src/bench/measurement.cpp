#include "bench/measurement.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/threads.h"
#include "bench/machine_speed.h"
#include "objective/registry.h"
#include "train/examples.h"

namespace lmpo {
namespace {

// "GFLOP/s", or "TFLOP/s" of a GPU.
struct RateUnit {
  const char* name;
  double size;
};
RateUnit unit_of(const Measurement& m) {
  return m.dense_rate > 0 ? RateUnit{"TFLOP/s", 1e12} : RateUnit{"GFLOP/s", 1e9};
}

std::string rate(const PartTime& time, const RateUnit& unit) {
  return time.operations > 0 ? fmt::format("{:7.0f}", time.operations / time.seconds / unit.size)
                             : fmt::format("{:>7}", "");
}

std::string machine_lines(const Measurement& m, const RateUnit& unit) {
  std::string text = fmt::format("{} parameters, {}, products in {}\n", m.step.parameters,
                                 m.dense_rate > 0 ? m.device : fmt::format("{} threads", threads()),
                                 dtype_name(m.compute));
  if (m.dense_rate > 0) {
    text += fmt::format("matmul of 8192 x 8192            {:.0f} {}\n", m.dense_rate / unit.size,
                        unit.name);
  }
  return text +
         fmt::format("matmul at the model's shapes     {:.0f} {}\n", m.product_rate / unit.size,
                     unit.name) +
         fmt::format("memory                           {:.1f} GB/s\n\n", m.bandwidth / 1e9);
}

std::string part_lines(const Measurement& m, const RateUnit& unit) {
  const StepSpeed& step = m.step;
  std::string text =
      fmt::format("{:<18}{:>12}{:>9}{:>12}{:>9}{:>8}\n", "a step of " + std::to_string(m.batch),
                  "forward ms", unit.name, "backward ms", unit.name, "share");
  const double all = step.parts.total().seconds + m.waiting();
  for (std::size_t i = 0; i < kStepParts; ++i) {
    const auto part = static_cast<StepPart>(i);
    const PartTime& forward = step.parts.at(part, Direction::forward);
    const PartTime& backward = step.parts.at(part, Direction::backward);
    text += fmt::format("{:<18}{:>12.1f}  {}{:>12.1f}  {}{:>7.1f}%\n", name(part),
                        1e3 * forward.seconds, rate(forward, unit), 1e3 * backward.seconds,
                        rate(backward, unit), 100 * (forward.seconds + backward.seconds) / all);
  }
  if (m.waiting() > 0) {
    text += fmt::format("{:<18}{:>12.1f}{:>38.1f}%\n", "waiting", 1e3 * m.waiting(),
                        100 * m.waiting() / all);
  }
  return text;
}

std::string step_lines(const Measurement& m, const RateUnit& unit) {
  const StepSpeed& step = m.step;
  const double peak = m.dense_rate > 0 ? m.dense_rate : m.product_rate;
  const std::string host =
      step.memory.host > 0 ? fmt::format(" and {} of the host", readable_bytes(step.memory.host))
                           : "";
  return fmt::format(
             "\n{:.3f} s a step: {:.3f} pairs/s, {:.0f} tokens/s; {:.1f}% of the tokens are "
             "prompts computed once\n",
             step.seconds, m.pairs_per_second(), m.tokens_per_second(),
             100.0 * static_cast<double>(step.shared_tokens) / static_cast<double>(step.tokens)) +
         fmt::format("{:.0f} useful {} ({:.1f}% of peak matmul)\n", m.achieved() / unit.size,
                     unit.name, 100 * m.achieved() / peak) +
         fmt::format("memory: {} planned for the step{}, {} at the peak\n",
                     readable_bytes(step.memory.arena), host, readable_bytes(step.peak_memory));
}

}  // namespace

double Measurement::waiting() const {
  return std::max(0.0, step.seconds - step.parts.total().seconds);
}

Measurement measure(const ModelConfig& config, Device& device, Dtype compute,
                    std::vector<Tree> trees, std::optional<std::int64_t> max_length,
                    const StepSpeedOptions& options) {
  const auto objective =
      make_objective(options.objective, find_objective(options.objective).defaults);
  prepare_examples(trees, *objective, max_length);
  const auto ops = device.make_ops(compute);
  Measurement measured;
  measured.device = device.name();
  measured.compute = compute;
  measured.batch = options.batch;
  measured.steps = options.steps;
  measured.bandwidth = measure_bandwidth(device, *ops);
  measured.step = measure_steps(config, device, *ops, trees, options);
  measured.product_rate = product_rate(
      config,
      measure_products(config, device, *ops, measured.step.largest_pack, measured.step.head_rows));
  measured.dense_rate = device.is_cpu() ? 0 : measure_dense_rate(device, *ops);
  return measured;
}

std::string to_text(const Measurement& m) {
  const RateUnit unit = unit_of(m);
  return machine_lines(m, unit) + part_lines(m, unit) + step_lines(m, unit);
}

ordered_json to_json(const Measurement& m) {
  ordered_json parts;
  for (std::size_t i = 0; i < kStepParts; ++i) {
    const auto part = static_cast<StepPart>(i);
    for (const Direction direction : {Direction::forward, Direction::backward}) {
      const PartTime& time = m.step.parts.at(part, direction);
      parts[std::string(name(part))][direction == Direction::forward ? "forward" : "backward"] = {
          {"seconds", time.seconds}, {"operations", time.operations}};
    }
  }
  return {{"parameters", m.step.parameters},
          {"device", m.device},
          {"threads", threads()},
          {"compute", dtype_name(m.compute)},
          {"dense_operations_per_second", m.dense_rate},
          {"product_operations_per_second", m.product_rate},
          {"memory_bytes_per_second", m.bandwidth},
          {"seconds_per_step", m.step.seconds},
          {"pairs_per_second", m.pairs_per_second()},
          {"tokens_per_second", m.tokens_per_second()},
          {"useful_operations_per_second", m.achieved()},
          {"share_of_product_rate", m.achieved() / m.product_rate},
          {"largest_pack_tokens", m.step.largest_pack},
          {"planned_bytes", m.step.memory.arena},
          {"planned_host_bytes", m.step.memory.host},
          {"peak_bytes", m.step.peak_memory},
          {"waiting_seconds", m.waiting()},
          {"parts", parts}};
}

}  // namespace lmpo
