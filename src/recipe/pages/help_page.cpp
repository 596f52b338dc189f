#include "recipe/pages/help_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "base/error.h"
#include "base/names.h"
#include "recipe/option_type.h"
#include "recipe/pages/words.h"

namespace lmpo {
namespace {

using Chosen = std::function<bool(const OptionDescription&)>;

// The words of a title without what is not a letter.
std::vector<std::string> title_words(std::string_view title) {
  std::string letters = lower(title);
  std::ranges::replace_if(
      letters, [](char c) { return c < 'a' || c > 'z'; }, ' ');
  return words_of(letters);
}

bool names_title(std::string_view topic, std::string_view title) {
  return std::ranges::any_of(title_words(title),
                             [&](const std::string& word) { return word.starts_with(topic); });
}

bool names_option(std::string_view topic, const OptionDescription& option) {
  const auto has_topic = [&](const std::string& name) {
    return name.find(topic) != std::string::npos;
  };
  return has_topic(lower(option.name)) || std::ranges::any_of(option.synonyms, has_topic);
}

void add_option(HelpText& page, const OptionDescription& option) {
  std::vector<std::string> notes;
  if (const std::string note = option.default_note(); !note.empty()) {
    notes.push_back("[" + note + "]");
  }
  if (!option.positional) {
    notes.push_back("(env: " + option.variable() + ")");
  }
  page.entry(option.positional ? option.name : flag_names(option), option.help, notes);
}

// The options that are chosen, under the headings of their groups. False: there were none.
bool add_groups(HelpText& page, const CommandDescription& command, const Chosen& chosen) {
  std::string group;
  for (const OptionDescription& option : command.options) {
    if (chosen(option)) {
      if (option.group != group) {
        group = option.group;
        page.heading(group);
      }
      add_option(page, option);
    }
  }
  return !group.empty();
}

void add_section(HelpText& page, const std::pair<std::string, std::string>& section) {
  page.heading(section.first);
  page.verbatim(section.second);
}

void add_general(HelpText& page, const CommandDescription& command) {
  page.heading("General");
  if (command.accepts_config) {
    page.entry("--config RECIPE.yaml",
               "options from a YAML file; the environment and flags win over it");
  }
  page.entry("-h, --help [TOPIC]",
             command.common.empty() ? "this page, or what it says of a group or an option"
                                    : "this page; all: every option; or one of the topics below");
}

std::vector<std::string> titles(const CommandDescription& command) {
  std::vector<std::string> all = command.groups();
  for (const auto& [title, text] : command.sections) {
    all.push_back(title);
  }
  return all;
}

// What a first page leaves out.
void add_topics(HelpText& page, const CommandDescription& command) {
  page.heading("More: " + command.command + " --help TOPIC");
  constexpr std::size_t indent = 16;
  page.entry("all", fmt::format("all {} options", command.options.size()), {}, indent);
  for (const std::string& title : titles(command)) {
    if (title != "Examples") {
      const auto count = std::ranges::count(command.options, title, &OptionDescription::group);
      page.entry(
          title_words(title).front(), title,
          count > 0 ? std::vector{fmt::format("[{} options]", count)} : std::vector<std::string>(),
          indent);
    }
  }
  page.entry("WORD", "options with it in their names", {}, indent);
}

void add_whole(HelpText& page, const CommandDescription& command, bool common_only) {
  page.paragraph("usage: " + command.usage());
  page.paragraph(command.summary);
  if (common_only) {
    page.heading("Most used");
    for (const std::string& name : command.common) {
      add_option(page, *std::ranges::find(command.options, name, &OptionDescription::name));
    }
  } else {
    add_groups(page, command, [](const OptionDescription&) { return true; });
  }
  add_general(page, command);
  if (common_only) {
    add_topics(page, command);
  }
  for (const auto& section : command.sections) {
    if (!common_only || section.first == "Examples") {
      add_section(page, section);
    }
  }
}

// False: it names nothing.
bool add_topic(HelpText& page, const CommandDescription& command, std::string topic) {
  std::ranges::replace(topic, '-', '_');
  bool found = add_groups(page, command, [&](const OptionDescription& option) {
    return names_title(topic, option.group);
  });
  for (const auto& section : command.sections) {
    if (names_title(topic, section.first)) {
      add_section(page, section);
      found = true;
    }
  }
  return found || add_groups(page, command, [&](const OptionDescription& option) {
           return names_option(topic, option);
         });
}

}  // namespace

std::string flag_names(const OptionDescription& option) {
  const std::string text = join(option.flags(), ", ");
  return option.value_name.empty() ? text : text + " " + option.value_name;
}

std::vector<std::string> help_topics(const CommandDescription& command) {
  std::vector<std::string> topics = {"all"};
  for (const std::string& title : titles(command)) {
    if (const auto words = title_words(title); !words.empty()) {
      topics.push_back(words.front());
    }
  }
  return topics;
}

std::string help_page(const CommandDescription& command, std::string_view topic,
                      const HelpStyle& style) {
  HelpText page(style);
  if (topic.empty() || topic == "all") {
    add_whole(page, command, topic.empty() && !command.common.empty());
  } else if (!add_topic(page, command, lower(topic))) {
    const std::vector<std::string> topics = help_topics(command);
    user_error(
        "{} --help: no topic or option matches '{}'{}; topics: {}, or part of an option's name",
        command.command, topic, suggestion(topic, topics), join(topics, ", "));
  }
  const std::string& text = page.text();
  return text.starts_with('\n') ? text.substr(1) : text;
}

}  // namespace lmpo
