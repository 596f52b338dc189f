#include "recipe/option_set.h"

#include <fmt/format.h>

#include <array>
#include <cstdio>
#include <cstdlib>

#include "base/error.h"
#include "base/names.h"
#include "base/utf8.h"
#include "recipe/pages/help_page.h"

namespace lmpo {
namespace {

bool means_default(std::string_view text) {
  return text == "null" || text == "None" || text == "~";
}

// Of reject, which knows the place.
struct RejectedOption : UserError {
  RejectedOption(const std::string& where, std::string_view message)
      : UserError(fmt::format("{}: {}", where, message)), place(where) {}
  std::string place;
};

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

// Set while describe_command waits for a description.
thread_local CommandDescription* wanted_description = nullptr;

}  // namespace

OptionSet::OptionSet(std::string command, std::string summary)
    : command_(std::move(command)), summary_(std::move(summary)) {}

void OptionSet::section(std::string title, std::string text) {
  sections_.emplace_back(std::move(title), std::move(text));
}

void OptionSet::add_option(Option option) {
  option.group = group_;
  const std::size_t index = options_.size();
  const auto add_name = [&](const std::string& name, Name meaning) {
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

const OptionSet::Option& OptionSet::find(std::string_view name) const {
  const auto found = names_.find(name);
  LMPO_CHECK(found != names_.end());
  return options_[found->second.option];
}

const OptionSet::Name* OptionSet::look_up(const std::string& name) const {
  const auto found = names_.find(name);
  return found == names_.end() || options_[found->second.option].is_positional ? nullptr
                                                                               : &found->second;
}

std::vector<std::string> OptionSet::known_names() const {
  std::vector<std::string> names;
  for (const auto& [name, meaning] : names_) {
    if (!options_[meaning.option].is_positional) {
      names.push_back(name);
    }
  }
  return names;
}

void OptionSet::take(const std::string& name, const Name& meaning, RawValue value) {
  const Option& option = options_[meaning.option];
  value.null = value.texts.size() == 1 &&
               (value.null || (!option.traits.verbatim && means_default(value.texts[0])));
  if (meaning.old) {
    notice({LogLevel::info, "option_renamed", value.place,
            fmt::format("{}: '{}' is called '{}' here", value.place, name, option.name)});
  }
  if (meaning.flag_value && !value.null) {
    const auto on = value.texts.size() == 1 ? parse_bool(value.texts[0]) : std::nullopt;
    if (!on) {
      user_error("{}: {}: true or false was expected", value.place, name);
    }
    if (!*on) {
      return;
    }
    notice({LogLevel::info, "option_renamed", value.place,
            fmt::format("{}: '{}' is read as {}: {}", value.place, name, option.name,
                        *meaning.flag_value)});
    value.texts = {*meaning.flag_value};
  }
  for (const OptionTraits::Elsewhere& other : option.traits.elsewhere) {
    if (value.texts == std::vector<std::string>{other.text}) {
      notice({LogLevel::info, "option_renamed", value.place,
              fmt::format("{}: '{}: {}' is '{}: {}' here", value.place, name, other.text,
                          other.option, other.value)});
      value.texts = {other.value};
      take(other.option, *look_up(other.option), std::move(value));
      return;
    }
  }
  const auto [place, fresh] = given_.try_emplace(meaning.option, value);
  if (fresh) {
    return;
  }
  RawValue& old = place->second;
  // `torch_dtype: bfloat16` and `bf16: true` do not contradict one another.
  if (old.source == value.source && value.source == Source::file && !old.null && !value.null &&
      old.texts != value.texts) {
    user_error("{}: '{}' says again what {} has said: keep one of the two", value.place, name,
               old.place);
  }
  if (old.source == value.source && value.source == Source::flag && option.is_list && !old.null &&
      !value.null) {
    old.texts.insert(old.texts.end(), value.texts.begin(), value.texts.end());
  } else if (value.source > old.source || (value.source == old.source && !value.null)) {
    old = std::move(value);
  }
}

void OptionSet::read_environment() {
  for (std::size_t i = 0; i < options_.size(); ++i) {
    const std::string variable = environment_name(options_[i].name);
    const char* value = options_[i].is_positional ? nullptr : std::getenv(variable.c_str());
    if (value != nullptr && *value != '\0') {
      take(options_[i].name, {.option = i},
           {.texts = split_list(value, options_[i].splits()),
            .source = Source::environment,
            .place = variable});
    }
  }
}

void OptionSet::assign(std::size_t index, const RawValue& value) {
  const Option& option = options_[index];
  if (value.null) {
    return;
  }
  const std::string where = place(option.name);
  if (!option.is_list && value.texts.size() != 1) {
    user_error("{}: one value was expected, not a list of {}", where, value.texts.size());
  }
  bool assigned = false;
  try {
    assigned = option.assign(value.texts);
  } catch (const UserError& error) {
    user_error("{}: {}", where, error.what());
  }
  if (!assigned) {
    std::string shown = join(value.texts, ", ");
    if (shown.size() > 60) {
      shown = shown.substr(0, 57) + "...";
    }
    user_error("{}: {} was expected, not '{}'{}", where, option.expected, shown,
               suggestion(shown, option.choices));
  }
}

void OptionSet::assign_given() {
  for (auto& [option, value] : given_) {
    if (!attempt("option_invalid", value.place,
                 [&, option = option, &value = value] { assign(option, value); })) {
      value.null = true;
    }
  }
}

void OptionSet::require_given() {
  for (std::size_t i = 0; i < options_.size(); ++i) {
    const auto found = given_.find(i);
    if (options_[i].traits.required && (found == given_.end() || found->second.null)) {
      const std::string shown =
          options_[i].is_positional ? options_[i].name : "--" + options_[i].name;
      attempt("option_missing", "", [&] {
        user_error("{} is needed: {} ({} --help tells more)", shown, options_[i].help, command_);
      });
    }
  }
}

bool OptionSet::attempt(const char* name, const std::string& place,
                        const std::function<void()>& body) {
  if (!collects_) {
    body();
    return true;
  }
  try {
    body();
    return true;
  } catch (const RejectedOption& error) {
    notice({LogLevel::error, name, error.place, error.what()});
    return false;
  } catch (const UserError& error) {
    notice({LogLevel::error, name, place, error.what()});
    return false;
  }
}

void OptionSet::resolve() {
  assign_given();
  if (adjust_) {
    adjust_();
    assign_given();
  }
  require_given();
  for (const std::function<void()>& check : checks_) {
    attempt("options_contradict", "", check);
  }
}

std::string OptionSet::settings() const {
  std::string text;
  std::string group;
  for (std::size_t i = 0; i < options_.size(); ++i) {
    const Option& option = options_[i];
    if (option.group != group) {
      group = option.group;
      text += group + "\n";
    }
    const auto found = given_.find(i);
    const bool is_given = found != given_.end() && !found->second.null;
    std::string value = value_text(option.show());
    if (value.empty() && !option.traits.default_text.empty()) {
      value = "(" + option.traits.default_text + ")";
    }
    text += printable(fmt::format("  {:<30} {:<30} {}", option.name, value,
                                  is_given ? found->second.place : "default"),
                      LineEnds::escape) +
            "\n";
  }
  return text;
}

CommandDescription OptionSet::describe() const {
  CommandDescription result = {.command = command_,
                               .summary = summary_,
                               .accepts_config = accepts_config_,
                               .options = {},
                               .sections = sections_,
                               .common = common_};
  for (const std::string& name : common_) {
    find(name);  // it must be there
  }
  for (const Option& option : options_) {
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
                              .list = option.is_list,
                              .required = traits.required,
                              .negatable = option.is_bool && option.show() != json(false),
                              .value_optional = !traits.implied.empty()});
  }
  return result;
}

CommandDescription OptionSet::describe_command(int (*run)(const std::vector<std::string>&)) {
  CommandDescription description;
  wanted_description = &description;
  run({});
  LMPO_CHECK(wanted_description == nullptr);  // parse was called
  return description;
}

bool OptionSet::parse(const std::vector<std::string>& arguments) {
  const bool described = wanted_description != nullptr;
  if (described || !read_arguments(arguments)) {
    if (adjust_) {
      adjust_();
    }
    if (described) {
      *std::exchange(wanted_description, nullptr) = describe();
    } else {
      const std::string page = help_page(describe(), help_topic_, HelpStyle::standard_output());
      std::fputs(page.c_str(), stdout);
    }
    return false;
  }
  if (config_) {
    attempt("recipe_unreadable", *config_, [&] { read_yaml(read_file(*config_), *config_); });
  }
  for (const auto& [name, value] : file_environment_) {
    ::setenv(name.c_str(), value.c_str(), 0);  // what is set outside wins
  }
  read_environment();
  resolve();
  for (const Remark& remark : remarks_) {
    if (!collects_) {
      log_message(remark.level, remark.text);
    }
  }
  return true;
}

bool OptionSet::given(std::string_view name) const {
  const auto index = static_cast<std::size_t>(&find(name) - options_.data());
  const auto found = given_.find(index);
  return found != given_.end() && !found->second.null;
}

std::string OptionSet::place(std::string_view name) const {
  const Option& option = find(name);
  const auto found = given_.find(static_cast<std::size_t>(&option - options_.data()));
  if (found == given_.end()) {
    return option.name;
  }
  const RawValue& value = found->second;
  return value.source == Source::file ? fmt::format("{}: {}", value.place, option.name)
                                      : value.place;
}

void OptionSet::reject(std::string_view name, std::string_view message) const {
  throw RejectedOption(place(name), message);
}

ordered_json OptionSet::record() const {
  static constexpr std::array names = {"default", "file", "environment", "flag"};
  ordered_json result = ordered_json::object();
  for (std::size_t i = 0; i < options_.size(); ++i) {
    const auto found = given_.find(i);
    const bool is_given = found != given_.end() && !found->second.null;
    const Source source = is_given ? found->second.source : Source::builtin;
    ordered_json entry = {{"value", options_[i].show()},
                          {"source", names[static_cast<std::size_t>(source)]}};
    if (is_given) {
      entry["place"] = replace_invalid_utf8(found->second.place);
    }
    result[options_[i].name] = std::move(entry);
  }
  return result;
}

}  // namespace lmpo
