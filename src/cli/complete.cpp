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

Candidates complete_words(std::span<const std::string> words) {
  if (words[0].starts_with('-')) {
    return complete(program_flags(), words);
  }
  if (words.size() == 1) {
    return command_names();
  }
  if (words[0] == "help" && words.size() == 3) {  // lmpo help train PART is lmpo train --help PART
    const std::string same[] = {words[1], "--help", words[2]};
    return complete_words(same);
  }
  const auto found = std::ranges::find(commands(), words[0], &Command::name);
  return found == commands().end() ? Candidates() : complete(found->describe(), words.subspan(1));
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
