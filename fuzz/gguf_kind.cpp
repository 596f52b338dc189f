// Any bytes as a tokenizer.json: one that lmpo reads has a counterpart in llama.cpp, or is refused
// with a UserError.
#include "convert/gguf_kind.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "text/tokenizer.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  try {
    lmpo::Tokenizer::from_json(input, "tokenizer.json");
    const lmpo::json content = lmpo::parse_json(input, "tokenizer.json");
    const auto kind = lmpo::recognize_gguf_kind(lmpo::JsonPart(content, "tokenizer.json"));
    LMPO_CHECK(!kind.sentencepiece || kind.pre == "default");
  } catch (const lmpo::UserError&) {
  }
  return 0;
}
