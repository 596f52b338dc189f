// A model folder in a device's memory, for those who score or generate.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "model/weights.h"
#include "ops/device.h"

namespace lmpo {

struct LoadedModelOptions {
  std::optional<Dtype> storage = {};  // of the weights; none: as the checkpoint has them
  std::optional<Dtype> compute = {};  // of the factors of products, see Device::make_ops
  Head head = Head::tokens;
};

struct LoadedModel {
  // Reads config.json and the weights. UserError for what does not fit together.
  LoadedModel(const fs::path& folder, std::shared_ptr<Device> device,
              const LoadedModelOptions& options = {});

  ModelConfig config;
  std::shared_ptr<Device> device;
  std::unique_ptr<Ops> ops;
  std::optional<Arena> weight_arena;
  std::optional<Weights> weights;
};

// Generation ends after one of these.
std::vector<std::int32_t> stop_tokens(const fs::path& folder, const ModelConfig& config);

}  // namespace lmpo
