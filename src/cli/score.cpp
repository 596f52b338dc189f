// lmpo score: what a model thinks of each response.
#include <cstdio>
#include <map>

#include "base/error.h"
#include "base/log.h"
#include "cli/commands.h"
#include "cli/common_options.h"
#include "data/dataset.h"
#include "recipe/train_recipe.h"
#include "train/score_summary.h"
#include "train/scorer.h"

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
  std::int64_t batch_size = 8;
  std::int64_t max_pack_tokens = 0;
  std::int64_t threads = 0;
  DataOptions data_options;
};

ordered_json score_line(const Tree& tree, std::span<const double> sums) {
  return {{"row", tree.row},
          {"prompt_tokens", tree.sequences[0].scored_begin},
          {"chosen_tokens", tree.sequences[0].scored_tokens()},
          {"rejected_tokens", tree.sequences[1].scored_tokens()},
          {"chosen_logp", sums[0]},
          {"rejected_logp", sums[1]}};
}

// Where the summary goes where nobody says: "scores.summary.json" beside "scores.jsonl".
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
  set.add("output", options.output, "file to write; standard output if not given",
          {.value_name = "FILE.jsonl"});
  set.add("summary", options.summary,
          "file for accuracy, margins, mean log-probabilities and lengths; if not given, "
          "FILE.summary.json beside --output",
          {.value_name = "FILE.json"});
  set.add("dtype", options.dtype, "type of the weights",
          {.choices = {"float32", "bfloat16", "float16"}, .old_names = {"torch_dtype"}});
  set.add("compute", options.compute,
          "type of the inputs of matrix products; auto: bfloat16 on a GPU, float32 on a CPU",
          {.choices = {"auto", "float32", "bfloat16"}});
  set.group("Tokens");
  add_data_options(set, options.data_options);
  set.group("Speed");
  set.add("per_device_eval_batch_size", options.batch_size, "pairs in a micro-batch",
          {.range = at_least(1)});
  set.add("max_pack_tokens", options.max_pack_tokens, "most tokens in a micro-batch; 0: no limit",
          {.range = at_least(0)});
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
  Scorer scorer(options.model, parse_dtype(options.dtype), device,
                compute_type(*device, options.compute));
  check_tokenizer_fits(scorer.config(), text.tokenizer.id_limit(), options.model);
  const Dataset dataset =
      load_dataset(options.data, text.tokenizer, text.chat_template(), options.data_options);
  log_dataset(dataset, options.data_options, "data");

  std::map<std::int64_t, ordered_json> lines;  // by row
  for (const Drop& drop : dataset.drops.drops()) {
    lines[drop.row] = {{"row", drop.row}, {"dropped", name(drop.reason)}};
  }
  ScoreSummary summary;
  scorer.score(dataset.trees, {options.batch_size, options.max_pack_tokens},
               [&](std::size_t index, std::span<const double> sums) {
                 const Tree& tree = dataset.trees[index];
                 lines[tree.row] = score_line(tree, sums);
                 summary.add(tree, sums);
               });
  summary.require_finite();
  std::string all;
  for (const auto& [row, line] : lines) {
    all += line.dump() + "\n";
  }
  if (options.output.empty()) {
    std::fwrite(all.data(), 1, all.size(), stdout);
  } else {
    write_file_atomically(options.output, all);
  }
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

constinit const CommandCode kScoreCommand = command<declare, run>(
    "Writes the summed log-probability of both responses of every preference pair, one JSON object "
    "a row, and a summary of them all to standard error.");

}  // namespace lmpo
