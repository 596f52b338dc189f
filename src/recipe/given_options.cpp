#include "recipe/given_options.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/names.h"
#include "recipe/foreign.h"

namespace lmpo {
namespace {

bool means_default(std::string_view text) {
  return text == "null" || text == "None" || text == "~";
}

// Refuses a foreign key, and names the others of its group that were given.
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

// The keys in the order in which they were given, a group of families with its first key.
std::vector<std::vector<const ForeignKey*>> grouped(const std::vector<ForeignKey>& keys) {
  std::vector<std::pair<std::string_view, std::vector<const ForeignKey*>>> groups;
  for (const ForeignKey& key : keys) {
    const ForeignFamily* family = find_foreign_key(key.name);
    const std::string_view name = family->group.empty() ? family->names : family->group;
    auto found = std::ranges::find_if(groups, [&](const auto& each) { return each.first == name; });
    if (found == groups.end()) {
      found = groups.insert(groups.end(), {name, {}});
    }
    found->second.push_back(&key);
  }
  std::vector<std::vector<const ForeignKey*>> result;
  std::ranges::transform(groups, std::back_inserter(result),
                         [](auto& each) { return each.second; });
  return result;
}

}  // namespace

RejectedOption::RejectedOption(std::string where, std::string_view message)
    : UserError(fmt::format("{}: {}", where, message)), place(std::move(where)) {}

bool Remarks::attempt(const char* name, const std::string& place,
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
    add({LogLevel::error, name, where, mistakes_.back()});
    mistakes_.clear();
  }
  return false;
}

void Remarks::refuse() const {
  if (mistakes_.size() == 1) {
    throw UserError(mistakes_[0]);
  }
  if (!mistakes_.empty()) {
    user_error("{} mistakes in the options:\n  {}", mistakes_.size(), join(mistakes_, "\n  "));
  }
}

void GivenOptions::take(const std::string& name, const OptionName& meaning, RawValue value) {
  const Option& option = options_[meaning.option];
  value.name = value.name.empty() ? name : value.name;
  value.null = value.texts.size() == 1 &&
               (value.null || (!option.traits.verbatim && means_default(value.texts[0])));
  if (meaning.old) {
    tell_renamed(value.place, name, option.name);
  }
  if (meaning.flag_value && !value.null && !take_flag_value(name, meaning, value)) {
    if (const ForeignFamily* family = find_foreign_key(name)) {  // off means something there
      take(ForeignKey{.name = name,
                      .text = value.texts[0],
                      .source = value.source,
                      .place = value.place,
                      .allowed = family->allows(value.texts[0])});
    }
    return;
  }
  if (!take_elsewhere(name, option, value)) {
    merge(name, meaning.option, std::move(value));
  }
}

void GivenOptions::tell_renamed(const std::string& place, const std::string& old,
                                const std::string& now) {
  remarks_.add({LogLevel::info, "option_renamed", place,
                fmt::format("{}: '{}' is called '{}' here", place, old, now)});
}

// Of a name that stands for a value, as "bf16: true" for bfloat16. Switched off it stands for the
// value of the name with "no_" before it. False: there is none, so that off says nothing.
bool GivenOptions::take_flag_value(const std::string& name, const OptionName& meaning,
                                   RawValue& value) {
  const std::string text = value.texts.size() == 1 ? value.texts[0] : "";
  // axolotl's "auto" means: if the machine has it; "offload" is a way to be on.
  const auto on = text == "auto" || text == "offload" ? true : parse_bool(text);
  if (!on) {
    user_error("{}: {}: true or false was expected", value.place, name);
  }
  const OptionName* said = *on ? &meaning : options_.look_up("no_" + name);
  if (said == nullptr || !said->flag_value) {
    return false;
  }
  remarks_.add({LogLevel::info, "option_renamed", value.place,
                fmt::format("{}: '{}{}' is read as {}: {}", value.place, name, *on ? "" : ": false",
                            options_[said->option].name, *said->flag_value)});
  value.texts = {*said->flag_value};
  return true;
}

// Whether the value is one of another option, which takes it.
bool GivenOptions::take_elsewhere(const std::string& name, const Option& option, RawValue& value) {
  for (const OptionTraits::Elsewhere& other : option.traits.elsewhere) {
    if (value.texts == std::vector<std::string>{other.text}) {
      remarks_.add({LogLevel::info, "option_renamed", value.place,
                    fmt::format("{}: '{}: {}' is '{}: {}' here", value.place, name, other.text,
                                other.option, other.value)});
      value.texts = {other.value};
      take(other.option, *options_.look_up(other.option), std::move(value));
      return true;
    }
  }
  return false;
}

void GivenOptions::merge(const std::string& name, std::size_t option, RawValue value) {
  const auto [place, fresh] = values_.try_emplace(option, value);
  if (fresh) {
    return;
  }
  RawValue& old = place->second;
  const bool same_source = old.source == value.source && !old.null && !value.null;
  // `torch_dtype: bfloat16` and `bf16: true` do not contradict one another.
  if (same_source && value.source == Source::file && old.texts != value.texts) {
    user_error("{}: '{}' contradicts {}, which sets the same option: keep one of the two",
               value.place, name, old.place);
  }
  if (same_source && value.source == Source::flag && options_[option].is_list) {
    old.texts.insert(old.texts.end(), value.texts.begin(), value.texts.end());
  } else if (value.source > old.source || (value.source == old.source && !value.null)) {
    old = std::move(value);
  }
}

void GivenOptions::pass_on(std::string_view from, std::string_view to) {
  auto value = values_.extract(options_.index_of(from));
  LMPO_CHECK(!value.empty());
  tell_renamed(value.mapped().place, std::string(from), std::string(to));
  values_.try_emplace(options_.index_of(to), std::move(value.mapped()));
}

const RawValue* GivenOptions::find(std::size_t option) const {
  const auto found = values_.find(option);
  return found == values_.end() || found->second.null ? nullptr : &found->second;
}

std::string GivenOptions::place(std::size_t option) const {
  const auto found = values_.find(option);
  if (found == values_.end()) {
    return options_[option].name;
  }
  const RawValue& value = found->second;
  return value.source == Source::file ? fmt::format("{}: {}", value.place, options_[option].name)
                                      : value.place;
}

void GivenOptions::assign(std::size_t index) const {
  const RawValue* value = find(index);
  if (value == nullptr) {
    return;
  }
  const Option& option = options_[index];
  const std::string where = place(index);
  if (!option.is_list && value->texts.size() != 1) {
    user_error("{}: one value was expected, not a list of {}", where, value->texts.size());
  }
  bool assigned = false;
  try {
    assigned = option.assign(value->texts);
  } catch (const UserError& error) {
    user_error("{}: {}", where, error.what());
  }
  if (!assigned) {
    std::string shown = join(value->texts, ", ");
    if (shown.size() > 60) {
      shown = shown.substr(0, 57) + "...";
    }
    user_error("{}: {} was expected, not '{}'{}", where, option.expected, shown,
               suggestion(shown, option.choices));
  }
}

void GivenOptions::assign_all() {
  for (auto& [option, value] : values_) {
    if (!remarks_.attempt("option_invalid", value.place,
                          [this, index = option] { assign(index); })) {
      value.null = true;
    }
  }
}

void GivenOptions::settle_foreign_keys() {
  for (const auto& keys : grouped(foreign_)) {
    const auto refused = std::ranges::find(keys, false, &ForeignKey::allowed);
    if (refused != keys.end()) {
      remarks_.attempt("option_invalid", (*refused)->place,
                       [&] { refuse_foreign(**refused, keys); });
      continue;
    }
    std::vector<std::string> names;
    for (const ForeignKey* key : keys) {
      names.push_back("'" + key->name + "'");
    }
    remarks_.add(
        {LogLevel::info, "option_not_used", keys[0]->place,
         fmt::format("{}: {} {} not used: {}", keys[0]->place, join(names, ", "),
                     names.size() == 1 ? "is" : "are", find_foreign_key(keys[0]->name)->reason)});
  }
}

}  // namespace lmpo
