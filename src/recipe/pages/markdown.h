// Tables of docs/, made of what the commands say of themselves.
#pragma once

#include <span>
#include <string>

#include "recipe/command_description.h"

namespace lmpo {

// A table for each group: option, default, meaning.
std::string options_markdown(const CommandDescription& command);

// Every command: what it does, its options, examples. `train` is the one whose options have a page
// of their own, docs/options.md; commands that share them link to it.
std::string commands_markdown(std::span<const ListedCommand> commands, const std::string& train);

}  // namespace lmpo
