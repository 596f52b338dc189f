// Answers to a list of prompts. When one is finished, the next begins.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "generate/engine.h"
#include "model/loaded_model.h"
#include "text/tokenizer.h"

namespace lmpo {

struct GenerationOptions {
  SamplingOptions sampling = {};
  // If not empty, replace sampling.temperature: sample s of a prompt has temperatures[s % size].
  std::vector<double> temperatures = {};
  std::int64_t max_new_tokens = 256;  // at least 1; fewer if the model's context is full
  std::int64_t samples = 1;           // answers per prompt
  std::int64_t batch_size = 8;        // sequences that decode together
  std::uint64_t seed = 42;
  std::vector<std::int32_t> stop_ids = {};  // generation ends after one of these
  // It also ends with the token that completes one of these texts; only with a tokenizer.
  std::vector<std::string> stop_strings = {};
  const Tokenizer* tokenizer = nullptr;
  // Skips the prompts before this one, which have their answers already.
  std::int64_t first_prompt = 0;
  // Called before each step; true ends generation and drops unfinished completions.
  std::function<bool()> interrupted = {};

  SamplingOptions sampling_of(std::int64_t sample) const;
};

struct Completion {
  std::int64_t prompt = 0;           // index of the prompt
  std::int64_t sample = 0;           // index of the answer to that prompt
  std::vector<std::int32_t> tokens;  // new tokens, including the stop token
  bool stopped = false;              // ended by a stop token or a stop string, not by length
  // Where there are stop strings: the text up to the first, without special tokens.
  std::optional<std::string> text = {};
};

using PromptTokens = std::vector<std::vector<std::int32_t>>;
using TakeCompletion = std::function<void(const Completion&)>;

// What generation needs memory for; no sequences where nothing is generated. UserError names a prompt
// that is empty, holds an id without a row in the embedding, or leaves no room in the model's context
// (max_position_embeddings).
EngineSize generation_size(const PromptTokens& prompts, const GenerationOptions& options,
                           const ModelConfig& config);
// Allocates in a counting arena what generation of this size needs, and releases it. `plan_ops` come
// from make_plan_ops.
void count_generation(const EngineSize& size, Weights& weights, Ops& plan_ops, Arena& counting);
// Generator::generate() with loaded weights. Its memory comes from the arena and is released.
void generate_with(Weights& weights, Ops& ops, Arena& arena, const PromptTokens& prompts,
                   const GenerationOptions& options, const TakeCompletion& done);

// Loads a model once and generates. The random numbers of an answer depend only on the seed and the
// indices of prompt and sample, and its logits on nothing else (engine.h). So batch size and
// `first_prompt` change no completion; on a GPU they do so through rounding only. What prompts have
// in common is computed once, as is a prompt for all its samples.
class Generator {
 public:
  // Reads config.json and the weights of a model folder. Throws UserError.
  explicit Generator(const fs::path& model_folder,
                     std::shared_ptr<Device> device = make_cpu_device(),
                     const LoadedModelOptions& options = {});
  ~Generator();
  Generator(const Generator&) = delete;
  Generator& operator=(const Generator&) = delete;

  // Calls done(completion) when one finishes. Before it starts, throws as generation_size does.
  void generate(const PromptTokens& prompts, const GenerationOptions& options,
                const TakeCompletion& done);
  // Bytes that generate() allocates besides the weights: the cache at the greatest lengths possible and
  // the activations of the longest prompt. Throws as generate() does.
  std::size_t planned_bytes(const PromptTokens& prompts, const GenerationOptions& options) const;
  const ModelConfig& config() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace lmpo
