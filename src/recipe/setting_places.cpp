#include "recipe/setting_places.h"

#include "recipe/option_set.h"

namespace lmpo {

std::string SettingPlaces::place(std::string_view option) const {
  const auto found = places.find(option);
  return found == places.end() ? std::string(option) : found->second;
}

SettingPlaces setting_places(const OptionSet& options) {
  SettingPlaces places{.places = {}, .recipe_file = options.config_file()};
  const ordered_json record = options.record();
  for (const auto& [name, entry] : record.items()) {
    if (options.given(name)) {
      places.places[name] = options.place(name);
    }
  }
  return places;
}

}  // namespace lmpo
