#include "recipe/pages/objective_page.h"

#include <fmt/format.h>

#include "recipe/option_set.h"
#include "recipe/train_recipe.h"

namespace lmpo {

std::string objectives_page(const HelpStyle& style) {
  HelpText page(style);
  page.paragraph("Objectives: lmpo train --objective NAME");
  for (const ObjectiveInfo& info : objectives()) {
    page.entry(info.name, info.summary, {}, 12);
  }
  page.heading("More");
  page.paragraph("lmpo help NAME shows an objective's formula, options and paper.");
  return page.text();
}

std::string objective_page(const ObjectiveInfo& info, const HelpStyle& style) {
  HelpText page(style);
  page.paragraph(fmt::format("{}: {}", info.name, info.summary));
  page.heading("Loss of a pair, in the notation of docs/method.md");
  page.verbatim(fmt::format("  {}\n", info.formula));
  page.heading("Options");
  ObjectiveOptions defaults = info.defaults;
  OptionSet all("lmpo train", "");
  add_objective_options(all, defaults);
  for (const OptionDescription& option : all.describe().options) {
    if (info.uses(option.name)) {
      page.entry("--" + option.name + " " + option.value_name, option.help,
                 option.default_text.empty() ? std::vector<std::string>()
                                             : std::vector{"[" + option.default_note() + "]"});
    }
  }
  if (info.options.empty()) {
    page.verbatim("  none\n");
  }
  if (info.paper) {
    page.heading("Paper");
    page.verbatim(fmt::format("  {}\n  {}\n", info.paper->title, info.paper->url()));
  }
  page.heading("Examples");
  page.verbatim(fmt::format(
      "  lmpo train --objective {} --model DIR --data DATA --output_dir out\n", info.name));
  return page.text();
}

}  // namespace lmpo
