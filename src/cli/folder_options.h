// The options of commands that write model folders.
#pragma once

#include <optional>
#include <string_view>

#include "base/file.h"
#include "recipe/option_set.h"
#include "tensor/dtype.h"

namespace lmpo {

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
// `automatic` says what --dtype auto means.
void add_folder_options(OptionSet& set, FolderOptions& options,
                        std::string_view automatic = "as they are stored now");
// Makes ready to write. UserError where a size is 0, where the output exists already, unless it is an
// empty folder, or where the folder around it does not exist. `option` is how the command calls it.
void prepare_output(const OptionSet& set, const FolderOptions& options,
                    std::string_view option = "--output");

}  // namespace lmpo
