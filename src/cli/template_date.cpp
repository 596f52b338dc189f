#include "cli/template_date.h"

#include <fmt/chrono.h>

#include "base/error.h"
#include "base/json.h"
#include "train/checkpoints.h"

namespace lmpo {
namespace {

// What the checkpoint's run recorded; "" where it is older than the record.
std::string recorded_date(const fs::path& checkpoint) {
  const fs::path file = checkpoint / "lmpo_state.json";
  if (!fs::exists(file)) {
    return "";
  }
  const json state = read_json(file);
  const json::json_pointer place("/options/template_date");
  if (!state.contains(place)) {
    return "";
  }
  const json& recorded = state.at(place);
  return recorded.is_string() ? recorded.get<std::string>() : "";
}

}  // namespace

std::string template_date(const TrainRecipe& recipe) {
  if (!recipe.template_date.empty()) {
    time_of_date(recipe.template_date);  // refused also where no template asks for it
    return recipe.template_date;
  }
  if (!recipe.resume_from_checkpoint.empty()) {
    const std::string recorded =
        recorded_date(find_checkpoint(recipe.resume_from_checkpoint, recipe.output_dir));
    if (!recorded.empty()) {
      return recorded;
    }
  }
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  localtime_r(&now, &local);
  return fmt::format("{:%Y-%m-%d}", local);
}

std::time_t time_of_date(const std::string& date) {
  std::tm day{};
  const char* end = strptime(date.c_str(), "%Y-%m-%d", &day);
  if (end == nullptr || *end != '\0') {
    user_error("template_date: '{}' is no date; YYYY-MM-DD was expected", date);
  }
  day.tm_hour = 12;
  day.tm_isdst = -1;
  return std::mktime(&day);
}

bool template_writes_date(const TrainRecipe& recipe) {
  const auto asks = [](const std::string& text) {
    return text.find("strftime_now") != std::string::npos;
  };
  if (!recipe.chat_template_path.empty()) {
    return asks(recipe.chat_template());
  }
  for (const char* name : {"chat_template.jinja", "tokenizer_config.json"}) {
    const fs::path file = recipe.model_name_or_path / name;
    if (fs::is_regular_file(file) && asks(read_file(file))) {
      return true;
    }
  }
  return false;
}

}  // namespace lmpo
