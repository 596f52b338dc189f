// lmpo init: a random model from a configuration and a tokenizer.
#include "base/log.h"
#include "cli/commands.h"
#include "cli/folder_options.h"
#include "model/model_folder.h"
#include "model/random_model.h"
#include "text/tokenizer.h"
#include "train/card/model_card.h"

namespace lmpo {
namespace {

struct InitOptions {
  fs::path config;
  fs::path tokenizer;
  std::int64_t seed = 42;
  FolderOptions folder;
};

void declare(OptionSet& set, InitOptions& options) {
  set.add_positional("OUT", options.folder.output, "folder to create", {.required = true});
  set.add("config", options.config, "config.json of the new model",
          {.value_name = "FILE", .required = true});
  set.add("tokenizer", options.tokenizer, "folder with the tokenizer to copy",
          {.value_name = "DIR", .required = true});
  set.add("seed", options.seed, "seed of the random numbers",
          {.range = at_least(0), .letter = 's'});
  add_folder_options(set, options.folder, "as in config.json");
  set.section("Examples", "  lmpo init --config config.json --tokenizer DIR --seed 1 my-model\n");
}

int run(const InitOptions& options, const OptionSet& set) {
  prepare_output(set, options.folder, "OUT");
  const ModelConfig config = read_model_config(options.config);
  check_tokenizer_fits(config, Tokenizer::load(options.tokenizer).id_limit(), options.tokenizer);
  const Dtype storage = options.folder.storage().value_or(config.dtype);
  const fs::path& output = options.folder.output;
  AtomicFolder folder(output);
  const std::int64_t parameters =
      write_random_model(folder.path(), config, storage, static_cast<std::uint64_t>(options.seed),
                         options.tokenizer, options.folder.shard_bytes());
  write_card(folder.path(), random_card(output, options.seed, LMPO_VERSION));
  folder.commit();
  log_info("{}: {} parameters in {}", output.string(), parameters, dtype_name(storage));
  return 0;
}

}  // namespace

constinit const CommandCode kInitCommand = command<InitOptions>(
    "Creates a random model in the folder OUT, initialised as transformers does.");

}  // namespace lmpo
