// One option of a command, and the list of a command's options by their names.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "recipe/option_type.h"

namespace lmpo {

// An option whose type is forgotten: `assign` sets its variable, `show` reads it.
struct Option {
  std::string name;
  std::string help;
  std::string group;
  OptionTraits traits;
  bool is_bool = false;
  bool is_list = false;
  bool is_positional = false;   // only an argument, never a flag
  bool takes_position = false;  // may be an argument
  std::string value_name;
  std::string expected;
  std::vector<std::string> choices;
  std::function<bool(const std::vector<std::string>&)> assign;  // false: not such a value
  std::function<json()> show;

  // Whether commas separate the items of its text.
  bool splits() const { return is_list && !traits.verbatim; }
};

// What a name stands for.
struct OptionName {
  std::size_t option;                                    // its index in the list
  bool old = false;                                      // accepted with a notice
  std::optional<std::string> flag_value = std::nullopt;  // "bfloat16" for "bf16"
};

class OptionList {
 public:
  // LMPO_CHECK: none of its names is taken.
  void add(Option option);
  Option& last() { return options_.back(); }

  const std::vector<Option>& all() const { return options_; }
  const Option& operator[](std::size_t index) const { return options_[index]; }
  // Of an option that is there (LMPO_CHECK).
  std::size_t index_of(std::string_view name) const;
  // Of a name that a user may have mistyped: null where it is none, or a positional argument's.
  const OptionName* look_up(std::string_view name) const;
  // Every name that look_up knows.
  std::vector<std::string> names() const;

 private:
  std::vector<Option> options_;
  std::map<std::string, OptionName, std::less<>> names_;
};

// `value` must outlive the option. T: see OptionSet::add.
template <typename T>
Option make_option(std::string name, T& value, std::string help, OptionTraits traits) {
  Option option;
  option.name = std::move(name);
  option.help = std::move(help);
  option.is_bool = std::is_same_v<T, bool> || std::is_same_v<T, std::optional<bool>>;
  option.is_list = is_list<T>;
  if constexpr (is_list<T>) {
    using Item = OptionType<typename T::value_type>;
    option.value_name = Item::value_name(traits) + ",...";
    option.expected = "a list, each " + Item::expected(traits);
    option.choices = choices_of<typename T::value_type>(traits);
    option.assign = [&value, traits](const std::vector<std::string>& texts) {
      value.clear();
      for (const std::string& text : texts) {
        auto item = Item::parse(text, traits);
        if (!item) {
          return false;
        }
        value.push_back(std::move(*item));
      }
      return true;
    };
    option.show = [&value] {
      json list = json::array();
      for (const auto& item : value) {
        list.push_back(Item::show(item));
      }
      return list;
    };
  } else {
    using Type = OptionType<T>;
    option.value_name = Type::value_name(traits);
    option.expected = Type::expected(traits);
    option.choices = choices_of<T>(traits);
    option.assign = [&value, traits](const std::vector<std::string>& texts) {
      auto parsed = Type::parse(texts.front(), traits);
      if (parsed) {
        value = std::move(*parsed);
      }
      return parsed.has_value();
    };
    option.show = [&value] { return Type::show(value); };
  }
  if (!traits.value_name.empty()) {
    option.value_name = traits.value_name + (option.is_list && !traits.verbatim ? ",..." : "");
  }
  option.traits = std::move(traits);
  return option;
}

}  // namespace lmpo
