// lmpo --help, lmpo help: the commands, and topics that belong to none of them.
#include <fmt/format.h>

#include <algorithm>

#include "cli/command_table.h"
#include "cli/commands.h"
#include "cli/task_page.h"
#include "objective/registry.h"
#include "recipe/pages/objective_page.h"
#include "recipe/pages/program.h"

namespace lmpo {
namespace {

constexpr const char* kHelpExamples =
    "  lmpo help                          the commands\n"
    "  lmpo help train learning_rate      one option of one command\n"
    "  lmpo help objectives               the objectives of lmpo train\n"
    "  lmpo help dpo                      one objective: formula, options, paper\n"
    "  lmpo help tasks                    the tasks of lmpo eval\n"
    "  lmpo help environment              where settings come from; environment variables\n";

struct HelpOptions {
  std::string topic;
  std::string part;
};

struct Topic {
  const char* name;
  const char* summary;
  std::string (*page)(const HelpStyle& style);
};

std::string environment_page(const HelpStyle& style) {
  HelpText page(style);
  page.paragraph("Settings and the environment");
  page.verbatim(program_description(LMPO_VERSION).environment);
  return page.text();
}

constexpr Topic topics[] = {
    {"objectives", "the objectives of lmpo train", objectives_page},
    {"tasks", "the tasks of lmpo eval", tasks_page},
    {"environment", "where settings come from; environment variables", environment_page},
};

std::string program_page(const HelpStyle& style) {
  const ProgramDescription program = program_description(LMPO_VERSION);
  HelpText page(style);
  page.paragraph("lmpo " + program.version + ": " + program.summary);
  page.verbatim("\nusage: lmpo COMMAND [OPTIONS]\n");
  constexpr std::size_t indent = 15;
  std::string group;
  for (const Command& command : commands()) {
    if (command.group != group) {
      group = command.group;
      page.heading(group);
    }
    page.entry(command.name, command.summary, {}, indent);
  }
  page.heading("Topics: lmpo help TOPIC");
  for (const Topic& topic : topics) {
    page.entry(topic.name, topic.summary, {}, indent);
  }
  page.heading("Exit codes");
  page.verbatim(program.exit_codes);
  page.heading("Examples");
  page.verbatim(program.examples);
  return page.text();
}

// A command wins over an objective of its name.
std::vector<std::string> topic_names() {
  std::vector<std::string> names;
  const auto add = [&](std::string_view name) {
    if (std::ranges::find(names, name) == names.end()) {
      names.emplace_back(name);
    }
  };
  for (const Command& command : commands()) {
    add(command.name);
  }
  for (const Topic& topic : topics) {
    add(topic.name);
  }
  for (const ObjectiveInfo& info : objectives()) {
    add(info.name);
  }
  for (const std::string& name : task_names()) {
    add(name);
  }
  return names;
}

std::string topic_page(const std::string& name, const HelpStyle& style) {
  for (const Topic& topic : topics) {
    if (name == topic.name) {
      return topic.page(style);
    }
  }
  const std::vector<std::string> tasks = task_names();
  if (std::ranges::find(tasks, name) != tasks.end()) {
    return task_page(name, style);
  }
  return objective_page(find_objective(name), style);
}

void declare(OptionSet& set, HelpOptions& options) {
  set.add_positional("TOPIC", options.topic,
                     "a command, a topic, an objective or a task; none: list them",
                     {.choices = topic_names()});
  set.add_positional("PART", options.part, "for a command: all, a group of options, or one option");
  set.section("Examples", kHelpExamples);
}

int run(const HelpOptions& options) {
  const std::string& topic = options.topic;
  const auto names_topic = [&](const Command& command) { return topic == command.name; };
  if (std::ranges::any_of(commands(), names_topic)) {
    const std::vector<std::string> words = {"--help", options.part};
    return find_command(topic).run({words.begin(), words.end() - (options.part.empty() ? 1 : 0)});
  }
  const HelpStyle style = HelpStyle::standard_output();
  fmt::print("{}", topic.empty() ? program_page(style) : topic_page(topic, style));
  return 0;
}

}  // namespace

constinit const CommandCode kHelpCommand =
    command<HelpOptions>("Explains a command, a topic, an objective or a task.");

}  // namespace lmpo
