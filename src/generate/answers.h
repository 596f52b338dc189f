// Answers to prompts as JSON Lines (docs/formats.md), in the order of the prompts.
#pragma once

#include <string>
#include <vector>

#include "generate/generator.h"
#include "generate/prompts.h"
#include "generate/sample_file.h"

namespace lmpo {

// Generates, and calls `take` for each completion in the order of prompts and samples, as soon as all
// earlier ones are finished.
void generate_in_order(Generator& generator, const std::vector<Prompt>& prompts,
                       const GenerationOptions& options, const TakeCompletion& take);

// One answer as a line, without the newline. `one_of_many`: the line has the sample's index.
std::string answer_line(const Completion& completion, const Prompt& prompt, bool one_of_many,
                        const Tokenizer& tokenizer);

// What answers depend on, besides GenerationOptions.
struct AnswerSource {
  std::string version;  // of the program
  fs::path model;
  bool chat_template = true;  // see tokenize_prompts
  std::string dtype = "auto";
  std::string compute = "auto";
};
// Everything that answers depend on, for SampleFile. Long values are given as fingerprints.
ordered_json answer_settings(const AnswerSource& source, const std::vector<Prompt>& prompts,
                             const GenerationOptions& options);

// Adds one line for each prompt that the file lacks, with all its answers. Logs their number.
void save_samples(SampleFile& file, Generator& generator, const std::vector<Prompt>& prompts,
                  GenerationOptions options, const Tokenizer& tokenizer);

}  // namespace lmpo
