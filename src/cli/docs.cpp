// lmpo docs: pages that are made of the lists that define the program, so that they cannot drift
// from it.
#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/file.h"
#include "cli/command_table.h"
#include "cli/commands.h"
#include "cli/task_page.h"
#include "recipe/pages/man_page.h"
#include "recipe/pages/markdown.h"
#include "recipe/train_recipe.h"

namespace lmpo {
namespace {

constexpr const char* kDocsExamples =
    "  lmpo docs man | man -l -                     the manual page of lmpo\n"
    "  lmpo docs man --of train | man -l -          the page of one command\n"
    "  lmpo docs man --output ~/.local/share/man/man1   all pages, where man finds them\n"
    "  lmpo docs objectives                         a table in Markdown\n";

struct DocsOptions {
  std::string what;
  std::string of;
  fs::path output;
};

void write_man_pages(const fs::path& folder) {
  fs::create_directories(folder);
  const ProgramDescription program = program_description(LMPO_VERSION);
  const std::vector<ListedCommand> all = describe_commands();
  write_file_atomically(folder / "lmpo.1", program_man_page(program, all));
  for (const ListedCommand& command : all) {
    write_file_atomically(folder / (command_page_name(command.name) + ".1"),
                          command_man_page(command, program.version));
  }
}

std::string man_page(const std::string& of) {
  const ProgramDescription program = program_description(LMPO_VERSION);
  const std::vector<ListedCommand> all = describe_commands();
  if (of.empty()) {
    return program_man_page(program, all);
  }
  const Command& command = find_command(of);
  return command_man_page(*std::ranges::find(all, command.name, &ListedCommand::name),
                          program.version);
}

std::string page(const DocsOptions& options) {
  if (options.what == "options") {
    return options_markdown(find_command("train").describe());
  }
  if (options.what == "objectives") {
    return objectives_markdown() + "\n## Defaults that differ\n\n" + objective_defaults_markdown();
  }
  if (options.what == "tasks") {
    return tasks_markdown();
  }
  if (options.what == "commands") {
    return commands_markdown(describe_commands(), "train");
  }
  return man_page(options.of);
}

void declare(OptionSet& set, DocsOptions& options) {
  set.add_positional(
      "PAGE", options.what, "which page",
      {.choices = {"options", "objectives", "tasks", "commands", "man"}, .required = true});
  set.add("of", options.of, "man: print the page of this command; by default that of lmpo",
          {.value_name = "COMMAND"});
  set.add("output", options.output,
          "man: write the pages of lmpo and all commands into this folder", {.value_name = "DIR"});
  set.section("Examples", kDocsExamples);
  set.check([&] {
    for (const char* name : {"of", "output"}) {
      if (set.given(name) && options.what != "man") {
        set.reject(name, "is for lmpo docs man only");
      }
    }
    if (set.given("of") && set.given("output")) {
      set.reject("output", "writes the pages of all commands; remove --of");
    }
  });
}

int run(const DocsOptions& options) {
  if (options.output.empty()) {
    fmt::print("{}", page(options));
  } else {
    write_man_pages(options.output);
  }
  return 0;
}

}  // namespace

constinit const CommandCode kDocsCommand = command<DocsOptions>(
    "Prints a page of the documentation generated from the program: options (of lmpo "
    "train), objectives, tasks (of lmpo eval) or commands as Markdown, or manual pages.");

}  // namespace lmpo
