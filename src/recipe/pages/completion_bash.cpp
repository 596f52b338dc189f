// bash: two functions that tell what there is, made of the commands, and one that looks it up. No
// package of helpers is needed.
#include <fmt/format.h>

#include "recipe/option_type.h"
#include "recipe/pages/completion.h"
#include "recipe/pages/help_page.h"

namespace lmpo {
namespace {

constexpr std::string_view kLookUp = R"bash(
_lmpo() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]}
  local flag='' values
  COMPREPLY=()
  # To bash "=" is a word of its own.
  if [[ $word == '=' ]]; then
    flag=$before word=''
  elif [[ $before == '=' ]]; then
    flag=${COMP_WORDS[COMP_CWORD - 2]}
  elif [[ $before == -* ]]; then
    flag=$before
  fi
  if ((COMP_CWORD == 1)) || [[ $command == -* ]]; then
    command=lmpo
  fi
  # Names are typed with - as well as with _.
  flag=${flag#-}
  flag=${flag#-}
  values=$(_lmpo_values "$command" "${flag//-/_}")
  if [[ $word == -* ]]; then
    values=$(_lmpo_flags "$command")
  elif [[ -z $values ]]; then
    values=$(_lmpo_values "$command" '')  # after a switch, too, an argument may follow
  fi
  case $values in
    @files) return ;;  # as bash does by itself
    @folders) compopt -o dirnames +o default ;;
    @text | '') compopt +o default ;;
    *)
      compopt +o default
      mapfile -t COMPREPLY < <(compgen -W "$values" -- "$word")
      ;;
  esac
}
complete -o default -F _lmpo lmpo
)bash";

std::string values_of(const OptionDescription& option) {
  switch (value_kind(option)) {
    case ValueKind::choices:
      return join(option.choices, " ");
    case ValueKind::files:
      return "@files";
    case ValueKind::folders:
      return "@folders";
    case ValueKind::text:
      break;
  }
  return "@text";
}

std::string flags_line(const std::string& command, const std::vector<std::string>& flags) {
  return fmt::format("    {}) echo {} ;;\n", command, shell_quoted(join(flags, " ")));
}

std::string values_line(const std::string& command, const std::string& flag,
                        const std::string& values) {
  return fmt::format("    {}:{}) echo {} ;;\n", command, flag, shell_quoted(values));
}

std::string flags_of(const CommandDescription& command, const std::string& name) {
  std::vector<std::string> flags;
  for (const OptionDescription& option : command.options) {
    for (const std::string& flag : option.flags()) {
      if (flag.starts_with("--")) {
        flags.push_back(flag);
      }
    }
  }
  if (command.accepts_config) {
    flags.emplace_back("--config");
  }
  flags.emplace_back("--help");
  return flags_line(name, flags);
}

std::string values_of(const CommandDescription& command, const std::string& name) {
  std::string lines;
  bool has_positional = command.accepts_config;
  if (command.accepts_config) {
    lines += values_line(name, "", "@files") + values_line(name, "config", "@files");
  }
  for (const OptionDescription& option : command.options) {
    if (option.positional && !has_positional) {
      lines += values_line(name, "", values_of(option));
      has_positional = true;
    }
    for (const std::string& flag : option.flags()) {
      if (!option.is_switch()) {
        lines += values_line(name, flag.substr(flag.find_first_not_of('-')), values_of(option));
      }
    }
  }
  return lines + values_line(name, "help", join(help_topics(command), " "));
}

}  // namespace

std::string bash_completion(std::span<const ListedCommand> commands) {
  std::string flags = flags_line("lmpo", {"--help", "--version", "--completion"});
  std::string values;
  std::vector<std::string> names;
  for (const ListedCommand& command : commands) {
    names.push_back(command.name);
    flags += flags_of(command.description, command.name);
    values += values_of(command.description, command.name);
  }
  values = values_line("lmpo", "", join(names, " ")) +
           values_line("lmpo", "completion", "bash zsh fish") + values;
  return "# bash completion for lmpo; made by: lmpo --completion bash\n\n"
         "# The flags of a command.\n"
         "_lmpo_flags() {\n  case $1 in\n" +
         flags + "  esac\n}\n\n" +
         "# What may stand after a command's flag, or as its argument where the flag is empty.\n"
         "_lmpo_values() {\n  case $1:$2 in\n" +
         values + "  esac\n}\n" + std::string(kLookUp);
}

}  // namespace lmpo
