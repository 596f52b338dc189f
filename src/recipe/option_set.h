// The options of a command, each said once: name, variable, default, help, check. From this list
// come the flags, the YAML reader, the environment variables, --help, the run record and the
// tables of the documentation.
//
//   TrainRecipe recipe;                              // variables with their defaults
//   OptionSet options("lmpo train", "Trains a model.");
//   options.group("Optimizer");
//   options.add("learning_rate", recipe.learning_rate, "peak learning rate", {.range = kPositive});
//   if (!options.parse(arguments)) return 0;         // --help was shown, or see describe_command
//
// Where a value may come from, the later winning over the earlier: the variable's own value, the
// YAML file, the environment (LMPO_ and the name in capitals), the command line. `null`, `None` and
// `~` mean the default. The variables must outlive the set. Not thread-safe.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/log.h"
#include "recipe/command_description.h"
#include "recipe/option_type.h"

namespace YAML {
class Node;
}

namespace lmpo {

enum class Source { builtin, file, environment, flag };

// A value as it was written, with the place for errors: "recipe.yaml:7", "LMPO_SEED", "--seed".
struct RawValue {
  std::vector<std::string> texts = {};  // one, but for lists
  Source source = Source::builtin;
  std::string place = "";
  bool null = false;
  std::string name = "";  // as it was written, which may be an old one
};

// A key of another program that is no option here, see foreign.h.
struct ForeignKey {
  std::string name;
  std::string text;
  Source source = Source::file;
  std::string place;
  bool allowed = true;  // it changes nothing
};

// What is to be told of the options that were read: a notice, a warning or, where they are
// collected, a mistake.
struct Remark {
  LogLevel level = LogLevel::info;
  std::string name;   // stable: "option_renamed", "option_unknown", ...
  std::string place;  // as of RawValue; "" where none is to blame
  std::string text;   // a sentence that names the place
};

class OptionSet {
 public:
  // `command` as it is typed, for example "lmpo train"; `summary` for the top of --help.
  OptionSet(std::string command, std::string summary);

  // Declaring. The options that follow belong to the group.
  void group(std::string title) { group_ = std::move(title); }
  // T: bool, std::int64_t, double, std::string, fs::path, Bytes, an enumeration with choice_names,
  // std::optional of one of these, or std::vector of one (a list).
  template <typename T>
  void add(std::string name, T& value, std::string help, OptionTraits traits = {});
  // An argument without a name, in the order declared, for example "OUT".
  template <typename T>
  void add_positional(std::string name, T& value, std::string help, OptionTraits traits = {});
  // An option that may also be given as an argument without its name: a model.
  template <typename T>
  void add_named_or_positional(std::string name, T& value, std::string help,
                               OptionTraits traits = {});
  // Takes a YAML file by --config or as the first positional argument.
  void accept_config_file() { accepts_config_ = true; }
  // A last part of --help, for example examples.
  void section(std::string title, std::string text);
  // The options that a plain --help shows, where all would be too many; --help all shows them.
  void common(std::vector<std::string> names) { common_ = std::move(names); }

  // Defaults that depend on other options: called when all has been read, to set variables that
  // were not given; those that were are then read once more, so it may set any.
  void adjust_defaults(std::function<void()> adjust) { adjust_ = std::move(adjust); }
  // Called last, each: checks of several options together, see reject.
  void check(std::function<void()> check) { checks_.push_back(std::move(check)); }

  // Instead of throwing, mistakes become remarks, and reading goes on after each: the option has
  // its default then. parse logs no remarks.
  void collect_mistakes() { collects_ = true; }

  // Reads everything and sets the variables; logs notices. False: --help was printed. Throws one
  // UserError for all mistakes, each with its place, what was expected and the nearest known name.
  bool parse(const std::vector<std::string>& arguments);

  // What a command declares: runs it in a way in which parse does nothing but describe the set, and
  // returns false, as for --help. So a command must do nothing before it that can be noticed.
  static CommandDescription describe_command(int (*run)(const std::vector<std::string>&));

  // The parts of parse, in its order.
  bool read_arguments(const std::vector<std::string>& arguments);  // false: --help was asked for
  void read_yaml(std::string_view text, const std::string& source);
  void read_environment();
  void resolve();

  // After parse.
  const std::optional<std::string>& config_file() const { return config_; }
  bool given(std::string_view name) const;
  // "recipe.yaml:7: beta", "--beta", "LMPO_BETA", or the name alone where it has its default.
  std::string place(std::string_view name) const;
  [[noreturn]] void reject(std::string_view name, std::string_view message) const;
  // As it was written; null where it was not given.
  const RawValue* written(std::string_view name) const;
  // What was given under one name belongs to another option: for adjust_defaults.
  void pass_on(std::string_view from, std::string_view to);
  // Keys of other programs, and the YAML file's text.
  const std::vector<ForeignKey>& foreign_keys() const { return foreign_; }
  const std::string& recipe_text() const { return recipe_text_; }
  void notice(Remark remark) { remarks_.push_back(std::move(remark)); }
  const std::vector<Remark>& remarks() const { return remarks_; }

  // {"learning_rate": {"value": 1e-6, "source": "file", "place": "recipe.yaml:7"}, ...} in the
  // order of the list; "place" only where the value was given.
  ordered_json record() const;
  // The same for a person, a line each under the titles of the groups, where they came from last.
  std::string settings() const;
  // The variables' present values are the defaults.
  CommandDescription describe() const;

 private:
  struct Option {
    std::string name;
    std::string help;
    std::string group;
    OptionTraits traits;
    bool is_bool = false;
    bool is_list = false;
    bool is_positional = false;  // only
    bool takes_position = false;
    std::string value_name;
    std::string expected;
    std::vector<std::string> choices;
    std::function<bool(const std::vector<std::string>&)> assign;  // false: not such a value
    std::function<json()> show;

    bool splits() const { return is_list && !traits.verbatim; }
  };
  // What a name stands for.
  struct Name {
    std::size_t option;
    bool old = false;
    std::optional<std::string> flag_value = std::nullopt;  // of {"bf16", "bfloat16"}
  };

  void add_option(Option option);
  const Option& find(std::string_view name) const;
  const Name* look_up(const std::string& name) const;
  std::vector<std::string> known_names() const;

  // Keeps the value under the option its name stands for. Lists of flags grow.
  void take(const std::string& name, const Name& meaning, RawValue value);
  void assign_given();
  void assign(std::size_t option, const RawValue& value);
  void require_given();
  // A mistake is kept for refuse_mistakes, or becomes a remark of this name; false where there was
  // one.
  bool attempt(const char* name, const std::string& place, const std::function<void()>& body);
  void refuse_mistakes() const;
  // Says what is not used, and refuses what would change the training.
  void settle_foreign();
  void show_help();

  void read_yaml_keys(const YAML::Node& map, const std::string& source);
  void read_yaml_key(const std::string& key, const YAML::Node& node, const std::string& place);
  void read_yaml_mixture(const YAML::Node& map, const std::string& source);

  // Of the command line: words not yet read. Each takes what belongs to its flag.
  using Words = std::deque<std::string>;
  void take_long(const std::string& word, Words& rest);
  void take_short(const std::string& word, Words& rest);
  void take_foreign(const std::string& name, const std::string& place,
                    std::optional<std::string> attached, Words& rest);
  void take_flag(const std::string& name, const Name& meaning, const std::string& place,
                 std::optional<std::string> attached, Words& rest);
  void take_positionals(std::vector<std::string> words);

  std::string command_;
  std::string summary_;
  std::string group_ = "Options";
  std::vector<Option> options_;
  std::map<std::string, Name, std::less<>> names_;
  std::map<std::size_t, RawValue> given_;
  std::vector<std::pair<std::string, std::string>> sections_;
  std::vector<Remark> remarks_;
  std::vector<std::string> mistakes_;
  std::vector<ForeignKey> foreign_;
  std::string recipe_text_;
  std::vector<std::pair<std::string, std::string>> file_environment_;  // `env:` of the YAML file
  std::optional<std::string> config_;
  bool wants_help_ = false;
  std::string help_topic_;  // the word after --help
  std::vector<std::string> common_;
  bool accepts_config_ = false;
  std::function<void()> adjust_;
  std::vector<std::function<void()>> checks_;
  bool collects_ = false;
};

template <typename T>
void OptionSet::add(std::string name, T& value, std::string help, OptionTraits traits) {
  Option option;
  option.name = std::move(name);
  option.help = std::move(help);
  option.is_bool = std::is_same_v<T, bool> || std::is_same_v<T, std::optional<bool>>;
  option.is_list = lmpo::is_list<T>;
  if constexpr (lmpo::is_list<T>) {
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
  add_option(std::move(option));
}

template <typename T>
void OptionSet::add_positional(std::string name, T& value, std::string help, OptionTraits traits) {
  add(std::move(name), value, std::move(help), std::move(traits));
  options_.back().is_positional = options_.back().takes_position = true;
}

template <typename T>
void OptionSet::add_named_or_positional(std::string name, T& value, std::string help,
                                        OptionTraits traits) {
  add(std::move(name), value, std::move(help), std::move(traits));
  options_.back().takes_position = true;
}

}  // namespace lmpo
