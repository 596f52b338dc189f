// Any bytes as a tokenizer.json and, after the first zero byte, as a text: refused with a
// UserError, or read; then encoding gives ids that exist and that decode to valid UTF-8.
#include "text/tokenizer.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/utf8.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t end = std::min(input.find('\0'), size);
  const std::string_view text = input.substr(std::min(end + 1, size));
  try {
    const auto tokenizer = lmpo::Tokenizer::from_json(input.substr(0, end), "tokenizer.json");
    const std::string guarded = tokenizer.guard_special_tokens(text);
    for (const std::vector<lmpo::TokenId>& ids :
         {tokenizer.encode(text, true), tokenizer.encode(text, false, lmpo::SpecialText::text),
          tokenizer.encode(guarded, false, lmpo::SpecialText::guarded)}) {
      for (const lmpo::TokenId id : ids) {
        LMPO_CHECK(id >= 0 && id < tokenizer.id_limit());
      }
      for (const bool skip : {false, true}) {
        LMPO_CHECK(lmpo::is_valid_utf8(tokenizer.decode(ids, skip)));
      }
    }
  } catch (const lmpo::UserError&) {
  }
  return 0;
}
