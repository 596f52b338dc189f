// A model folder in a device's memory, for those who generate.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "model/weights.h"
#include "ops/device.h"

namespace lmpo {

struct LoadedModel {
  // Reads config.json and the weights, which stay in the type they are stored in. `compute`: of the
  // factors of products, see Device::make_ops. Throws UserError.
  LoadedModel(const fs::path& folder, std::shared_ptr<Device> device,
              std::optional<Dtype> compute = std::nullopt);

  ModelConfig config;
  std::shared_ptr<Device> device;
  std::unique_ptr<Ops> ops;
  std::optional<Arena> weight_arena;
  std::optional<Weights> weights;
};

// Generation ends after one of these.
std::vector<std::int32_t> stop_tokens(const fs::path& folder, const ModelConfig& config);

}  // namespace lmpo
