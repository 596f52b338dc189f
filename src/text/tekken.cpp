// Mistral's tekken.json: special tokens first, then ranked ones
// (mistral_common, tokens/tokenizers/tekken.py).
#include <algorithm>
#include <array>

#include "text/assembly.h"
#include "text/ranked_tokens.h"
#include "text/tokenizer_parts.h"

namespace lmpo {
namespace {

// For files that name none.
constexpr std::array<const char*, 20> kSpecialNames = {"<unk>",
                                                       "<s>",
                                                       "</s>",
                                                       "[INST]",
                                                       "[/INST]",
                                                       "[AVAILABLE_TOOLS]",
                                                       "[/AVAILABLE_TOOLS]",
                                                       "[TOOL_RESULTS]",
                                                       "[/TOOL_RESULTS]",
                                                       "[TOOL_CALLS]",
                                                       "[IMG]",
                                                       "<pad>",
                                                       "[IMG_BREAK]",
                                                       "[IMG_END]",
                                                       "[PREFIX]",
                                                       "[MIDDLE]",
                                                       "[SUFFIX]",
                                                       "[SYSTEM_PROMPT]",
                                                       "[/SYSTEM_PROMPT]",
                                                       "[TOOL_CONTENT]"};

void add_special_tokens(const JsonPart& part, std::int64_t count, Assembly& assembly) {
  std::int64_t id = 0;
  if (part.absent()) {
    for (; id < std::min<std::int64_t>(kSpecialNames.size(), count); ++id) {
      assembly.add_special(id, kSpecialNames[static_cast<std::size_t>(id)]);
    }
  } else {
    for (const JsonPart& element : part.elements()) {
      assembly.add_special(id++, element.required<std::string>("token_str"));
    }
    if (id > count) {
      part.refuse("{} tokens are too many, 'default_num_special_tokens' is {}", id, count);
    }
  }
  for (; id < count; ++id) {
    assembly.add_special(id, fmt::format("<SPECIAL_{}>", id));
  }
}

}  // namespace

TokenizerParts read_tekken(const JsonPart& root, SpecialTokens tokens) {
  const JsonPart config = root.child("config");
  const auto special = config.required<std::int64_t>("default_num_special_tokens");
  const auto all = config.required<std::int64_t>("default_vocab_size");
  // Far above any real vocabulary.
  constexpr std::int64_t greatest = 1 << 20;
  if (special < 0 || all <= special || all > greatest) {
    config.refuse(
        "'default_vocab_size' {} and 'default_num_special_tokens' {} do not make a vocabulary", all,
        special);
  }
  Assembly assembly(root.where(), std::move(tokens));
  assembly.fill_names("<s>", "</s>", "<unk>");
  add_special_tokens(root.child("special_tokens"), special, assembly);
  const RankedTokens ranked =
      read_ranked_list(root.child("vocab"), static_cast<std::size_t>(all - special));
  return assembly.finish_byte_level(config.required<std::string>("pattern"), ranked,
                                    static_cast<TokenId>(special));
}

}  // namespace lmpo
