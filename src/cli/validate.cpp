// lmpo validate: everything that can be wrong with a run, before it starts.
#include <cstdio>
#include <map>

#include "base/log.h"
#include "cli/commands.h"
#include "cli/common_options.h"
#include "validate/run_survey.h"

namespace lmpo {
namespace {

constexpr const char* kExamples =
    "  lmpo validate recipe.yaml                       check the run of this recipe\n"
    "  lmpo validate recipe.yaml --json                the findings as JSON\n"
    "  lmpo validate --model DIR --data pairs.jsonl --output_dir out\n"
    "  lmpo validate recipe.yaml --without_weights --max_memory 80GB --max_disk 1TB\n"
    "                                                  a run on another machine\n"
    "The exit code is 2 if there are errors, else 0.\n";

struct ValidateOptions {
  TrainRecipe recipe;
  bool json = false;
  ElsewhereOptions elsewhere;
};

// What to do about a remark of the options.
std::string_view remedy_of(const Remark& remark) {
  static const std::map<std::string_view, std::string_view> remedies = {
      {"option_unknown", "correct the name, or remove it"},
      {"option_invalid", "give a valid value, or remove it to use the default"},
      {"option_missing", "give it in the recipe or as a flag"},
      {"options_contradict", "change one of them"},
      {"option_renamed", "no action needed: both names work"},
      {"option_not_used", "no action needed"},
      {"option_ignored", "remove it, or choose an objective that uses it"},
      {"objective_inferred", "if you mean another one, name it: objective: NAME"},
      {"nll_not_added", "set cpo_alpha: 0 for the paper's SimPO, or another number to add its NLL"},
      {"recipe_of_another_program", "compare the settings that lmpo train --dry_run shows"},
      {"recipe_unreadable", "correct the file; its lines have the form 'name: value'"}};
  const auto found = remedies.find(remark.name);
  return found == remedies.end() ? kSeeHelp : found->second;
}

// What the options themselves say, as findings.
Findings findings_of(std::span<const Remark> remarks) {
  Findings findings;
  for (const Remark& remark : remarks) {
    const Severity severity = remark.level == LogLevel::error     ? Severity::error
                              : remark.level == LogLevel::warning ? Severity::warning
                                                                  : Severity::note;
    const std::string prefix = remark.place + ": ";
    findings.add({severity, remark.name, remark.place,
                  remark.text.starts_with(prefix) ? remark.text.substr(prefix.size()) : remark.text,
                  std::string(remedy_of(remark))});
  }
  return findings;
}

void declare(OptionSet& set, ValidateOptions& options) {
  set.collect_mistakes();
  add_train_options(set, options.recipe);
  set.group("lmpo validate only");
  set.add("json", options.json, "one JSON object instead of text");
  set.add("without_weights", options.elsewhere.without_weights,
          "the weights are not here yet: check with config.json and the tokenizer only");
  set.add("max_disk", options.elsewhere.max_disk,
          "disk space for the run's files; 0: what is free");
  set.section("Examples", kExamples);
}

int run(const ValidateOptions& options, const OptionSet& set) {
  const TrainRecipe& recipe = options.recipe;
  set_log_level(set.given("log_level") ? recipe.log_level : LogLevel::error);
  apply_threads(recipe.threads);
  Findings findings = findings_of(set.remarks());
  findings.add(survey_run(recipe, setting_places(set), options.elsewhere));
  if (options.json) {
    fmt::print("{}\n", to_json(findings).dump(1, ' ', true, json::error_handler_t::replace));
  } else {
    TerminalText out(Terminal::standard_output());
    print(findings, out);
    std::fwrite(out.text().data(), 1, out.text().size(), stdout);
  }
  return findings.count(Severity::error) > 0 ? 2 : 0;
}

}  // namespace

constinit const CommandCode kValidateCommand = command<declare, run>(
    "Checks a run before it starts: files, shapes, tokens, template, rows, memory, disk, "
    "batches, learning rate. Takes the options of lmpo train. Changes nothing.");

}  // namespace lmpo
