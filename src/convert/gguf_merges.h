// The merges of a tokenizer.json from the keys of a GGUF file.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "io/gguf_keys.h"

namespace lmpo {

// tokenizer.ggml.merges as pairs. UserError for one whose tokens are not in the vocabulary.
json listed_merges(const GgufKeys& keys, const json& vocabulary);

// The reverse of merge_scores (gguf_scores.h): every way to cut a normal token into two normal tokens
// is a merge. Those of the token with the best score come first. A warning where tokens have equal
// scores: llama.cpp then joins the leftmost, which merges cannot say.
json merges_of_scores(const std::vector<std::string>& tokens, const std::vector<bool>& is_normal,
                      const std::vector<double>& scores, std::string_view source);

}  // namespace lmpo
