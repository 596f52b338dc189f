// lmpo validate: everything that can be wrong with a run, before it starts.
#include <cstdio>

#include "base/log.h"
#include "cli/commands.h"
#include "cli/common_options.h"
#include "validate/remarks.h"
#include "validate/run_survey.h"

namespace lmpo {
namespace {

constexpr const char* kValidateExamples =
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

void declare(OptionSet& set, ValidateOptions& options) {
  set.collect_mistakes();
  add_train_options(set, options.recipe);
  set.group("lmpo validate only");
  set.add("json", options.json, "one JSON object instead of text");
  set.add("without_weights", options.elsewhere.without_weights,
          "the weights are not here yet: check with config.json and the tokenizer only");
  set.add("max_disk", options.elsewhere.max_disk,
          "disk space for the run's files; 0: what is free");
  set.section("Examples", kValidateExamples);
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

constinit const CommandCode kValidateCommand = command<ValidateOptions>(
    "Checks a run before it starts: files, shapes, tokens, template, rows, memory, disk, "
    "batches, learning rate. Takes the options of lmpo train. Changes nothing.");

}  // namespace lmpo
