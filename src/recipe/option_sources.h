// The readers of an option set's sources. They keep what was written, as text, in GivenOptions;
// mistakes go to Remarks, and reading continues after each.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "recipe/given_options.h"

namespace lmpo {

// What the readers need of an option set.
struct ReaderContext {
  const OptionList& options;
  GivenOptions& given;
  Remarks& remarks;
  const std::string& command;  // "lmpo train", for errors
  bool accepts_config;         // then keys of other programs are known, too
};

struct CommandLine {
  std::optional<std::string> config;  // the YAML file
  bool wants_help = false;
  std::string help_topic;  // the word after --help
};

using Variables = std::vector<std::pair<std::string, std::string>>;

CommandLine read_command_line(const ReaderContext& context,
                              const std::vector<std::string>& arguments);

// Of YAML text; `source` names it in errors. Adds the variables of its `env:` to `environment`.
// Throws UserError where it is no mapping of names to values.
void read_yaml(const ReaderContext& context, std::string_view text, const std::string& source,
               Variables& environment);

}  // namespace lmpo
