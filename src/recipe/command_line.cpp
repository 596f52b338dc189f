// The command line: --key v, --key=v, --a-b for --a_b, --flag and --no_flag, -k v. No
// abbreviations.
#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "base/names.h"
#include "base/path_kind.h"
#include "recipe/foreign.h"
#include "recipe/option_sources.h"

namespace lmpo {
namespace {

std::string with_underscores(std::string name) {
  for (char& c : name) {
    c = c == '-' ? '_' : c;
  }
  return name;
}

bool is_flag(const std::string& word) {
  return word.size() > 1 && word[0] == '-' && !parse_real(word);
}

bool is_yaml(const std::string& word) {
  return word.ends_with(".yaml") || word.ends_with(".yml");
}

// Words not yet read. Each function takes what belongs to its flag.
using Words = std::deque<std::string>;

// A word that is neither a flag nor a flag's value.
struct Argument {
  std::string word;
  std::string list;  // the flag before it, if that takes a list; else empty
};

class CommandLineReader {
 public:
  explicit CommandLineReader(const ReaderContext& context)
      : options_(context.options),
        given_(context.given),
        remarks_(context.remarks),
        command_(context.command),
        accepts_config_(context.accepts_config) {}

  CommandLine read(const std::vector<std::string>& arguments);

 private:
  void take_long(const std::string& word, Words& rest);
  void take_short(const std::string& word, Words& rest);
  void take_config(std::optional<std::string> attached, Words& rest);
  void take_foreign(const std::string& name, const std::string& place,
                    std::optional<std::string> attached, Words& rest);
  void take_flag(const std::string& name, const OptionName& meaning, const std::string& place,
                 std::optional<std::string> attached, Words& rest);
  void take_positionals(const std::vector<Argument>& words);
  [[noreturn]] void refuse(const Argument& argument) const;

  const OptionList& options_;
  GivenOptions& given_;
  Remarks& remarks_;
  const std::string& command_;
  bool accepts_config_;
  std::string list_;  // the flag just read, if it takes a list
  CommandLine result_;
};

CommandLine CommandLineReader::read(const std::vector<std::string>& arguments) {
  Words words(arguments.begin(), arguments.end());
  std::vector<Argument> positionals;
  while (!words.empty()) {
    const std::string word = words.front();
    const std::string list = std::exchange(list_, "");
    words.pop_front();
    if (word == "--help" || word == "-h") {
      result_.wants_help = true;  // what follows may still decide defaults
      if (!words.empty() && !is_flag(words.front()) && !is_yaml(words.front())) {
        result_.help_topic = words.front();
        words.pop_front();
      }
      continue;
    }
    if (word == "--") {
      for (const std::string& argument : words) {
        positionals.push_back({argument, ""});
      }
      break;
    }
    if (!is_flag(word)) {
      positionals.push_back({word, list});
      continue;
    }
    const bool read = remarks_.attempt("option_unknown", word.substr(0, word.find('=')), [&] {
      word.starts_with("--") ? take_long(word, words) : take_short(word, words);
    });
    if (!read && !words.empty() && !is_flag(words.front()) && !is_yaml(words.front())) {
      words.pop_front();  // probably its value
    }
  }
  remarks_.attempt("option_unknown", "", [&] { take_positionals(positionals); });
  return result_;
}

void CommandLineReader::take_long(const std::string& word, Words& rest) {
  const auto equals = word.find('=');
  const std::string place = word.substr(0, equals);
  const std::string name = with_underscores(place.substr(2));
  std::optional<std::string> attached;
  if (equals != std::string::npos) {
    attached = word.substr(equals + 1);
  }
  if (const OptionName* meaning = options_.look_up(name)) {
    take_flag(name, *meaning, place, attached, rest);
    return;
  }
  if (name == "config" && accepts_config_) {
    take_config(std::move(attached), rest);
    return;
  }
  const OptionName* negated = name.starts_with("no_") ? options_.look_up(name.substr(3)) : nullptr;
  if (negated != nullptr && options_[negated->option].is_bool) {
    if (attached) {
      user_error("{} takes no value", place);
    }
    given_.take(name.substr(3), *negated,
                {.texts = {"false"}, .source = Source::flag, .place = place});
    return;
  }
  if (accepts_config_ && find_foreign_key(name) != nullptr) {
    take_foreign(name, place, std::move(attached), rest);
    return;
  }
  if (accepts_config_ && name.starts_with("no_") && find_foreign_key(name.substr(3)) != nullptr) {
    take_foreign(name.substr(3), place, "false", rest);
    return;
  }
  const std::string nearest = nearest_name(name, options_.names());
  user_error("unknown option {}{}; {} --help lists them", place,
             nearest.empty() ? "" : fmt::format(" (did you mean --{}?)", nearest), command_);
}

void CommandLineReader::take_config(std::optional<std::string> attached, Words& rest) {
  if (!attached && rest.empty()) {
    user_error("--config: a YAML file was expected after it");
  }
  if (!attached) {
    attached = rest.front();
    rest.pop_front();
  }
  result_.config = attached;
}

void CommandLineReader::take_foreign(const std::string& name, const std::string& place,
                                     std::optional<std::string> attached, Words& rest) {
  if (!attached && !rest.empty() && !is_flag(rest.front()) && !is_yaml(rest.front())) {
    attached = rest.front();
    rest.pop_front();
  }
  const std::string text = attached.value_or("true");
  given_.take(ForeignKey{.name = name,
                         .text = text,
                         .source = Source::flag,
                         .place = place,
                         .allowed = find_foreign_key(name)->allows(text)});
}

void CommandLineReader::take_short(const std::string& word, Words& rest) {
  for (std::size_t i = 0; i < options_.all().size(); ++i) {
    if (options_[i].traits.letter != word[1] || (word.size() > 2 && word[2] != '=')) {
      continue;
    }
    std::optional<std::string> attached;
    if (word.size() > 2) {
      attached = word.substr(3);
    }
    take_flag(options_[i].name, {.option = i}, word.substr(0, 2), attached, rest);
    return;
  }
  user_error("unknown option {}; {} --help lists them", word, command_);
}

void CommandLineReader::take_flag(const std::string& name, const OptionName& meaning,
                                  const std::string& place, std::optional<std::string> attached,
                                  Words& rest) {
  const Option& option = options_[meaning.option];
  const bool more = !rest.empty();
  bool takes_next = false;
  if (option.is_bool || meaning.flag_value) {
    takes_next = more && parse_bool(rest.front());
    attached = attached || takes_next ? attached : "true";
  } else if (!option.traits.implied.empty()) {
    // A recipe may follow, which is not this option's value.
    takes_next = more && !is_flag(rest.front()) && !is_yaml(rest.front());
    attached = attached || takes_next ? attached : option.traits.implied;
  } else {
    takes_next = true;
  }
  if (!attached) {
    if (!takes_next || !more || rest.front().starts_with("--")) {
      user_error("{}: {} was expected after it", place, option.expected);
    }
    attached = rest.front();
    rest.pop_front();
  }
  RawValue value = {.texts = split_list(*attached, option.splits()),
                    .source = Source::flag,
                    .place = place,
                    .name = name};
  while (option.traits.numbers_follow && !rest.empty() && parse_real(rest.front())) {
    value.texts.push_back(rest.front());
    rest.pop_front();
  }
  given_.take(name, meaning, std::move(value));
  list_ = option.is_list ? place : "";
}

void CommandLineReader::refuse(const Argument& argument) const {
  user_error(
      "unexpected argument '{}'; {}", argument.word,
      argument.list.empty()
          ? fmt::format("see {} --help", command_)
          : fmt::format("to give {0} several values, repeat it: {0} A {0} B", argument.list));
}

void CommandLineReader::take_positionals(const std::vector<Argument>& words) {
  std::size_t next = 0;
  const bool takes_any = std::ranges::any_of(options_.all(), &Option::takes_position);
  if (accepts_config_ && !words.empty() && !(takes_any && is_folder(words[0].word))) {
    if (!words[0].list.empty() && !is_yaml(words[0].word) && !is_there(words[0].word)) {
      refuse(words[0]);
    }
    if (result_.config) {
      user_error("unexpected argument '{}': --config names a recipe already", words[0].word);
    }
    result_.config = words[next++].word;
  }
  for (std::size_t i = 0; i < options_.all().size() && next < words.size(); ++i) {
    const bool is_named = !options_[i].is_positional && given_.has(i);
    if (!options_[i].takes_position || is_named) {
      continue;
    }
    const std::string place = options_[i].name;
    RawValue value = {.texts = {words[next++].word}, .source = Source::flag, .place = place};
    while (options_[i].is_list && next < words.size()) {
      value.texts.push_back(words[next++].word);
    }
    given_.take(options_[i].name, {.option = i}, std::move(value));
  }
  if (next < words.size()) {
    refuse(words[next]);
  }
}

}  // namespace

CommandLine read_command_line(const ReaderContext& context,
                              const std::vector<std::string>& arguments) {
  return CommandLineReader(context).read(arguments);
}

}  // namespace lmpo
