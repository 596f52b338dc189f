// Prompts as people give them, and as tokens.
#pragma once

#include <istream>
#include <string>
#include <vector>

#include "text/text_model.h"

namespace lmpo {

// A text or a list of chat messages, and where it stands, for messages: "prompts.jsonl:7".
struct GivenPrompt {
  ordered_json content;
  std::string place;
  ordered_json inputs = nullptr;  // its own tools and switches, see text/template_inputs.h
};

// The prompts of a file, in order. FILE.txt has one a line; other files are JSON or JSON Lines of
// texts, lists of messages, or objects with 'prompt', 'messages' or 'instruction', which may also
// have 'tools' and 'chat_template_kwargs'. Blank lines are skipped. UserError that names the place of what is not a prompt.
std::vector<GivenPrompt> read_prompt_file(const fs::path& path);

// The prompts of a command: `texts` of --prompt, then those of the file, if one is named; where there
// are none, the lines of standard input. UserError where there are none at all.
std::vector<GivenPrompt> collect_prompts(const std::vector<std::string>& texts,
                                         const fs::path& file, std::istream& standard_input);

struct Prompt {
  ordered_json shown;  // as it was given
  std::vector<TokenId> tokens;
  // What the template was given beside it, the model's inputs and its own; null for none, and for a
  // prompt that no template renders.
  ordered_json inputs = nullptr;
};

// A text is shown to the model as a user's turn where it has a chat template and `use_template` is
// true; otherwise the model continues it. UserError that names the place of a prompt without
// tokens, or that the template refuses.
std::vector<Prompt> tokenize_prompts(const std::vector<GivenPrompt>& prompts,
                                     const TextModel& model, bool use_template);

}  // namespace lmpo
