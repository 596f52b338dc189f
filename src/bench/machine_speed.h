// Measures what the machine can do at best, to compare a training step with.
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

// Times the products of a model's layers over `tokens` rows and of its head over `head_rows` rows,
// each the best of several runs. Of the head, one tile of the vocabulary is measured.
std::vector<ProductSpeed> measure_products(const ModelConfig& config, Device& device, Ops& ops,
                                           std::int64_t tokens, std::int64_t head_rows);
// Operations/s over all of them, weighted by how often a model's step runs each.
double product_rate(const ModelConfig& config, const std::vector<ProductSpeed>& products);

// Operations/s of products of square matrices that are large enough for a GPU's best speed.
double measure_dense_rate(Device& device, Ops& ops);

// How many times faster the device's products are with inputs in bfloat16 than in float32; 0 where
// the device does not support bfloat16. Takes a tenth of a second on a CPU.
double bfloat16_rate(Device& device);

// Bytes a second, read and written, of a copy of an array far larger than caches.
double measure_bandwidth(Device& device, Ops& ops);

}  // namespace lmpo
