// A model folder whose tensors are read from its files, not loaded.
#pragma once

#include "io/checkpoint.h"
#include "model/config.h"

namespace lmpo {

struct StoredModel {
  // UserError where the tensors do not fit config.json.
  explicit StoredModel(const fs::path& path);

  fs::path folder;
  ModelConfig config;
  Checkpoint checkpoint;
};

}  // namespace lmpo
