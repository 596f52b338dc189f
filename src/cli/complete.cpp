#include "cli/complete.h"

#include <algorithm>
#include <iterator>
#include <span>

#include "base/error.h"
#include "cli/command_table.h"
#include "recipe/option_type.h"
#include "recipe/pages/completion.h"

namespace lmpo {
namespace {

// The flags of lmpo itself.
CommandDescription program_flags() {
  OptionDescription version;
  version.name = "version";
  version.help = "print the version";
  OptionDescription completion;
  completion.name = "completion";
  completion.help = "print a script for a shell";
  completion.value_name = "SHELL";
  completion.choices = {"bash", "zsh", "fish"};
  CommandDescription program;
  program.command = "lmpo";
  program.options = {version, completion};
  return program;
}

// First words of names; of two commands that share one, the shorter name's summary.
Candidates command_names() {
  Candidates names;
  for (const Command& command : commands()) {
    const std::string name = command.name;
    const std::string first = name.substr(0, name.find(' '));
    const auto seen = std::ranges::find(names.words, first, &Candidate::word);
    if (seen == names.words.end()) {
      names.words.push_back({first, command.summary});
    } else if (first == name) {
      seen->meaning = command.summary;
    }
  }
  return names;
}

// Second words of names of two words.
Candidates second_words(const std::string& first) {
  Candidates names;
  for (const Command& command : commands()) {
    const std::string name = command.name;
    if (name.starts_with(first + " ")) {
      names.words.push_back({name.substr(first.size() + 1), command.summary});
    }
  }
  return names;
}

Candidates complete_command(const std::string& name, std::span<const std::string> words) {
  const auto found = std::ranges::find(commands(), name, &Command::name);
  Candidates all = found == commands().end() ? Candidates() : complete(found->describe(), words);
  if (words.size() == 1 && !words[0].starts_with('-')) {
    std::ranges::copy(second_words(name).words, std::back_inserter(all.words));
  }
  return all;
}

Candidates complete_words(const std::vector<std::string>& typed) {
  const std::vector<std::string> whole =
      typed.size() > 2 ? with_whole_name(typed) : typed;  // the last word is still being typed
  const std::span<const std::string> words = whole;
  if (words.size() == 1) {
    return words[0].starts_with('-') ? complete(program_flags(), words) : command_names();
  }
  const bool asks_for_help = words[0] == "help" || words[0] == "--help" || words[0] == "-h";
  if (asks_for_help && words.size() == 3) {  // lmpo help COMMAND PART is lmpo COMMAND --help PART
    const std::string flag_and_part[] = {"--help", words[2]};
    return complete_command(words[1], flag_and_part);
  }
  if (words[0].starts_with('-') && !asks_for_help) {
    return complete(program_flags(), words);
  }
  return complete_command(asks_for_help ? "help" : words[0], words.subspan(1));
}

}  // namespace

std::string complete_line(const std::vector<std::string>& arguments) {
  const auto index = arguments.empty() ? std::nullopt : parse_integer(arguments[0]);
  if (!index || *index < 1 || *index + 2 > std::ssize(arguments)) {
    user_error("--complete: expected INDEX WORD..., the index of a word after the first");
  }
  const auto words = std::span(arguments).subspan(2, static_cast<std::size_t>(*index));
  return complete_words({words.begin(), words.end()}).text();
}

}  // namespace lmpo
