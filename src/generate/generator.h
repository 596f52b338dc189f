// Batched generation: prompts in, completions out, slots refilled as sequences finish.
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
  // Of a prompt's answers in turn, instead of the one of `sampling`: sample s has temperatures[s %
  // size].
  std::vector<double> temperatures = {};
  std::int64_t max_new_tokens = 256;  // at least 1; less where the model's context ends before
  std::int64_t samples = 1;           // answers to each prompt
  std::int64_t batch_size = 8;        // sequences that decode at once
  std::uint64_t seed = 42;
  std::vector<std::int32_t> stop_ids = {};  // generation ends after one of these
  // The prompts before this one have their answers already: none are made for them.
  std::int64_t first_prompt = 0;
  // Asked before each step; true ends generating. Completions that are not whole are dropped.
  std::function<bool()> interrupted = {};

  SamplingOptions sampling_of(std::int64_t sample) const;
};

struct Completion {
  std::int64_t prompt = 0;           // index of the prompt
  std::int64_t sample = 0;           // of its answers
  std::vector<std::int32_t> tokens;  // new tokens, the stop token included
  bool stopped = false;              // ended by a stop token rather than by length
};

using PromptTokens = std::vector<std::vector<std::int32_t>>;
using TakeCompletion = std::function<void(const Completion&)>;

// What generating needs memory for.
struct GenerationSize {
  std::int64_t slots = 0;           // B; 0: nothing is generated
  std::int64_t longest_prompt = 0;  // tokens of one prefill
  std::int64_t max_length = 0;      // S, tokens in the cache of one slot
};

// UserError names a prompt that is empty, holds an id without a row in the embedding, or leaves no
// room in the model's context (max_position_embeddings).
GenerationSize generation_size(const PromptTokens& prompts, const GenerationOptions& options,
                               const ModelConfig& config);
// Takes of a counting arena what generating of this size takes, and gives it back; `plan_ops` are
// those of a plan.
void count_generation(const GenerationSize& size, Weights& weights, Ops& plan_ops, Arena& counting);
// Generator's generate() with weights that are there, in memory of the arena that is given back.
void generate_with(Weights& weights, Ops& ops, Arena& arena, const PromptTokens& prompts,
                   const GenerationOptions& options, const TakeCompletion& done);

// Loads the model of a folder once and generates. The numbers drawn for an answer depend on the
// seed, the prompt's index and the sample's alone, so neither batch size nor order changes a
// completion (but for rounding in the logits, and `first_prompt` not even there). A prompt is
// computed once for all its samples.
class Generator {
 public:
  // Reads config.json and the weights of a model folder. `compute`: the type of the products'
  // factors, none for the device's usual one. Throws UserError.
  explicit Generator(const fs::path& model_folder,
                     std::shared_ptr<Device> device = make_cpu_device(),
                     std::optional<Dtype> compute = std::nullopt);
  ~Generator();
  Generator(const Generator&) = delete;
  Generator& operator=(const Generator&) = delete;

  // Calls done(completion) as each finishes. Throws as generation_size does, before anything is
  // generated.
  void generate(const PromptTokens& prompts, const GenerationOptions& options,
                const TakeCompletion& done);
  // Bytes that generate() allocates beside the weights: the cache for the lengths these prompts can
  // reach and the activations of the longest prompt. Throws as generate() does.
  std::size_t planned_bytes(const PromptTokens& prompts, const GenerationOptions& options) const;
  const ModelConfig& config() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace lmpo
