// lmpo init: a random model from a configuration and a tokenizer.
#include "base/error.h"
#include "base/log.h"
#include "cli/commands.h"
#include "cli/common_options.h"
#include "model/model_folder.h"
#include "model/random_model.h"
#include "text/tokenizer.h"
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

void declare(OptionSet& set, InitOptions& options) {
  set.add_positional("OUT", options.output, "folder to create", {.required = true});
  set.add("config", options.config, "config.json of the new model",
          {.value_name = "FILE", .required = true});
  set.add("tokenizer", options.tokenizer, "folder with the tokenizer to copy",
          {.value_name = "DIR", .required = true});
  set.add("seed", options.seed, "seed of the random numbers",
          {.range = at_least(0), .letter = 's'});
  set.add("dtype", options.dtype, "type of the weights; auto: as in config.json",
          {.choices = {"auto", "float32", "bfloat16", "float16"}, .old_names = {"torch_dtype"}});
  set.add("max_shard_size", options.max_shard_size, "maximum size of a weight file");
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
  AtomicFolder folder(options.output);
  const std::int64_t parameters = write_random_model(
      folder.path(), config, storage, static_cast<std::uint64_t>(options.seed), options.tokenizer,
      static_cast<std::int64_t>(options.max_shard_size.count));
  write_card(folder.path(), random_card(options.output, options.seed, LMPO_VERSION));
  folder.commit();
  log_info("{}: {} parameters in {}", options.output.string(), parameters, dtype_name(storage));
  return 0;
}

}  // namespace

constinit const CommandCode kInitCommand = command<declare, run>(
    "Creates a random model in the folder OUT, initialised as transformers does.");

}  // namespace lmpo
