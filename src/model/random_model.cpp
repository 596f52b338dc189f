#include "model/random_model.h"

#include "model/model_folder.h"

namespace lmpo {
namespace {

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

}  // namespace

std::int64_t write_random_model(const fs::path& folder, const ModelConfig& config, Dtype storage,
                                std::uint64_t seed, const fs::path& tokenizer,
                                std::int64_t max_shard_bytes) {
  const std::unique_ptr<Ops> ops = make_cpu_ops();
  Arena counting = Arena::counting();
  const Weights counted(config, storage, WeightUse::inference, counting);
  Arena arena = Arena::host(counting.peak());
  Weights weights(config, storage, WeightUse::inference, arena);
  weights.initialize(seed, *ops);
  write_model_folder(folder, weights, *ops, tokenizer, max_shard_bytes);
  write_file_atomically(folder / "generation_config.json", generation_config(config));
  return weights.count();
}

}  // namespace lmpo
