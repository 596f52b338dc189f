// fish: a line for each option of each command.
#include <fmt/format.h>

#include "recipe/option_type.h"
#include "recipe/pages/completion.h"
#include "recipe/pages/help_page.h"

namespace lmpo {
namespace {

// fish reads \\ and \' inside quotes.
std::string fish_quoted(std::string_view text) {
  std::string result = "'";
  for (const char c : text) {
    result += c == '\'' || c == '\\' ? std::string("\\") + c : std::string(1, c);
  }
  return result + "'";
}

// What follows a flag, as the words of `complete`.
std::string value_words(const OptionDescription& option) {
  if (option.is_switch()) {
    return "";
  }
  const std::string needed = option.value_optional ? "" : " -r";
  switch (value_kind(option)) {
    case ValueKind::choices:
      return needed + " -f -a " + fish_quoted(join(option.choices, " "));
    case ValueKind::files:
      return needed + " -F";
    case ValueKind::folders:
      return needed + " -f -a '(__fish_complete_directories)'";
    case ValueKind::text:
      break;
  }
  return needed + " -f";
}

std::string lines_of(const std::string& condition, const OptionDescription& option) {
  if (option.positional) {
    return condition + value_words(option) + "\n";
  }
  std::string lines;
  for (const std::string& flag : option.flags()) {
    const bool is_long = flag.starts_with("--");
    lines +=
        fmt::format("{} -{} {} -d {}{}\n", condition, is_long ? "l" : "s",
                    flag.substr(is_long ? 2 : 1), fish_quoted(option.help), value_words(option));
  }
  return lines;
}

}  // namespace

std::string fish_completion(std::span<const ListedCommand> commands) {
  std::string text =
      "# fish completion for lmpo; made by: lmpo --completion fish\n\n"
      "# Whether the command is the one that is named.\n"
      "function __lmpo_command\n"
      "  set -l words (commandline -opc)\n"
      "  test (count $words) -gt 1; and test $words[2] = $argv[1]\n"
      "end\n"
      "function __lmpo_no_command\n"
      "  test (count (commandline -opc)) -eq 1\n"
      "end\n\n"
      "complete -c lmpo -f\n"
      "complete -c lmpo -n __lmpo_no_command -l help -d 'list the commands'\n"
      "complete -c lmpo -n __lmpo_no_command -l version -d 'print the version'\n"
      "complete -c lmpo -n __lmpo_no_command -l completion -d 'print a script for a shell' -x "
      "-a 'bash zsh fish'\n";
  for (const ListedCommand& command : commands) {
    text += fmt::format("\ncomplete -c lmpo -n __lmpo_no_command -a {} -d {}\n", command.name,
                        fish_quoted(command.summary));
    const std::string condition =
        fmt::format("complete -c lmpo -n '__lmpo_command {}'", command.name);
    if (command.description.accepts_config) {
      text += fmt::format("{0} -F\n{0} -l config -d 'options from a YAML file' -r -F\n", condition);
    }
    for (const OptionDescription& option : command.description.options) {
      text += lines_of(condition, option);
    }
    text += condition + " -l help -d 'explain the command' -f -a " +
            fish_quoted(join(help_topics(command.description), " ")) + "\n";
  }
  return text;
}

}  // namespace lmpo
