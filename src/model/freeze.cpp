#include "model/freeze.h"

#include <fmt/ranges.h>
#include <fnmatch.h>

#include <algorithm>
#include <functional>

#include "base/error.h"
#include "base/names.h"
#include "model/tensor_table.h"

namespace lmpo {
namespace {

bool matches(const std::string& pattern, const std::string& name) {
  return fnmatch(pattern.c_str(), name.c_str(), 0) == 0;
}

bool matches_any(const std::string& pattern, const std::vector<std::string>& names) {
  return std::ranges::any_of(names, [&](const auto& name) { return matches(pattern, name); });
}

[[noreturn]] void refuse_pattern(const ModelConfig& config, const std::string& pattern,
                                 const std::vector<std::string>& names) {
  if (!config.stores_head() && matches(pattern, config.head_name())) {
    user_error(
        "freeze: '{}' is the head, which is tied to the embedding in this model: freeze "
        "model.embed_tokens.weight, which freezes both",
        pattern);
  }
  std::string advice = suggestion(pattern, names);
  // Often it is the name of a module, or a part of a name.
  for (const std::string& wider : {"*" + pattern + "*", pattern + ".*"}) {
    if (matches_any(wider, names)) {
      advice = fmt::format(" (did you mean '{}'?)", wider);
    }
  }
  user_error("freeze: '{}' matches no tensor of the model{}", pattern, advice);
}

// Tensors of one parameter train together or not at all.
void refuse_parts(const std::vector<ModelTensor>& tensors, const std::vector<bool>& frozen) {
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const ModelTensor& tensor = tensors[i];
    std::vector<std::string> together;
    bool differ = false;
    for (std::size_t j = 0; j < tensors.size(); ++j) {
      const ModelTensor& other = tensors[j];
      if (other.place == tensor.place && other.layer == tensor.layer && other.kind == tensor.kind) {
        together.push_back(other.name);
        differ |= frozen[j] != frozen[i];
      }
    }
    if (differ) {
      user_error("freeze: lmpo keeps {} as one matrix: freeze all of them or none",
                 fmt::join(together, ", "));
    }
  }
}

}  // namespace

bool is_frozen(const std::string& name, const FreezePatterns& patterns) {
  return std::ranges::any_of(patterns, [&](const auto& pattern) { return matches(pattern, name); });
}

void check_freeze(const ModelConfig& config, const FreezePatterns& patterns) {
  const std::vector<ModelTensor> tensors = model_tensors(config);
  std::vector<std::string> names;
  std::vector<bool> frozen;
  for (const ModelTensor& tensor : tensors) {
    names.push_back(tensor.name);
    frozen.push_back(is_frozen(tensor.name, patterns));
  }
  for (const std::string& pattern : patterns) {
    if (!matches_any(pattern, names)) {
      refuse_pattern(config, pattern, names);
    }
  }
  refuse_parts(tensors, frozen);
  if (std::ranges::all_of(frozen, std::identity())) {
    user_error("freeze: every tensor of the model is frozen, so nothing would train");
  }
}

}  // namespace lmpo
