// A model that gives one token the probability 0. For tests only.
#pragma once

#include <vector>

#include "io/safetensors.h"
#include "train/testing/small_run.h"

namespace lmpo::testing {

// The small model with a first hidden value that is large and positive everywhere, so that the logit
// of token 47 overflows to -infinity. All weights are finite.
inline void write_poisoned_model(const fs::path& folder) {
  fs::copy(small_model(), folder);
  const SafetensorsFile file(small_model() / "model.safetensors");
  std::vector<std::vector<float>> values;
  std::vector<TensorSource> tensors;
  for (const StoredTensor& stored : file.tensors()) {
    const TensorView tensor = file.tensor(stored.name);
    values.emplace_back(static_cast<std::size_t>(tensor.elements()));
    read_as_float(tensor, 0, values.back());
    const auto first_of_row = [&](std::int64_t row) -> float& {
      return values.back().at(static_cast<std::size_t>(row * stored.shape[1]));
    };
    if (stored.name == "model.embed_tokens.weight") {
      for (std::int64_t token = 0; token < stored.shape[0]; ++token) {
        first_of_row(token) = 50;
      }
    } else if (stored.name == "lm_head.weight") {
      first_of_row(47) = -3e38F;
    }
    tensors.push_back(
        tensor_from_memory(stored.name, Dtype::f32, stored.shape, values.back().data()));
  }
  write_safetensors(folder / "model.safetensors", tensors);
}

}  // namespace lmpo::testing
