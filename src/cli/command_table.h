// The commands of the program; a name may have two words: "eval alpaca". A new one is a file with its two functions (command.h), declared in
// commands.h, and a line in command_table.cpp; help, completion, manual pages and docs/commands.md
// follow.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "cli/command.h"
#include "recipe/command_description.h"

namespace lmpo {

struct Command {
  const char* name;
  const char* group;    // what one wants to do; commands of a group stand together
  const char* summary;  // one line
  const CommandCode& code;

  // Reads the options from the words after the command's name, then runs. Returns the exit code.
  // Throws UserError, before anything is done, for a mistake in them.
  int run(const std::vector<std::string>& arguments) const;
  CommandDescription describe() const;
};

std::span<const Command> commands();
// The words of a command line with the command's name as one of them: {"eval", "alpaca", "--help"}
// becomes {"eval alpaca", "--help"}.
std::vector<std::string> with_whole_name(std::vector<std::string> words);
// Throws UserError that names the nearest one.
const Command& find_command(const std::string& name);

// All of them with their options.
std::vector<ListedCommand> describe_commands();

}  // namespace lmpo
