// lmpo eval table: results of several models beside each other.
#include "base/error.h"
#include "base/folder_name.h"
#include "cli/commands.h"
#include "report/score_table.h"

namespace lmpo {
namespace {

struct EvalTableOptions {
  std::vector<std::string> results;
};

void declare(OptionSet& set, EvalTableOptions& options) {
  set.add_positional("RESULTS", options.results,
                     "folders with results of lmpo eval or lm-eval, the first to compare with; "
                     "NAME=FOLDER names a model",
                     {.required = true, .verbatim = true});
  set.section("Examples",
              "  lmpo eval table results/base results/lmpo\n"
              "  lmpo eval table base=results/a simpo=results/b lmpo=results/c > table.md\n");
}

ModelScores scores_of(const std::string& word) {
  const std::size_t equals = word.find('=');
  if (equals == std::string::npos || fs::exists(word)) {
    return read_model_scores(folder_name(word), word);
  }
  return read_model_scores(word.substr(0, equals), word.substr(equals + 1));
}

int run(const EvalTableOptions& options) {
  std::vector<ModelScores> models;
  for (const std::string& word : options.results) {
    models.push_back(scores_of(word));
  }
  fmt::print("{}", score_table(models));
  return 0;
}

}  // namespace

constinit const CommandCode kEvalTableCommand = command<EvalTableOptions>(
    "Shows results of several models as a table in Markdown, with differences from the first model "
    "and the standard errors of paired differences.");

}  // namespace lmpo
