// What the files beside a tokenizer say of its special and added tokens, as transformers reads
// them: tokenizer_config.json, special_tokens_map.json, added_tokens.json.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/json.h"

namespace lmpo {

// As texts; "" where there is none.
struct SpecialNames {
  std::string bos, eos, unk, pad;
};

// The first file that gives a name wins. Throws UserError with file and key.
SpecialNames read_special_names(const fs::path& folder);

// What a tokenizer.json would say itself.
struct SpecialTokens {
  SpecialNames names;
  // By id, each an element of tokenizer.json's "added_tokens".
  std::map<std::int64_t, json> added;
  // Whether a text gets BOS and EOS; nothing where the files do not say.
  std::optional<bool> add_bos, add_eos;
  // Whether texts get a leading space: never, only at the start of the input, or (legacy) also
  // after a special token.
  std::optional<bool> add_prefix_space;
  bool legacy = false;
};

SpecialTokens read_special_tokens(const fs::path& folder);

// An element of "added_tokens" that stands for itself in raw text.
json special_token(std::int64_t id, std::string_view content);

}  // namespace lmpo
