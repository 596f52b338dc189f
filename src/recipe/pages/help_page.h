// --help.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "recipe/command_description.h"
#include "recipe/pages/help_text.h"

namespace lmpo {

// A command's page. Of the topic
//   ""     the options that the command calls common, or all where it names none
//   "all"  everything
//   else   what it names: groups and last parts with a word in their titles that begins with it,
//          or options with it in their names
// Throws UserError for a topic that names nothing.
std::string help_page(const CommandDescription& command, std::string_view topic,
                      const HelpStyle& style);

// The words that name a command's groups and last parts, for --help.
std::vector<std::string> help_topics(const CommandDescription& command);

// "-m, --model DIR": how an option is typed.
std::string flag_names(const OptionDescription& option);

}  // namespace lmpo
