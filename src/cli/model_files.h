// What the commands share that read whole model folders and write new ones.
#pragma once

#include <optional>
#include <vector>

#include "model/config.h"
#include "recipe/option_set.h"

namespace lmpo {

// A model folder whose tensors fit its config.json.
struct StoredModel {
  explicit StoredModel(const fs::path& path);

  fs::path folder;
  ModelConfig config;
  Checkpoint checkpoint;
};

// How a model folder is written.
struct FolderOptions {
  fs::path output;
  std::string dtype = "auto";
  Bytes max_shard_size = {5'000'000'000};
  std::int64_t threads = 0;

  // Nothing for auto: as stored.
  std::optional<Dtype> storage() const;
  std::int64_t shard_bytes() const { return static_cast<std::int64_t>(max_shard_size.count); }
};
void add_folder_options(OptionSet& set, FolderOptions& options);
// UserError where a size is 0.
void check_folder_options(const OptionSet& set, const FolderOptions& options);

// UserError where something is there already (but for an empty folder), or where there is no
// folder to put it into.
void require_free_output(const fs::path& output);

}  // namespace lmpo
