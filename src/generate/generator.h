// Batched generation. When a sequence finishes, its slot takes the next one.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "generate/sampling.h"
#include "model/weights.h"
#include "ops/device.h"
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
  bool stopped = false;              // ended by a stop token, not by length
};

using PromptTokens = std::vector<std::vector<std::int32_t>>;
using TakeCompletion = std::function<void(const Completion&)>;

// The sizes that generation needs memory for.
struct GenerationSize {
  std::int64_t slots = 0;           // B; 0: nothing is generated
  std::int64_t longest_prompt = 0;  // tokens of one prefill
  std::int64_t max_length = 0;      // S, tokens in the cache of one slot
};

// UserError names a prompt that is empty, holds an id without a row in the embedding, or leaves no
// room in the model's context (max_position_embeddings).
GenerationSize generation_size(const PromptTokens& prompts, const GenerationOptions& options,
                               const ModelConfig& config);
// Allocates in a counting arena what generation of this size needs, and releases it. `plan_ops` come
// from make_plan_ops.
void count_generation(const GenerationSize& size, Weights& weights, Ops& plan_ops, Arena& counting);
// Generator::generate() with loaded weights. Its memory comes from the arena and is released.
void generate_with(Weights& weights, Ops& ops, Arena& arena, const PromptTokens& prompts,
                   const GenerationOptions& options, const TakeCompletion& done);

// Loads a model once and generates. The random numbers of an answer depend only on the seed and the
// indices of prompt and sample. So batch size and order change a completion only through rounding of
// the logits, and `first_prompt` changes nothing. A prompt is computed once for all its samples.
class Generator {
 public:
  // Reads config.json and the weights of a model folder. `compute`: type of a product's inputs; none:
  // the device's default. Throws UserError.
  explicit Generator(const fs::path& model_folder,
                     std::shared_ptr<Device> device = make_cpu_device(),
                     std::optional<Dtype> compute = std::nullopt);
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
