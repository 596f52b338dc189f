#include "recipe/train_recipe.h"

#include <algorithm>
#include <cmath>

#include "base/file.h"

namespace lmpo {
namespace {

// Recipes of the alignment handbook write the template itself.
bool holds_template(const fs::path& path) {
  const std::string text = path.string();
  return text.find("{{") != std::string::npos || text.find("{%") != std::string::npos;
}

}  // namespace

std::string TrainRecipe::chat_template() const {
  return holds_template(chat_template_path) ? chat_template_path.string()
                                            : read_file(chat_template_path);
}

std::string TrainRecipe::chat_template_source() const {
  return holds_template(chat_template_path) ? "chat_template" : chat_template_path.string();
}

std::string TrainRecipe::best_metric() const {
  const std::string name = metric_for_best_model.empty() ? "loss" : metric_for_best_model;
  return name.starts_with("eval_") ? name : "eval_" + name;
}

std::int64_t absolute_steps(double steps_or_ratio, std::int64_t total) {
  const double steps =
      steps_or_ratio < 1 ? std::ceil(steps_or_ratio * static_cast<double>(total)) : steps_or_ratio;
  return static_cast<std::int64_t>(std::min(steps, 0x1p62));  // beyond every run
}

}  // namespace lmpo
