// zsh: a function for each command, made of specifications for _arguments.
#include <fmt/format.h>

#include "recipe/option_type.h"
#include "recipe/pages/completion.h"
#include "recipe/pages/help_page.h"

namespace lmpo {
namespace {

// Text in a specification, where "[", "]", ":" and "\" mean something.
std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') {
      result += '\\';
    }
    result += c;
  }
  return result;
}

std::string action(const OptionDescription& option) {
  switch (value_kind(option)) {
    case ValueKind::choices:
      return "(" + join(option.choices, " ") + ")";
    case ValueKind::files:
      return "_files";
    case ValueKind::folders:
      return "_files -/";
    case ValueKind::text:
      break;
  }
  return " ";  // a value that cannot be completed
}

std::string line(const std::string& specification) {
  return "    " + shell_quoted(specification);
}

std::vector<std::string> specifications(const OptionDescription& option) {
  if (option.positional) {
    const char* const place = option.list ? "*:" : option.required ? ":" : "::";
    return {line(place + escaped(option.name) + ":" + action(option))};
  }
  std::string value;
  if (!option.is_switch()) {
    value = fmt::format("{}{}:{}", option.value_optional ? "::" : ":", escaped(option.value_name),
                        action(option));
  }
  std::vector<std::string> all;
  for (const std::string& flag : option.flags()) {
    // "=": the value may follow in the same word; a letter's, only in the next.
    const char* const equals = option.is_switch() || !flag.starts_with("--") ? "" : "=";
    all.push_back(line(fmt::format("{}{}{}[{}]{}", option.list ? "*" : "", flag, equals,
                                   escaped(option.help), value)));
  }
  return all;
}

std::string function_of(const ListedCommand& command) {
  std::vector<std::string> lines;
  for (const OptionDescription& option : command.description.options) {
    for (std::string& each : specifications(option)) {
      lines.push_back(std::move(each));
    }
  }
  if (command.description.accepts_config) {
    lines.push_back(line("--config=[options from a YAML file]:RECIPE.yaml:_files"));
    lines.push_back(line("::RECIPE.yaml:_files"));
  }
  lines.push_back(line("(-)--help[explain the command]::TOPIC:(" +
                       join(help_topics(command.description), " ") + ")"));
  return fmt::format("_lmpo_{}() {{\n  _arguments -S \\\n{}\n}}\n\n", command.name,
                     join(lines, " \\\n"));
}

}  // namespace

std::string zsh_completion(std::span<const ListedCommand> commands) {
  std::string functions;
  std::string described;
  for (const ListedCommand& command : commands) {
    functions += function_of(command);
    described += "    " + shell_quoted(escaped(command.name) + ":" + command.summary) + "\n";
  }
  return "#compdef lmpo\n# zsh completion for lmpo; made by: lmpo --completion zsh\n\n" +
         functions +
         "_lmpo() {\n"
         "  local context state state_descr line\n"
         "  local -A opt_args\n"
         "  local -a commands=(\n" +
         described +
         "  )\n"
         "  _arguments -C \\\n"
         "    '(-)--help[list the commands]' \\\n"
         "    '(-)--version[print the version]' \\\n"
         "    '(-)--completion[print a script for a shell]:shell:(bash zsh fish)' \\\n"
         "    '1: :->command' \\\n"
         "    '*:: :->arguments'\n"
         "  case $state in\n"
         "    command) _describe -t commands command commands ;;\n"
         "    arguments) (( $+functions[_lmpo_$words[1]] )) && _lmpo_$words[1] ;;\n"
         "  esac\n"
         "}\n\n"
         "# Found in $fpath this file is the function's body; sourced it must say whose it is.\n"
         "if [[ $funcstack[1] == _lmpo ]]; then\n"
         "  _lmpo \"$@\"\n"
         "else\n"
         "  compdef _lmpo lmpo\n"
         "fi\n";
}

}  // namespace lmpo
