// Answers of the model as it is now to a few prompts of the evaluation data: the same prompts at
// every evaluation, the likeliest token each time.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "data/files.h"
#include "data/schema.h"
#include "generate/generator.h"
#include "text/tokenizer.h"
#include "train/trainer.h"

namespace lmpo {

struct EvalSample {
  std::int64_t index = 0;           // place among the chosen prompts
  std::string prompt;               // without special tokens, as is the response
  ordered_json messages = nullptr;  // the prompt as the data have it, before any template
  std::string response;
  std::int64_t tokens = 0;  // of the response
  bool stopped = false;     // ended by a stop token rather than by length
};

class EvalSamples {
 public:
  // Chooses recipe.eval_samples different prompts, spread over the evaluation data, and of those
  // that leave room for an answer. None where there is no such data.
  EvalSamples(const TrainInputs& inputs, const ModelConfig& config);

  // What generating them needs memory for; loads no tokenizer.
  static EngineSize planned(const TrainInputs& inputs, const ModelConfig& config);

  bool empty() const { return prompts_.empty(); }
  const PromptTokens& prompts() const { return prompts_; }

  // Takes its memory from the arena and gives it back; changes no weight. None where `interrupted`,
  // which is asked before each token, says yes. UserError where logits are not finite. The first
  // call reads the prompts' messages from the data.
  std::vector<EvalSample> generate(Weights& weights, Ops& ops, Arena& arena,
                                   std::function<bool()> interrupted = {});

 private:
  void read_messages();

  PromptTokens prompts_;
  // Of each prompt: its row in `sources_`, and the messages there.
  std::vector<std::int64_t> rows_;
  std::vector<ordered_json> messages_;
  std::vector<SourceFiles> sources_;
  RowKind kind_ = RowKind::preference;
  GenerationOptions options_;
  std::optional<Tokenizer> tokenizer_;
};

// A line of eval_samples.jsonl.
std::string eval_sample_line(const EvalSample& sample, std::int64_t step);
// One line for a person, at most `columns` wide: the end of the prompt, the beginning of the
// response. Nothing in it commands a terminal.
std::string readable_sample(const EvalSample& sample, std::int64_t columns);
// Both in full, as Markdown that shows them as they are.
std::string markdown_sample(const EvalSample& sample);

}  // namespace lmpo
