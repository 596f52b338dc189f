#include "recipe/pages/man_page.h"

#include <fmt/format.h>

#include <algorithm>

#include "recipe/option_type.h"
#include "recipe/pages/words.h"

namespace lmpo {
namespace {

std::string upper(std::string_view text) {
  std::string result;
  for (const char c : text) {
    result += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return result;
}

std::string bold(std::string_view text) {
  return "\\fB" + roff_escaped(text) + "\\fR";
}

std::string italic(std::string_view text) {
  return "\\fI" + roff_escaped(text) + "\\fR";
}

std::string section(std::string_view title) {
  return ".SH " + upper(roff_escaped(title)) + "\n";
}

std::string subsection(std::string_view title) {
  return ".SS \"" + roff_escaped(title) + "\"\n";
}

// A paragraph, in lines that are easily read.
std::string flow(const std::string& text) {
  std::string result;
  for (const std::string& line : wrap(words_of(text), 72)) {
    result += roff_escaped(line) + "\n";
  }
  return result;
}

// Lines that stay as they are.
std::string lines(std::string_view text) {
  std::string result = ".nf\n";
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    result += roff_escaped(text.substr(0, end)) + "\n";
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return result + ".fi\n";
}

std::string begin(const std::string& name, const std::string& summary, const std::string& version) {
  return fmt::format(
      ".\\\" Made by lmpo docs man.\n"
      ".TH {} 1 \"\" \"lmpo {}\" \"User Commands\"\n.nh\n.ad l\n.SH NAME\n{} \\- {}\n",
      roff_escaped(upper(name)), roff_escaped(version), roff_escaped(name), roff_escaped(summary));
}

std::string option_entry(const OptionDescription& option) {
  std::string text = ".TP\n";
  if (option.positional) {
    text += italic(option.name);
  } else {
    const std::vector<std::string> flags = option.flags();
    for (std::size_t i = 0; i < flags.size(); ++i) {
      text += (i == 0 ? "" : ", ") + bold(flags[i]);
    }
    if (!option.is_switch()) {
      text += " " + italic(option.value_name);
    }
  }
  std::string meaning = option.help;
  if (const std::string note = option.default_note(); !note.empty()) {
    meaning += " [" + note + "]";
  }
  return text + "\n" + flow(meaning);
}

std::string listing(std::span<const ListedCommand> commands) {
  std::string text;
  std::string group;
  for (const ListedCommand& command : commands) {
    if (command.group != group) {
      group = command.group;
      text += subsection(group);
    }
    text += ".TP\n" + bold(command.name) + "\n" + flow(command.summary + "; see") +
            bold(command_page_name(command.name)) + "(1)\n";
  }
  return text;
}

}  // namespace

std::string command_page_name(std::string command) {
  std::ranges::replace(command, ' ', '-');
  return "lmpo-" + command;
}

std::string roff_escaped(std::string_view text) {
  std::string result;
  bool line_begins = true;
  for (const char c : text) {
    if (line_begins && (c == '.' || c == '\'')) {
      result += "\\&";
    }
    line_begins = c == '\n';
    switch (c) {
      case '\\':
        result += "\\e";
        break;
      case '-':
        result += "\\-";
        break;
      case '\'':
        result += "\\(aq";
        break;
      case '"':
        result += "\\(dq";
        break;
      case '^':
        result += "\\(ha";
        break;
      case '~':
        result += "\\(ti";
        break;
      case '`':
        result += "\\(ga";
        break;
      default:
        result += c;
    }
  }
  return result;
}

std::string program_man_page(const ProgramDescription& program,
                             std::span<const ListedCommand> commands) {
  return begin("lmpo", program.summary, program.version) + ".SH SYNOPSIS\n" + bold("lmpo") + " " +
         italic("COMMAND") + " [" + italic("OPTIONS") + "]\n.br\n" + bold("lmpo") + " " +
         bold("help") + " [" + italic("COMMAND") + "|" + italic("TOPIC") + "]\n.SH COMMANDS\n" +
         listing(commands) + section("Environment") + lines(program.environment) +
         section("Exit status") + lines(program.exit_codes) + section("Examples") +
         lines(program.examples);
}

std::string command_man_page(const ListedCommand& command, const std::string& version) {
  const CommandDescription& description = command.description;
  std::string text = begin(command_page_name(command.name), command.summary, version) +
                     ".SH SYNOPSIS\n" + bold(description.command) +
                     roff_escaped(description.usage().substr(description.command.size())) +
                     "\n.SH DESCRIPTION\n" + flow(description.summary) + ".SH OPTIONS\n" +
                     flow(
                         "Each option but the arguments without a name may also be set by a "
                         "variable of the environment: LMPO_ and its name in capitals.");
  std::string group;
  for (const OptionDescription& option : description.options) {
    if (option.group != group) {
      group = option.group;
      text += subsection(group);
    }
    text += option_entry(option);
  }
  text += subsection("General");
  if (description.accepts_config) {
    text += ".TP\n" + bold("--config") + " " + italic("RECIPE.yaml") +
            "\noptions from a YAML file; the environment and flags win over it\n";
  }
  text += ".TP\n" + bold("-h") + ", " + bold("--help") + " [" + italic("TOPIC") +
          "]\nexplain the command; of a topic, a group or an option\n";
  for (const auto& [title, body] : description.sections) {
    text += section(title) + lines(body);
  }
  return text + section("See also") + bold("lmpo") + "(1)\n";
}

}  // namespace lmpo
