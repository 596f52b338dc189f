#include "recipe/command_description.h"

#include <algorithm>
#include <array>

#include "recipe/option_type.h"

namespace lmpo {

std::vector<std::string> OptionDescription::flags() const {
  std::vector<std::string> all;
  if (positional) {
    return all;
  }
  if (letter != 0) {
    all.push_back({'-', letter});
  }
  all.push_back("--" + name);
  for (const std::string& synonym : synonyms) {
    all.push_back("--" + synonym);
  }
  if (negatable) {
    all.push_back("--no_" + name);
  }
  return all;
}

std::string OptionDescription::variable() const {
  return environment_name(name);
}

std::string OptionDescription::default_note() const {
  if (required) {
    return "required";
  }
  return default_text.empty() ? "" : "default: " + default_text;
}

ValueKind value_kind(const OptionDescription& option) {
  if (!option.choices.empty()) {
    return ValueKind::choices;
  }
  std::string_view name = option.value_name;
  name.remove_prefix(name.starts_with('['));
  if (name.starts_with("DIR")) {
    return ValueKind::folders;
  }
  static constexpr std::array<std::string_view, 4> files = {"FILE", "PATH", "DATA", "OUT"};
  const bool is_file =
      std::ranges::any_of(files, [&](auto word) { return name.starts_with(word); });
  return is_file ? ValueKind::files : ValueKind::text;
}

std::vector<std::string> CommandDescription::groups() const {
  std::vector<std::string> titles;
  for (const OptionDescription& option : options) {
    if (std::ranges::find(titles, option.group) == titles.end()) {
      titles.push_back(option.group);
    }
  }
  return titles;
}

std::string CommandDescription::usage() const {
  std::string text = command + (accepts_config ? " [RECIPE.yaml]" : "") + " [options]";
  for (const OptionDescription& option : options) {
    if (option.positional) {
      const std::string name = option.list ? option.name + "..." : option.name;
      text += option.required ? " " + name : " [" + name + "]";
    } else if (option.named_or_positional) {
      text += option.list ? " [MODEL...]" : " [MODEL]";
    }
  }
  return text;
}

}  // namespace lmpo
