// The kinds of tokens in a GGUF file (tokenizer.ggml.token_type).
#pragma once

#include <cstdint>

namespace lmpo::token_kind {

enum : std::int32_t {
  normal = 1,
  unknown = 2,
  control = 3,
  user_defined = 4,
  unused = 5,
  byte = 6
};

}  // namespace lmpo::token_kind
