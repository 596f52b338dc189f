// lmpo score: what a model thinks of each response.
#include "base/log.h"
#include "cli/commands.h"
#include "cli/common_options.h"
#include "data/dataset.h"
#include "model/model_folder.h"
#include "recipe/train_recipe.h"
#include "text/text_model.h"
#include "train/score_summary.h"

namespace lmpo {
namespace {

struct ScoreOptions {
  fs::path model;
  std::vector<DataSource> data;
  fs::path output;
  fs::path summary;
  std::string device = "auto";
  std::string dtype = "float32";
  std::string compute = "auto";
  PackLimits limits;
  std::int64_t threads = 0;
  DataOptions data_options;
};

// The default place of the summary: "scores.summary.json" beside "scores.jsonl".
fs::path summary_beside(const fs::path& output) {
  fs::path beside = output;
  return fs::exists(output) && !fs::is_regular_file(output)
             ? fs::path()
             : beside.replace_extension(".summary.json");
}

void declare(OptionSet& set, ScoreOptions& options) {
  set.group("Model and data");
  add_model_option(set, options.model);
  add_data_option(set, options.data);
  set.add("output", options.output, "file to write; by default standard output",
          {.value_name = "FILE.jsonl"});
  set.add("summary", options.summary,
          "file to write with accuracy, margins, mean log-probabilities and lengths; by default "
          "FILE.summary.json beside --output",
          {.value_name = "FILE.json"});
  set.add("dtype", options.dtype,
          "type of the weights; int8: as lmpo generate rounds them, on a CPU",
          {.choices = {"float32", "bfloat16", "float16", "int8"}, .old_names = {"torch_dtype"}});
  add_compute_option(set, options.compute);
  set.group("Tokens");
  add_data_options(set, options.data_options);
  set.group("Speed");
  add_pack_options(set, options.limits, "pairs");
  add_device_option(set, options.device);
  add_threads_option(set, options.threads);
  set.section("Examples", "  lmpo score --model DIR --data pairs.json --output scores.jsonl\n");
}

int run(const ScoreOptions& options) {
  apply_threads(options.threads);
  require_folder_for("output", options.output);
  require_folder_for("summary", options.summary);

  const std::shared_ptr<Device> device = open_device(options.device);
  const TextModel text = TextModel::load(options.model);
  Scorer scorer(options.model, *weights_type(options.dtype), device,
                compute_type(*device, options.compute));
  check_tokenizer_fits(scorer.config(), text.tokenizer.id_limit(), options.model);
  const Dataset dataset =
      load_dataset(options.data, text.tokenizer, text.chat_template(), options.data_options);
  log_dataset(dataset, options.data_options, "data");

  ScoreSummary summary;
  write_lines(options.output, score_rows(scorer, dataset, options.limits, summary));
  const fs::path summary_file = options.summary.empty() && !options.output.empty()
                                    ? summary_beside(options.output)
                                    : options.summary;
  if (!summary_file.empty()) {
    write_file_atomically(summary_file, summary.to_json(dataset).dump(2) + "\n");
  }
  for (const std::string& line : summary.lines(dataset)) {
    log_info("{}", line);
  }
  return 0;
}

}  // namespace

constinit const CommandCode kScoreCommand = command<ScoreOptions>(
    "Writes the summed log-probability of both responses of every preference pair, one "
    "JSON object per row, and a summary to standard error.");

}  // namespace lmpo
