// A model in memory with its engine, as the worker drives it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/loaded_model.h"
#include "serve/served_model.h"
#include "serve/worker.h"

namespace lmpo {

struct ModelOptions {
  fs::path folder;
  LoadedModelOptions loading = {};
  std::int64_t sequences = 16;    // that decode together
  std::int64_t context = 0;       // tokens of a prompt and its answer; 0: the model's, at most 8192
  std::int64_t cache_tokens = 0;  // of all sequences; 0: four contexts
  ordered_json inputs = nullptr;  // of its template, for all requests
};

class EngineSource final : public TokenSource {
 public:
  // Loads weights and reserves the cache. UserError for a model or sizes that cannot be.
  EngineSource(const ModelOptions& options, std::shared_ptr<Device> device);

  RequestId submit(EngineRequest request) override { return engine_->submit(std::move(request)); }
  void cancel(RequestId request) override { engine_->cancel(request); }
  std::vector<EngineEvent> step() override { return engine_->step(); }
  EngineStatistics statistics() const override { return engine_->statistics(); }

  // The other side, for the threads of clients.
  ServedModel served() const;
  // "models/smollm2: llama, 135 million parameters in float32, ...", for the log.
  std::string description() const;

 private:
  fs::path folder_;
  ordered_json inputs_;
  LoadedModel model_;
  EngineSize size_;
  Arena arena_;
  std::optional<Engine> engine_;
};

// Models in memory: what computes, and what the threads of clients need.
struct LoadedModels {
  std::vector<std::unique_ptr<EngineSource>> engines = {};
  std::vector<ServedModel> models = {};

  std::vector<TokenSource*> sources() const;
};
// One after another; a line about each goes to the log. UserError as EngineSource.
LoadedModels load_models(const std::vector<ModelOptions>& options,
                         const std::shared_ptr<Device>& device);

}  // namespace lmpo
