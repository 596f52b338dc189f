// lmpo init: a random model from a configuration and a tokenizer.
#include "base/error.h"
#include "base/log.h"
#include "cli/commands.h"
#include "cli/common_options.h"
#include "model/model_folder.h"
#include "tensor/arena.h"
#include "train/card/model_card.h"

namespace lmpo {
namespace {

struct InitOptions {
  fs::path config;
  fs::path tokenizer;
  fs::path output;
  std::int64_t seed = 42;
  std::string dtype = "auto";
  Bytes max_shard_size = {5'000'000'000};
};

// What transformers writes beside a new model, so that generation knows where to stop.
std::string generation_config(const ModelConfig& config) {
  ordered_json written = {{"_from_model_config", true}};
  for (const char* key : {"bos_token_id", "eos_token_id", "pad_token_id"}) {
    if (config.original.contains(key) && !config.original.at(key).is_null()) {
      written[key] = config.original.at(key);
    }
  }
  return written.dump(2) + "\n";
}

void declare(OptionSet& set, InitOptions& options) {
  set.add_positional("OUT", options.output, "folder to create", {.required = true});
  set.add("config", options.config, "config.json of the model",
          {.value_name = "FILE", .required = true});
  set.add("tokenizer", options.tokenizer, "folder with the tokenizer for the model",
          {.value_name = "DIR", .required = true});
  set.add("seed", options.seed, "random seed", {.range = at_least(0), .letter = 's'});
  set.add("dtype", options.dtype, "type of the weights; auto: as in config.json",
          {.choices = {"auto", "float32", "bfloat16", "float16"}, .old_names = {"torch_dtype"}});
  set.add("max_shard_size", options.max_shard_size, "largest weights file");
  set.section("Examples", "  lmpo init --config config.json --tokenizer DIR --seed 1 my-model\n");
}

int run(const InitOptions& options, const OptionSet& set) {
  if (options.max_shard_size.count == 0) {
    set.reject("max_shard_size", "a size above 0 was expected, for example 5GB");
  }
  if (fs::exists(options.output) && !fs::is_empty(options.output)) {
    user_error("{}: the folder is not empty; choose another", options.output.string());
  }
  const ModelConfig config = read_model_config(options.config);
  check_tokenizer_fits(config, Tokenizer::load(options.tokenizer).id_limit(), options.tokenizer);
  const Dtype storage = options.dtype == "auto" ? config.dtype : parse_dtype(options.dtype);
  const std::unique_ptr<Ops> ops = make_cpu_ops();
  Arena counting = Arena::counting();
  const Weights counted(config, storage, WeightUse::inference, counting);
  Arena arena = Arena::host(counting.peak());
  Weights weights(config, storage, WeightUse::inference, arena);
  weights.initialize(static_cast<std::uint64_t>(options.seed), *ops);

  AtomicFolder folder(options.output);
  write_model_folder(folder.path(), weights, *ops, options.tokenizer,
                     static_cast<std::int64_t>(options.max_shard_size.count));
  write_file_atomically(folder.path() / "generation_config.json", generation_config(config));
  write_card(folder.path(), random_card(options.output, options.seed, LMPO_VERSION));
  folder.commit();
  log_info("{}: {} parameters in {}", options.output.string(), weights.count(),
           dtype_name(storage));
  return 0;
}

}  // namespace

constinit const CommandCode kInitCommand = command<declare, run>(
    "Creates a random model, initialized as in transformers, in the folder OUT.");

}  // namespace lmpo
