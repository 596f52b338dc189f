// What lmpo bench measures, and how it is shown.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "bench/step_speed.h"
#include "ops/device.h"

namespace lmpo {

struct Measurement {
  std::string device;  // "cpu", or the GPU's name
  Dtype compute = Dtype::f32;
  double dense_rate = 0;    // operations/s of large square products; GPUs only
  double product_rate = 0;  // operations/s of products of the model's shapes
  double bandwidth = 0;     // bytes/s
  std::int64_t batch = 0;   // trees in a step
  std::int64_t steps = 0;   // that were timed
  StepSpeed step;

  // Operations/s of the step: those the mathematics asks for.
  double achieved() const { return step.parts.total().operations / step.seconds; }
  double pairs_per_second() const { return per_second(step.pairs); }
  double tokens_per_second() const { return per_second(step.tokens); }
  // Time of the step that no op took; 0 where ops were timed in a step of their own.
  double waiting() const;

 private:
  double per_second(std::int64_t count) const {
    return static_cast<double>(count) / (step.seconds * static_cast<double>(steps));
  }
};

// Times training steps over the trees from random weights, and beside them the device's own speed
// at matrix products and at copying. UserError where a step does not fit into memory.
Measurement measure(const ModelConfig& config, Device& device, Dtype compute,
                    std::vector<Tree> trees, std::optional<std::int64_t> max_length,
                    const StepSpeedOptions& options);

// For a person, in lines.
std::string to_text(const Measurement& measurement);
ordered_json to_json(const Measurement& measurement);

}  // namespace lmpo
