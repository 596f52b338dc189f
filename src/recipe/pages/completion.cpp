#include "recipe/pages/completion.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/error.h"
#include "recipe/pages/help_page.h"

namespace lmpo {
namespace {

using Words = std::span<const std::string>;

// "--max-length" as "max_length", "-m" as "m".
std::string name_of_flag(std::string_view flag) {
  flag.remove_prefix(std::min(flag.find_first_not_of('-'), flag.size()));
  std::string name(flag.substr(0, flag.find('=')));
  std::ranges::replace(name, '-', '_');
  return name;
}

const OptionDescription* find_option(const CommandDescription& command, std::string_view flag) {
  const std::string name = name_of_flag(flag);
  const auto found = std::ranges::find_if(command.options, [&](const OptionDescription& option) {
    return std::ranges::any_of(option.flags(),
                               [&](const std::string& each) { return name_of_flag(each) == name; });
  });
  return found == command.options.end() ? nullptr : &*found;
}

Candidates values_of(const OptionDescription& option, const std::string& before = "") {
  Candidates values = {.words = {}, .others = value_kind(option)};
  for (const std::string& choice : option.choices) {
    values.words.push_back({before + choice, ""});
  }
  return values;
}

// Of what follows a flag, each candidate after `before`. Nothing for a switch or an unknown flag.
std::optional<Candidates> values_after(const CommandDescription& command, std::string_view flag,
                                       const std::string& before = "") {
  const std::string name = name_of_flag(flag);
  if (name == "config" && command.accepts_config) {
    return Candidates{.words = {}, .others = ValueKind::files};
  }
  if (name == "help") {
    Candidates topics;
    for (const std::string& topic : help_topics(command)) {
      topics.words.push_back({before + topic, ""});
    }
    return topics;
  }
  const OptionDescription* option = find_option(command, flag);
  return option == nullptr || option->is_switch() ? std::nullopt
                                                  : std::make_optional(values_of(*option, before));
}

Candidates flags_of(const CommandDescription& command) {
  Candidates flags;
  for (const OptionDescription& option : command.options) {
    for (const std::string& flag : option.flags()) {
      flags.words.push_back({flag, option.help});
    }
  }
  if (command.accepts_config) {
    flags.words.push_back({"--config", "read options from a YAML file"});
  }
  flags.words.push_back({"--help", "explain the command"});
  return flags;
}

// How many of the words are arguments: neither flags nor their values.
std::size_t count_arguments(const CommandDescription& command, Words words) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (!words[i].starts_with('-')) {
      ++count;
    } else if (i + 1 < words.size() && words[i + 1] == "=") {
      i += 2;
    } else if (words[i].find('=') == std::string::npos && values_after(command, words[i])) {
      ++i;
    }
  }
  return count;
}

Candidates argument(const CommandDescription& command, std::size_t number) {
  if (command.accepts_config && number == 0) {
    return {.words = {}, .others = ValueKind::files};
  }
  number -= command.accepts_config ? 1 : 0;
  const OptionDescription* last = nullptr;
  for (const OptionDescription& option : command.options) {
    if (option.positional || option.named_or_positional) {
      last = &option;
      if (number-- == 0) {
        return values_of(option);
      }
    }
  }
  return last != nullptr && last->list ? values_of(*last) : Candidates();
}

constexpr std::string_view kBash = R"bash(# bash completion for lmpo, which answers itself
_lmpo() {
  local word=${COMP_WORDS[COMP_CWORD]} program=${COMP_WORDS[0]/#\~/$HOME} answer line
  mapfile -t answer < <("$program" --complete "$COMP_CWORD" "${COMP_WORDS[@]}" 2> /dev/null)
  [[ $word == '=' ]] && word=''  # to bash "=" is a word of its own
  COMPREPLY=()
  for line in "${answer[@]:1}"; do
    line=${line%%$'\t'*}
    [[ $line == "$word"* ]] && COMPREPLY+=("$line")
  done
  case ${answer[0]-files} in
    files) ;;  # as bash does by itself
    folders) compopt -o dirnames +o default ;;
    *) compopt +o default ;;
  esac
}
complete -o default -F _lmpo lmpo
)bash";

constexpr std::string_view kZsh = R"zsh(#compdef lmpo
# zsh completion for lmpo, which answers itself
_lmpo() {
  local -a before=("${(@Q)words[1,CURRENT-1]}") answer
  answer=("${(@f)$(${~before[1]} --complete $((CURRENT - 1)) "${before[@]}" "${(Q)PREFIX}" 2> /dev/null)}")
  local others=$answer[1]
  shift answer
  answer=("${(@)answer//:/\\:}")
  answer=("${(@)answer/$'\t'/:}")
  (( $#answer )) && _describe argument answer
  compset -P '--*='
  case $others in
    files) _files ;;
    folders) _files -/ ;;
  esac
}
# Found in $fpath, this file is the function's body; sourced, it must say whose it is.
if [[ $funcstack[1] == _lmpo ]]; then _lmpo "$@"; else compdef _lmpo lmpo; fi
)zsh";

constexpr std::string_view kFish = R"fish(# fish completion for lmpo, which answers itself
function __lmpo_complete
    set -l before (commandline -opc)
    set -l word (commandline -ct)
    set -l program (string replace -r '^~' $HOME -- $before[1])
    set -l answer ($program --complete (count $before) $before "$word" 2>/dev/null)
    set -l others $answer[1]
    set -e answer[1]
    printf '%s\n' $answer
    set -l start (string match -r -- '^--[^=]*=' "$word")
    set -l path (string replace -r -- '^--[^=]*=' '' "$word")
    switch "$others"
        case files
            printf '%s\n' "$start"(complete -C "'' $path")
        case folders
            printf '%s\n' "$start"(__fish_complete_directories "$path")
    end
end
complete -c lmpo -f -a '(__lmpo_complete)'
)fish";

}  // namespace

std::string Candidates::text() const {
  std::string lines = others == ValueKind::files     ? "files\n"
                      : others == ValueKind::folders ? "folders\n"
                                                     : "words\n";
  for (const auto& [word, meaning] : words) {
    lines += meaning.empty() ? word + "\n" : fmt::format("{}\t{}\n", word, meaning);
  }
  return lines;
}

Candidates complete(const CommandDescription& command, Words words) {
  const std::string& word = words.back();
  const Words before = words.first(words.size() - 1);
  if (const auto equals = word.find('='); word.starts_with("--") && equals != std::string::npos) {
    return values_after(command, word, word.substr(0, equals + 1)).value_or(Candidates());
  }
  const bool after_equals = word == "=" || (!before.empty() && before.back() == "=");
  const std::size_t back = after_equals && word != "=" ? 2 : 1;
  const std::string flag = before.size() < back ? "" : before[before.size() - back];
  if (word.starts_with('-') && !after_equals) {
    return flags_of(command);
  }
  if (flag.starts_with('-') && flag.find('=') == std::string::npos) {
    if (auto values = values_after(command, flag)) {
      return *values;
    }
  }
  return argument(command, count_arguments(command, before));
}

std::string completion_script(std::string_view shell) {
  if (shell == "bash") {
    return std::string(kBash);
  }
  if (shell == "zsh") {
    return std::string(kZsh);
  }
  if (shell == "fish") {
    return std::string(kFish);
  }
  user_error("--completion: bash, zsh or fish was expected, not '{}'", shell);
}

}  // namespace lmpo
