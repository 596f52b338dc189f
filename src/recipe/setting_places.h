// Where the settings of a command were given, for messages about them.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace lmpo {

class OptionSet;

struct SettingPlaces {
  // Of options that were given: "recipe.yaml:7: beta", "LMPO_BETA", "--beta".
  std::map<std::string, std::string, std::less<>> places;
  std::optional<std::string> recipe_file;

  bool given(std::string_view option) const { return places.contains(option); }
  // The name alone where the option has its default.
  std::string place(std::string_view option) const;
};

// After the options were read.
SettingPlaces setting_places(const OptionSet& options);

}  // namespace lmpo
