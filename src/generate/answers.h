// Answers to prompts as JSON Lines (docs/formats.md), in the order of the prompts.
#pragma once

#include <string>
#include <vector>

#include "generate/generator.h"
#include "generate/prompts.h"
#include "generate/sample_file.h"

namespace lmpo {

// Generates, and hands each completion on as soon as those before it are there: prompt after
// prompt, of each one sample after the other.
void generate_in_order(Generator& generator, const std::vector<Prompt>& prompts,
                       const GenerationOptions& options, const TakeCompletion& take);

// One answer as a line, without its end. `one_of_many`: the line tells which sample it is.
std::string answer_line(const Completion& completion, const Prompt& prompt, bool one_of_many,
                        const Tokenizer& tokenizer);

// What the answers depend on beside GenerationOptions.
struct AnswerSource {
  std::string version;  // of the program
  fs::path model;
  bool chat_template = true;  // see tokenize_prompts
  std::string compute = "auto";
};
// Everything that decides the answers, for SampleFile; fingerprints stand for what is long.
ordered_json answer_settings(const AnswerSource& source, const std::vector<Prompt>& prompts,
                             const GenerationOptions& options);

// Adds one line a prompt, with all its answers, for the prompts that the file lacks. Says in the log
// how many there are.
void save_samples(SampleFile& file, Generator& generator, const std::vector<Prompt>& prompts,
                  GenerationOptions options, const Tokenizer& tokenizer);

}  // namespace lmpo
