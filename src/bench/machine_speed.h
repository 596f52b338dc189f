// What the machine can do at best, measured: the yardstick for a training step.
#pragma once

#include <string>
#include <vector>

#include "model/config.h"
#include "ops/device.h"

namespace lmpo {

struct ProductSpeed {
  std::string name;  // of the layer
  std::int64_t rows;
  std::int64_t in;
  std::int64_t out;
  double seconds;  // for the three products of a layer: forward, input's and weight's gradient

  double operations() const;  // of the three
};

// The products of a model's layers over `tokens` rows and of its head over `head_rows`, each the
// best of several. Of a vocabulary as much as the head's tiles take at a time.
std::vector<ProductSpeed> measure_products(const ModelConfig& config, Device& device, Ops& ops,
                                           std::int64_t tokens, std::int64_t head_rows);
// Operations a second over all of them, weighted as a model's step does them.
double product_rate(const ModelConfig& config, const std::vector<ProductSpeed>& products);

// Operations a second of products of square matrices, large enough for a GPU to be at its best.
double measure_dense_rate(Device& device, Ops& ops);

// The rate of the device's products with factors in bfloat16, by that of float32; 0 where it has
// none. Takes a tenth of a second of a CPU.
double bfloat16_rate(Device& device);

// Bytes a second, read and written, of a copy of an array far larger than caches.
double measure_bandwidth(Device& device, Ops& ops);

}  // namespace lmpo
