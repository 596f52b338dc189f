#include "train/checkpoints.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>

#include "base/error.h"

namespace lmpo {
namespace {

// N of a folder's name "checkpoint-N", as the trainer writes it.
std::optional<std::int64_t> step_of(std::string_view name) {
  constexpr std::string_view prefix = "checkpoint-";
  if (!name.starts_with(prefix)) {
    return std::nullopt;
  }
  name.remove_prefix(prefix.size());
  std::int64_t step = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), step);
  return error == std::errc() && end == name.data() + name.size() && step > 0 ? std::optional(step)
                                                                              : std::nullopt;
}

}  // namespace

std::vector<std::pair<std::int64_t, fs::path>> list_checkpoints(const fs::path& output_dir) {
  std::vector<std::pair<std::int64_t, fs::path>> found;
  if (!fs::is_directory(output_dir)) {
    return found;
  }
  for (const auto& entry : fs::directory_iterator(output_dir)) {
    const auto step = step_of(entry.path().filename().string());
    if (step && fs::exists(entry.path() / "lmpo_state.json")) {
      found.emplace_back(*step, entry.path());
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

fs::path find_checkpoint(const std::string& resume, const fs::path& output_dir) {
  if (resume != "true") {
    if (!fs::is_directory(resume)) {
      user_error("--resume_from_checkpoint {}: there is no such folder", resume);
    }
    return resume;
  }
  const auto checkpoints = list_checkpoints(output_dir);
  if (checkpoints.empty()) {
    user_error("--resume_from_checkpoint: there is no checkpoint in {}", output_dir.string());
  }
  return checkpoints.back().second;
}

}  // namespace lmpo
