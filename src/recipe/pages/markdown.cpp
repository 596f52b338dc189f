#include "recipe/pages/markdown.h"

#include <fmt/format.h>

#include <algorithm>

namespace lmpo {
namespace {

std::string cell(const std::string& text) {
  std::string result;
  for (const char c : text) {
    result += c == '|' ? "\\|" : std::string(1, c);
  }
  return result;
}

std::string row(const OptionDescription& option) {
  std::string names = "`" + option.name + "`";
  for (const std::string& name : option.synonyms) {
    names += ", `" + name + "`";
  }
  if (option.letter != 0) {
    names += fmt::format(", `-{}`", option.letter);
  }
  std::string meaning = option.help;
  if (option.value_name.starts_with('{')) {
    meaning += "; " + option.expected;
  }
  return fmt::format("| {} | {} | {} |\n", cell(names),
                     cell(option.required ? "required" : option.default_text), cell(meaning));
}

// Without the options that `without` has.
std::string tables(const CommandDescription& command, const CommandDescription* without) {
  const auto is_shared = [&](const OptionDescription& option) {
    return without != nullptr &&
           std::ranges::find(without->options, option.name, &OptionDescription::name) !=
               without->options.end();
  };
  std::string text;
  std::string group;
  for (const OptionDescription& option : command.options) {
    if (is_shared(option)) {
      continue;
    }
    if (option.group != group) {
      group = option.group;
      text += fmt::format("{}### {}\n\n| option | default | meaning |\n|---|---|---|\n",
                          text.empty() ? "" : "\n", group);
    }
    text += row(option);
  }
  return text;
}

std::string examples(const CommandDescription& command) {
  for (const auto& [title, text] : command.sections) {
    if (title == "Examples") {
      return "\nExamples\n\n```\n" + text + (text.ends_with('\n') ? "" : "\n") + "```\n";
    }
  }
  return "";
}

bool has_options_of(const CommandDescription& command, const CommandDescription& other) {
  return std::ranges::all_of(other.options, [&](const OptionDescription& option) {
    return std::ranges::find(command.options, option.name, &OptionDescription::name) !=
           command.options.end();
  });
}

}  // namespace

std::string options_markdown(const CommandDescription& command) {
  return tables(command, nullptr);
}

std::string commands_markdown(std::span<const ListedCommand> commands, const std::string& train) {
  const auto of_train = std::ranges::find(commands, train, &ListedCommand::name);
  std::string text;
  for (const ListedCommand& listed : commands) {
    const CommandDescription& command = listed.description;
    const bool shares = has_options_of(command, of_train->description);
    text += fmt::format("{}## {}\n\n{}\n\n    {}\n\n", text.empty() ? "" : "\n", command.command,
                        command.summary, command.usage());
    if (shares) {
      text += "The options of a training run have [a page of their own](options.md).\n";
    }
    const std::string options = tables(command, shares ? &of_train->description : nullptr);
    text += (shares && !options.empty() ? "Besides:\n\n" : "") + options + examples(command);
  }
  return text;
}

}  // namespace lmpo
