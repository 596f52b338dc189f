#include "serve/engine_source.h"

#include <algorithm>
#include <ctime>

#include "base/error.h"
#include "base/folder_name.h"
#include "base/log.h"
#include "base/readable.h"
#include "generate/context.h"
#include "model/model_folder.h"

namespace lmpo {
namespace {

constexpr std::int64_t kContextsInCache = 4;

EngineSize engine_size(const ModelOptions& options, const ModelConfig& config) {
  const std::int64_t context = settle_context(options.context, config.max_positions);
  if (options.cache_tokens > 0 && options.cache_tokens < context) {
    user_error(
        "a cache of {} tokens was asked for, and one sequence may have {}; give more, or "
        "less --context",
        options.cache_tokens, context);
  }
  const std::int64_t usual =
      std::min(options.sequences, kContextsInCache) * Engine::whole_pages(context);
  return {.sequences = options.sequences,
          .max_length = context,
          .cache_tokens = options.cache_tokens > 0 ? options.cache_tokens : usual};
}

}  // namespace

EngineSource::EngineSource(const ModelOptions& options, std::shared_ptr<Device> device)
    : folder_(options.folder),
      inputs_(options.inputs),
      model_(options.folder, std::move(device), options.loading),
      size_(engine_size(options, model_.config)),
      arena_(
          model_.device->make_arena(Engine::planned_bytes(*model_.weights, *model_.ops, size_))) {
  engine_.emplace(*model_.weights, *model_.ops, arena_, size_);
}

ServedModel EngineSource::served() const {
  ServedModel served = {.id = folder_name(folder_),
                        .text = TextModel::load(folder_),
                        .stop_ids = stop_tokens(folder_, model_.config),
                        .vocabulary = model_.config.vocab_size,
                        .context = size_.max_length,
                        .created = static_cast<std::int64_t>(std::time(nullptr))};
  served.text.set_inputs(inputs_);
  check_tokenizer_fits(model_.config, served.text.tokenizer.id_limit(), folder_);
  return served;
}

std::string EngineSource::description() const {
  const ModelConfig& config = model_.config;
  return fmt::format(
      "{}: {}, {:.3g} million parameters in {}, {} layers; {} sequences together of {} tokens at "
      "most, a cache of {} tokens; {} of memory",
      folder_.string(), config.family, static_cast<double>(model_.weights->count()) / 1e6,
      dtype_name(model_.weights->storage()), config.layers, size_.sequences, size_.max_length,
      size_.cache_tokens, readable_bytes(model_.weight_arena->capacity() + arena_.capacity()));
}

std::vector<TokenSource*> LoadedModels::sources() const {
  std::vector<TokenSource*> all;
  for (const auto& engine : engines) {
    all.push_back(engine.get());
  }
  return all;
}

LoadedModels load_models(const std::vector<ModelOptions>& options,
                         const std::shared_ptr<Device>& device) {
  LoadedModels loaded;
  for (const ModelOptions& each : options) {
    loaded.engines.push_back(std::make_unique<EngineSource>(each, device));
    loaded.models.push_back(loaded.engines.back()->served());
    log_info("{}", loaded.engines.back()->description());
  }
  return loaded;
}

}  // namespace lmpo
