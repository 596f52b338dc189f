// Heads of attention whose scores are scaled by 1 / sqrt(E), as Llama's are.
#pragma once

#include <cmath>

#include "ops/op_list.h"

namespace lmpo::testing {

inline AttentionShape heads(std::int64_t query_heads, std::int64_t key_heads,
                            std::int64_t head_size, std::int64_t window = 0, float softcap = 0) {
  return {.query_heads = query_heads,
          .key_heads = key_heads,
          .head_size = head_size,
          .scale = 1.0F / std::sqrt(static_cast<float>(head_size)),
          .softcap = softcap,
          .window = window};
}

}  // namespace lmpo::testing
