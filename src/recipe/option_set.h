// The options of a command, each said once: name, variable, default, help, check. From this list
// come the flags, the YAML reader, the environment variables, --help, the run record and the
// tables of the documentation.
//
//   TrainRecipe recipe;                              // variables with their defaults
//   OptionSet options("lmpo train", "Trains a model.");
//   options.group("Optimizer");
//   options.add("learning_rate", recipe.learning_rate, "peak learning rate", {.range = kPositive});
//   if (!options.parse(arguments)) return 0;         // --help was shown
//
// Where a value may come from, the later winning over the earlier: the variable's own value, the
// YAML file, the environment (LMPO_ and the name in capitals), the command line. `null`, `None` and
// `~` mean the default. The variables must outlive the set. Not thread-safe.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "recipe/command_description.h"
#include "recipe/given_options.h"
#include "recipe/option.h"
#include "recipe/option_sources.h"

namespace lmpo {

class OptionSet {
 public:
  // `command` as it is typed, for example "lmpo train"; `summary` for the top of --help.
  OptionSet(std::string command, std::string summary);
  OptionSet(const OptionSet&) = delete;  // checks hold references to it
  OptionSet& operator=(const OptionSet&) = delete;

  // Declaring. The options that follow belong to the group.
  void group(std::string title) { group_ = std::move(title); }
  // T: bool, std::int64_t, double, std::string, fs::path, Bytes, an enumeration with choice_names,
  // std::optional of one of these, or std::vector of one (a list).
  template <typename T>
  void add(std::string name, T& value, std::string help, OptionTraits traits = {}) {
    add(make_option(std::move(name), value, std::move(help), std::move(traits)));
  }
  // An argument without a name, in the order declared, for example "OUT".
  template <typename T>
  void add_positional(std::string name, T& value, std::string help, OptionTraits traits = {}) {
    add(std::move(name), value, std::move(help), std::move(traits));
    options_.last().is_positional = options_.last().takes_position = true;
  }
  // An option that may also be given as an argument without its name: a model.
  template <typename T>
  void add_named_or_positional(std::string name, T& value, std::string help,
                               OptionTraits traits = {}) {
    add(std::move(name), value, std::move(help), std::move(traits));
    options_.last().takes_position = true;
  }
  // Takes a YAML file by --config or as the first positional argument.
  void accept_config_file() { accepts_config_ = true; }
  // A last part of --help, for example examples.
  void section(std::string title, std::string text);
  // The options that a plain --help shows, where all would be too many; --help all shows them.
  void common(std::vector<std::string> names) { common_ = std::move(names); }

  // Defaults that depend on other options: called when all has been read, to set variables that
  // were not given. Those that were given are then assigned once more, so it may set any.
  void adjust_defaults(std::function<void()> adjust) { adjust_ = std::move(adjust); }
  // Called last, each: checks of several options together, see reject.
  void check(std::function<void()> check) { checks_.push_back(std::move(check)); }

  // Instead of throwing, parse turns mistakes into remarks and continues: the option keeps its
  // default. It logs no remarks then.
  void collect_mistakes() { remarks_.collect_mistakes(); }

  // Reads everything and sets the variables; logs notices. False: --help was printed. Throws one
  // UserError for all mistakes, each with its place, what was expected and the nearest known name.
  bool parse(const std::vector<std::string>& arguments);

  // The parts of parse, in its order.
  bool read_arguments(const std::vector<std::string>& arguments);  // false: --help was asked for
  void read_yaml(std::string_view text, const std::string& source);
  void read_environment();
  void resolve();

  // After parse.
  const std::optional<std::string>& config_file() const { return command_line_.config; }
  bool given(std::string_view name) const { return written(name) != nullptr; }
  // "recipe.yaml:7: beta", "--beta", "LMPO_BETA", or the name alone where it has its default.
  std::string place(std::string_view name) const { return given_.place(options_.index_of(name)); }
  [[noreturn]] void reject(std::string_view name, std::string_view message) const;
  // As it was written; null where it was not given.
  const RawValue* written(std::string_view name) const {
    return given_.find(options_.index_of(name));
  }
  // What was given under one name belongs to another option: for adjust_defaults.
  void pass_on(std::string_view from, std::string_view to) { given_.pass_on(from, to); }
  // Keys of other programs, and the YAML file's text.
  const std::vector<ForeignKey>& foreign_keys() const { return given_.foreign_keys(); }
  const std::string& recipe_text() const { return recipe_text_; }
  void notice(Remark remark) { remarks_.add(std::move(remark)); }
  const std::vector<Remark>& remarks() const { return remarks_.all(); }

  // {"learning_rate": {"value": 1e-6, "source": "file", "place": "recipe.yaml:7"}, ...} in the
  // order of the list; "place" only where the value was given.
  ordered_json record() const;
  // The same for a person, a line each under the titles of the groups, where they came from last.
  std::string settings() const;
  // Of a set that has read nothing, or only what decides defaults: the variables' values, once
  // adjusted, are the defaults.
  CommandDescription describe();
  // Names of the options that say so, see OptionTraits::changes_result.
  std::vector<std::string> names_that_change_result() const;

 private:
  void add(Option option);
  ReaderContext context() { return {options_, given_, remarks_, command_, accepts_config_}; }
  void require_given();
  void show_help();

  std::string command_;
  std::string summary_;
  std::string group_ = "Options";
  OptionList options_;
  Remarks remarks_;
  GivenOptions given_{options_, remarks_};
  std::vector<std::pair<std::string, std::string>> sections_;
  std::vector<std::string> common_;
  bool accepts_config_ = false;
  std::function<void()> adjust_;
  std::vector<std::function<void()>> checks_;
  CommandLine command_line_;
  std::string recipe_text_;
  Variables recipe_environment_;  // `env:` of the YAML file
};

}  // namespace lmpo
