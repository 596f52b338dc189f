#include "cli/complete.h"

#include <algorithm>
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

Candidates command_names() {
  Candidates names;
  for (const Command& command : commands()) {
    names.words.push_back({command.name, command.summary});
  }
  return names;
}

Candidates complete_command(const std::string& name, std::span<const std::string> words) {
  const auto found = std::ranges::find(commands(), name, &Command::name);
  return found == commands().end() ? Candidates() : complete(found->describe(), words);
}

Candidates complete_words(std::span<const std::string> words) {
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
  return complete_words(std::span(arguments).subspan(2, static_cast<std::size_t>(*index))).text();
}

}  // namespace lmpo
