// A model in a device's memory, for scoring and generation.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "model/weights.h"
#include "ops/device.h"

namespace lmpo {

struct LoadedModelOptions {
  // Type of the weights; none: as in the checkpoint. int8: as in weights.h, on the CPU.
  std::optional<Dtype> storage = {};
  std::optional<Dtype> compute = {};  // type of a product's inputs, see Device::make_ops
  Head head = Head::tokens;
};

struct LoadedModel {
  // Reads config.json and the weights. UserError if they do not match, or the device has no ops for
  // the type.
  LoadedModel(const fs::path& folder, std::shared_ptr<Device> device,
              const LoadedModelOptions& options = {});

  ModelConfig config;
  std::shared_ptr<Device> device;
  std::unique_ptr<Ops> ops;
  std::optional<Arena> weight_arena;
  std::optional<Weights> weights;
};

// The tokens that end generation.
std::vector<std::int32_t> stop_tokens(const fs::path& folder, const ModelConfig& config);

}  // namespace lmpo
