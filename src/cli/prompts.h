// What those share that answer prompts: prompts read from files, flags or standard input and
// tokenized, and how tokens are drawn.
#pragma once

#include <string>
#include <vector>

#include "cli/common_options.h"
#include "generate/sampling.h"

namespace lmpo {

// A prompt as it was given: text, or chat messages.
struct Prompt {
  ordered_json shown;
  std::vector<TokenId> tokens;
};

struct PromptSources {
  std::vector<std::string> texts;
  fs::path file;  // .txt: a prompt a line; else JSON or JSONL of strings, messages or rows
};

// The texts, then those of the file; with neither, the lines of standard input. A text is shown to
// the model as a user's turn where it has a chat template and `use_template` says so. Throws
// UserError that names the place of what is no prompt, and where there is none at all.
std::vector<Prompt> collect_prompts(const PromptSources& sources, const TextModel& model,
                                    bool use_template);

// top_k, top_p and seed, which are the same for all who draw tokens.
void add_sampling_options(OptionSet& set, SamplingOptions& sampling, std::int64_t& seed);

}  // namespace lmpo
