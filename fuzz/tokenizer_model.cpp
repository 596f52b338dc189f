// Any bytes as a tokenizer.model of either kind and, after the last newline, as a text: refused
// with a UserError, or read; then encoding gives ids that exist and that decode to valid UTF-8. A
// whole vocabulary of Llama 3 is too large for a fuzzer, so ranked lines are also read and merged
// by themselves.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/utf8.h"
#include "text/bpe.h"
#include "text/byte_level.h"
#include "text/ranked_tokens.h"
#include "text/tokenizer.h"

namespace {

void try_ranked_lines(std::string_view content, std::string_view text) {
  const lmpo::Bpe model(lmpo::read_ranked_lines(content, "tokenizer.model"), 3);
  lmpo::SubwordModel::Scratch scratch;
  std::vector<lmpo::TokenId> ids;
  const std::string word = lmpo::stand_ins(text);
  model.encode(word, scratch, ids);
  std::string back;
  for (const lmpo::TokenId id : ids) {
    back += model.token(id);
  }
  LMPO_CHECK(back == word);
}

void try_model(std::string_view content, std::string_view text) {
  const auto tokenizer = lmpo::Tokenizer::from_model(content, "tokenizer.model");
  const std::vector<lmpo::TokenId> ids = tokenizer.encode(text, true);
  for (const lmpo::TokenId id : ids) {
    LMPO_CHECK(id >= 0 && id < tokenizer.id_limit());
  }
  LMPO_CHECK(lmpo::is_valid_utf8(tokenizer.decode(ids, false)));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t end = std::min(input.rfind('\n'), size);
  const std::string_view content = input.substr(0, end);
  const std::string_view text = input.substr(std::min(end + 1, size));
  try {
    lmpo::has_ranked_lines(content) ? try_ranked_lines(content, text) : try_model(content, text);
  } catch (const lmpo::UserError&) {
  }
  return 0;
}
