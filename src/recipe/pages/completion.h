// Scripts by which shells complete the program's words: commands, options, their choices, files.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "recipe/command_description.h"

namespace lmpo {

// For "bash", "zsh" or "fish"; throws UserError for another shell.
std::string completion_script(std::string_view shell, std::span<const ListedCommand> commands);

// One for each shell, see above.
std::string bash_completion(std::span<const ListedCommand> commands);
std::string zsh_completion(std::span<const ListedCommand> commands);
std::string fish_completion(std::span<const ListedCommand> commands);

// 'text' as all three shells read it: a word, whatever is in it.
std::string shell_quoted(std::string_view text);

}  // namespace lmpo
