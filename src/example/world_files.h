// The toy language as files, as a user would have them: configuration and tokenizer of a tiny model,
// answers for SFT, preferences, and held-out prompts and preferences.
#pragma once

#include <cstdint>
#include <vector>

#include "base/file.h"
#include "example/world.h"

namespace lmpo {

struct WorldSizes {
  std::int64_t answers = 6000;
  std::int64_t preferences = 8000;
  std::int64_t held_out_preferences = 400;
  std::int64_t held_out_prompts = 400;
};

// Writes into `folder` (which must exist): config.json, tokenizer.json, tokenizer_config.json,
// chat_template.jinja, answers.jsonl (messages), preferences.jsonl and held_out_preferences.jsonl
// (prompt, chosen, rejected), held_out_prompts.jsonl. Returns the held-out instructions, none of
// which occurs in training. Files depend on sizes and seed alone.
std::vector<Instruction> write_world(const fs::path& folder, const WorldSizes& sizes,
                                     std::uint64_t seed);

}  // namespace lmpo
