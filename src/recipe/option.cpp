#include "recipe/option.h"

#include "base/error.h"

namespace lmpo {

void OptionList::add(Option option) {
  const std::size_t index = options_.size();
  const auto add_name = [&](const std::string& name, OptionName meaning) {
    LMPO_CHECK(names_.emplace(name, std::move(meaning)).second);
  };
  add_name(option.name, {.option = index});
  for (const std::string& name : option.traits.synonyms) {
    add_name(name, {.option = index});
  }
  for (const std::string& name : option.traits.old_names) {
    add_name(name, {.option = index, .old = true});
  }
  for (const auto& [name, value] : option.traits.flags) {
    add_name(name, {.option = index, .flag_value = value});
  }
  options_.push_back(std::move(option));
}

std::size_t OptionList::index_of(std::string_view name) const {
  const auto found = names_.find(name);
  LMPO_CHECK(found != names_.end());
  return found->second.option;
}

const OptionName* OptionList::look_up(std::string_view name) const {
  const auto found = names_.find(name);
  return found == names_.end() || options_[found->second.option].is_positional ? nullptr
                                                                               : &found->second;
}

std::vector<std::string> OptionList::names() const {
  std::vector<std::string> names;
  for (const auto& [name, meaning] : names_) {
    if (!options_[meaning.option].is_positional) {
      names.push_back(name);
    }
  }
  return names;
}

}  // namespace lmpo
