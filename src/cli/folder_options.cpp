#include "cli/folder_options.h"

#include "base/error.h"
#include "cli/common_options.h"

namespace lmpo {

std::optional<Dtype> FolderOptions::storage() const {
  return dtype == "auto" ? std::nullopt : std::optional(parse_dtype(dtype));
}

void add_folder_options(OptionSet& set, FolderOptions& options, std::string_view automatic) {
  add_dtype_option(set, options.dtype, automatic);
  set.add("max_shard_size", options.max_shard_size, "maximum size of a weight file");
  add_threads_option(set, options.threads);
}

void prepare_output(const OptionSet& set, const FolderOptions& options, std::string_view option) {
  if (options.max_shard_size.count == 0) {
    set.reject("max_shard_size", "a size above 0 was expected, for example 5GB");
  }
  const fs::path& output = options.output;
  if (fs::is_directory(output) ? !fs::is_empty(output) : fs::exists(output)) {
    user_error("{} {}: already exists; choose another name or remove it", option, output.string());
  }
  const fs::path whole = fs::absolute(output / "").lexically_normal();  // ends with a slash
  const fs::path parent = whole.parent_path().parent_path();
  if (!fs::is_directory(parent)) {
    user_error("{} {}: there is no folder {}; make it first", option, output.string(),
               parent.string());
  }
  apply_threads(options.threads);
}

}  // namespace lmpo
