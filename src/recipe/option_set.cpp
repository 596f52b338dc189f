#include "recipe/option_set.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "base/error.h"
#include "base/names.h"
#include "recipe/foreign.h"
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

// `refused` with the others that were given of its group.
[[noreturn]] void refuse_foreign(const ForeignKey& refused,
                                 const std::vector<const ForeignKey*>& group) {
  std::vector<std::string> others;
  for (const ForeignKey* key : group) {
    const bool needs_it =
        !key->allowed || find_foreign_key(key->name)->accepts == ForeignFamily::Accepts::anything;
    if (key != &refused && needs_it) {
      others.push_back(fmt::format("{} ({})", key->name, key->place));
    }
  }
  user_error("{}: {}: '{}' is not supported{} ({})", refused.place, refused.name, refused.text,
             others.empty() ? "" : ", nor are " + join(others, ", "),
             find_foreign_key(refused.name)->reason);
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
  value.name = value.name.empty() ? name : value.name;
  value.null = value.texts.size() == 1 &&
               (value.null || (!option.traits.verbatim && means_default(value.texts[0])));
  if (meaning.old) {
    notice({LogLevel::info, "option_renamed", value.place,
            fmt::format("{}: '{}' is called '{}' here", value.place, name, option.name)});
  }
  if (meaning.flag_value && !value.null) {
    // axolotl's "bf16: auto" means where the machine has it; offload is a way to be on.
    const bool is_on = value.texts == std::vector<std::string>{"auto"} ||
                       value.texts == std::vector<std::string>{"offload"};
    const auto on = is_on                     ? true
                    : value.texts.size() == 1 ? parse_bool(value.texts[0])
                                              : std::nullopt;
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
    user_error("{}: '{}' contradicts {}, which sets the same option: keep one of the two",
               value.place, name, old.place);
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
  std::string where = place;
  try {
    body();
    return true;
  } catch (const RejectedOption& error) {
    where = error.place;
    mistakes_.emplace_back(error.what());
  } catch (const UserError& error) {
    mistakes_.emplace_back(error.what());
  }
  if (collects_) {
    notice({LogLevel::error, name, where, mistakes_.back()});
    mistakes_.clear();
  }
  return false;
}

void OptionSet::refuse_mistakes() const {
  if (mistakes_.size() == 1) {
    throw UserError(mistakes_[0]);
  }
  if (!mistakes_.empty()) {
    user_error("{} mistakes in the options:\n  {}", mistakes_.size(), join(mistakes_, "\n  "));
  }
}

void OptionSet::settle_foreign() {
  // In the order in which they were given, a group of families with its first key.
  std::vector<std::pair<std::string_view, std::vector<const ForeignKey*>>> groups;
  for (const ForeignKey& key : foreign_) {
    const ForeignFamily* family = find_foreign_key(key.name);
    const std::string_view name = family->group.empty() ? family->names[0] : family->group;
    auto found = std::ranges::find_if(groups, [&](const auto& each) { return each.first == name; });
    if (found == groups.end()) {
      found = groups.insert(groups.end(), {name, {}});
    }
    found->second.push_back(&key);
  }
  for (const auto& [group, keys] : groups) {
    const auto refused = std::ranges::find(keys, false, &ForeignKey::allowed);
    if (refused != keys.end()) {
      attempt("option_invalid", (*refused)->place,
              [&, &keys = keys] { refuse_foreign(**refused, keys); });
      continue;
    }
    std::vector<std::string> names;
    for (const ForeignKey* key : keys) {
      names.push_back("'" + key->name + "'");
    }
    notice(
        {LogLevel::info, "option_not_used", keys[0]->place,
         fmt::format("{}: {} {} not used: {}", keys[0]->place, join(names, ", "),
                     names.size() == 1 ? "is" : "are", find_foreign_key(keys[0]->name)->reason)});
  }
}

void OptionSet::resolve() {
  settle_foreign();
  assign_given();
  if (adjust_) {
    attempt("options_contradict", "", adjust_);
    assign_given();
  }
  require_given();
  for (const std::function<void()>& check : checks_) {
    attempt("options_contradict", "", check);
  }
  refuse_mistakes();
}

CommandDescription OptionSet::describe_command(int (*run)(const std::vector<std::string>&)) {
  CommandDescription description;
  wanted_description = &description;
  run({});
  LMPO_CHECK(wanted_description == nullptr);  // parse was called
  return description;
}

// Mistakes do not matter to who asks for help.
void OptionSet::show_help() {
  for (auto& [index, value] : given_) {
    if (options_[index].traits.decides_defaults) {
      attempt("option_invalid", value.place,
              [&, index = index, &value = value] { assign(index, value); });
    }
  }
  if (adjust_) {
    attempt("options_contradict", "", adjust_);
  }
  const std::string page = help_page(describe(), help_topic_, HelpStyle::standard_output());
  std::fputs(page.c_str(), stdout);
}

bool OptionSet::parse(const std::vector<std::string>& arguments) {
  const bool described = wanted_description != nullptr;
  if (described) {
    if (adjust_) {
      adjust_();
    }
    *std::exchange(wanted_description, nullptr) = describe();
    return false;
  }
  if (!read_arguments(arguments)) {
    show_help();
    return false;
  }
  if (config_) {
    const bool read =
        attempt("recipe_unreadable", *config_, [&] { read_yaml(read_file(*config_), *config_); });
    if (!read) {
      refuse_mistakes();
    }
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

const RawValue* OptionSet::written(std::string_view name) const {
  const auto found = given_.find(static_cast<std::size_t>(&find(name) - options_.data()));
  return found == given_.end() || found->second.null ? nullptr : &found->second;
}

void OptionSet::pass_on(std::string_view from, std::string_view to) {
  auto value = given_.extract(static_cast<std::size_t>(&find(from) - options_.data()));
  LMPO_CHECK(!value.empty());
  notice({LogLevel::info, "option_renamed", value.mapped().place,
          fmt::format("{}: '{}' is called '{}' here", value.mapped().place, from, to)});
  given_.try_emplace(static_cast<std::size_t>(&find(to) - options_.data()),
                     std::move(value.mapped()));
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

}  // namespace lmpo
