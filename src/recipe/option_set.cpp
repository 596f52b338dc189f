#include "recipe/option_set.h"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>

#include "base/error.h"
#include "base/file.h"
#include "recipe/pages/help_page.h"

namespace lmpo {

OptionSet::OptionSet(std::string command, std::string summary)
    : command_(std::move(command)), summary_(std::move(summary)) {}

void OptionSet::section(std::string title, std::string text) {
  sections_.emplace_back(std::move(title), std::move(text));
}

void OptionSet::add(Option option) {
  option.group = group_;
  options_.add(std::move(option));
}

bool OptionSet::read_arguments(const std::vector<std::string>& arguments) {
  command_line_ = read_command_line(context(), arguments);
  return !command_line_.wants_help;
}

void OptionSet::read_yaml(std::string_view text, const std::string& source) {
  recipe_text_ = text;
  lmpo::read_yaml(context(), text, source, recipe_environment_);
}

void OptionSet::read_environment() {
  for (std::size_t i = 0; i < options_.all().size(); ++i) {
    const Option& option = options_[i];
    const std::string variable = environment_name(option.name);
    const char* value = option.is_positional ? nullptr : std::getenv(variable.c_str());
    if (value != nullptr && *value != '\0') {
      given_.take(option.name, {.option = i},
                  {.texts = split_list(value, option.splits()),
                   .source = Source::environment,
                   .place = variable});
    }
  }
}

void OptionSet::require_given() {
  for (std::size_t i = 0; i < options_.all().size(); ++i) {
    const Option& option = options_[i];
    if (option.traits.required && given_.find(i) == nullptr) {
      remarks_.attempt("option_missing", "", [&] {
        user_error("{}{} is needed: {} ({} --help tells more)", option.is_positional ? "" : "--",
                   option.name, option.help, command_);
      });
    }
  }
}

void OptionSet::resolve() {
  given_.settle_foreign_keys();
  given_.assign_all();
  if (adjust_) {
    remarks_.attempt("options_contradict", "", adjust_);
    given_.assign_all();
  }
  require_given();
  for (const std::function<void()>& check : checks_) {
    remarks_.attempt("options_contradict", "", check);
  }
  remarks_.refuse();
}

// Mistakes do not matter to who asks for help.
void OptionSet::show_help() {
  for (std::size_t i = 0; i < options_.all().size(); ++i) {
    if (options_[i].traits.decides_defaults) {
      remarks_.attempt("option_invalid", "", [&] { given_.assign(i); });
    }
  }
  const std::string page =
      help_page(describe(), command_line_.help_topic, HelpStyle::standard_output());
  std::fputs(page.c_str(), stdout);
}

bool OptionSet::parse(const std::vector<std::string>& arguments) {
  if (!read_arguments(arguments)) {
    show_help();
    return false;
  }
  if (const auto& config = config_file()) {
    const bool read = remarks_.attempt("recipe_unreadable", *config,
                                       [&] { read_yaml(read_file(*config), *config); });
    if (!read) {
      remarks_.refuse();
    }
  }
  for (const auto& [name, value] : recipe_environment_) {
    ::setenv(name.c_str(), value.c_str(), 0);  // what is set outside wins
  }
  read_environment();
  resolve();
  for (const Remark& remark : remarks()) {
    if (!remarks_.collects_mistakes()) {
      log_message(remark.level, remark.text);
    }
  }
  return true;
}

void OptionSet::reject(std::string_view name, std::string_view message) const {
  throw RejectedOption(place(name), message);
}

}  // namespace lmpo
