// A model's answers to the questions of a benchmark, by the engine.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/json.h"

namespace lmpo {

// How AlpacaEval's answers are decoded in the recipes of SimPO and LMPO, by the kind of the model.
struct DecodingRecipe {
  std::string_view kind;
  double temperature;
  std::int64_t max_new_tokens;
};
// Of a model folder: Llama 3, Mistral whose template writes [INST], any other.
DecodingRecipe alpaca_decoding(const fs::path& model);
// Arena-Hard's: the likeliest tokens, for all models.
constexpr DecodingRecipe kArenaDecoding = {"Arena-Hard", 0, 4096};

struct AnswerRun {
  fs::path model;
  double temperature = 0;
  std::int64_t max_new_tokens = 4096;
  std::int64_t seed = 42;
  std::int64_t batch_size = 8;
  ordered_json template_inputs = nullptr;  // see text/template_inputs.h
  std::string device = "auto";
  std::string dtype = "auto";
  std::string compute = "auto";
  std::string version = {};  // of the program
};

// The text of the answer to each prompt, which the model sees as a user's turn. They grow in `file`
// (generate/sample_file.h), with what decoding depends on beside it: run again, it goes on where it
// ended, and loads no weights where all are there.
std::vector<std::string> benchmark_answers(const AnswerRun& run,
                                           std::span<const std::string> prompts,
                                           const fs::path& file);

// Without white space at its ends, as Python's strip() has it.
std::string stripped(std::string_view text);

}  // namespace lmpo
