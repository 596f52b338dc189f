// What an option set says of itself: for help, for a dry run, for the record of a run.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/utf8.h"
#include "recipe/option_set.h"

namespace lmpo {
namespace {

// 1e-06 as people write it: 1e-6.
std::string number_text(double value) {
  std::string text = fmt::format("{}", value);
  for (const std::string_view padded : {"e-0", "e+0"}) {
    if (const auto at = text.find(padded); at != std::string::npos) {
      text.erase(at + 2, 1);
    }
  }
  return text;
}

std::string value_text(const json& value) {
  if (value.is_string()) {
    return value.get<std::string>();
  }
  if (value.is_number_float()) {
    return number_text(value.get<double>());
  }
  if (value.is_array()) {
    std::vector<std::string> items;
    for (const json& item : value) {
      items.push_back(value_text(item));
    }
    return join(items, ",");
  }
  return value.is_null() ? "" : value.dump();
}

// Where a value that nobody gave was inferred from, as a remark NAME_inferred tells; "" if it was not.
std::string inferred_from(std::string_view option, const std::vector<Remark>& remarks) {
  const auto found = std::ranges::find(remarks, fmt::format("{}_inferred", option), &Remark::name);
  return found == remarks.end() ? "" : fmt::format("inferred from {}", found->place);
}

}  // namespace

std::string OptionSet::settings() const {
  const auto line = [&](std::size_t i, std::string_view place) {
    const Option& option = options_[i];
    std::string value = value_text(option.show());
    if (value.empty() && !option.traits.default_text.empty()) {
      value = "(" + option.traits.default_text + ")";
    }
    return printable(fmt::format("  {:<30} {:<30} {}", option.name, value, place),
                     LineEnds::escape) +
           "\n";
  };
  std::string text = "Set by you\n";
  std::string inferred;
  std::string defaults;
  std::string group;
  for (std::size_t i = 0; i < options_.all().size(); ++i) {
    if (const RawValue* value = given_.find(i)) {
      text += line(i, value->place);
      continue;
    }
    if (const std::string place = inferred_from(options_[i].name, remarks()); !place.empty()) {
      inferred += line(i, place);
      continue;
    }
    if (options_[i].group != group) {
      group = options_[i].group;
      defaults += group + "\n";
    }
    defaults += line(i, "default");
  }
  if (!inferred.empty()) {
    text += "\nInferred\n" + inferred;
  }
  return text + "\nDefaults\n" + defaults;
}

CommandDescription OptionSet::describe() {
  if (adjust_) {
    remarks_.attempt("options_contradict", "", adjust_);
  }
  CommandDescription result = {.command = command_,
                               .summary = summary_,
                               .accepts_config = accepts_config_,
                               .options = {},
                               .sections = sections_,
                               .common = common_};
  for (const std::string& name : common_) {
    options_.index_of(name);  // it must be there
  }
  for (const Option& option : options_.all()) {
    const OptionTraits& traits = option.traits;
    result.options.push_back({.name = option.name,
                              .group = option.group,
                              .help = option.help,
                              .value_name = option.value_name,
                              .expected = option.expected,
                              .default_text = traits.default_text.empty()
                                                  ? value_text(option.show())
                                                  : traits.default_text,
                              .choices = option.choices,
                              .synonyms = traits.synonyms,
                              .letter = traits.letter,
                              .positional = option.is_positional,
                              .named_or_positional = option.takes_position && !option.is_positional,
                              .list = option.is_list,
                              .required = traits.required,
                              .negatable = option.is_bool && option.show() != json(false),
                              .value_optional = !traits.implied.empty()});
  }
  return result;
}

ordered_json OptionSet::record() const {
  static constexpr std::array names = {"default", "file", "environment", "flag"};
  ordered_json result = ordered_json::object();
  for (std::size_t i = 0; i < options_.all().size(); ++i) {
    const RawValue* value = given_.find(i);
    const Source source = value != nullptr ? value->source : Source::builtin;
    ordered_json entry = {{"value", options_[i].show()},
                          {"source", names[static_cast<std::size_t>(source)]}};
    if (value != nullptr) {
      entry["place"] = replace_invalid_utf8(value->place);
    }
    result[options_[i].name] = std::move(entry);
  }
  return result;
}

std::vector<std::string> OptionSet::names_that_change_result() const {
  std::vector<std::string> names;
  for (const Option& option : options_.all()) {
    if (option.traits.changes_result) {
      names.push_back(option.name);
    }
  }
  return names;
}

}  // namespace lmpo
