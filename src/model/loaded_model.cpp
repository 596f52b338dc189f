#include "model/loaded_model.h"

namespace lmpo {
namespace {

// Float32 stays float32; a smaller type saves memory and time.
Dtype stored_dtype(const Checkpoint& checkpoint) {
  const Dtype stored = checkpoint.tensor("model.embed_tokens.weight").dtype;
  return stored == Dtype::bf16 || stored == Dtype::f16 ? stored : Dtype::f32;
}

}  // namespace

LoadedModel::LoadedModel(const fs::path& folder, std::shared_ptr<Device> on,
                         const LoadedModelOptions& options)
    : config(read_model_config(folder)),
      device(std::move(on)),
      ops(device->make_ops(options.compute.value_or(device->usual_compute()))) {
  if (options.storage == Dtype::i8 && !device->is_cpu()) {
    user_error("weights in int8 are for the CPU alone: choose --device cpu, or --dtype bfloat16");
  }
  config.head = options.head;
  const Checkpoint checkpoint = Checkpoint::open(folder);
  check_tensors(config, checkpoint);  // before memory is reserved for the sizes in config.json
  const Dtype storage = options.storage ? *options.storage : stored_dtype(checkpoint);
  Arena counting = Arena::counting();
  const Weights counted(config, storage, WeightUse::inference, counting);
  weight_arena.emplace(device->make_arena(counting.peak()));
  weights.emplace(config, storage, WeightUse::inference, *weight_arena);
  weights->load(checkpoint, *ops);
}

std::vector<std::int32_t> stop_tokens(const fs::path& folder, const ModelConfig& config) {
  const std::vector<std::int64_t> ids = read_stop_ids(folder, config);
  return {ids.begin(), ids.end()};
}

}  // namespace lmpo
