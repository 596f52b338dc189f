// What llama.cpp computes of an architecture, where it is less than a configuration may ask.
#pragma once

#include <optional>
#include <string_view>

#include "model/config.h"

namespace lmpo {

struct GgufLimits {
  std::string_view architecture;
  bool windows = false;           // a window in all but every n-th layer
  std::int64_t usual_window = 0;  // it has one of this size where the file names none
  bool biases = false;            // of attention's projections, besides what the family always has
  bool mlp_biases = false;
  bool divided_frequencies = false;  // rope_freqs.weight, for llama3
  bool tied_only = false;            // has no head of its own
  bool untied_only = false;          // must have one
  bool wide_heads = true;            // heads times head size may differ from the hidden size
  bool multipliers = false;          // Granite's four
  bool scale_of_heads = true;  // scores are scaled by 1 / sqrt(head size), whatever a key says
  bool logit_softcap = false;
  std::int64_t rope_period = 0;  // every n-th layer has no rotary embedding; 0: all have one
};

// Of an architecture of family.h.
const GgufLimits& gguf_limits(std::string_view architecture);

// UserError for a model that llama.cpp could not open. A warning for one of which it would compute
// something else.
void check_gguf_limits(const ModelConfig& config, const GgufLimits& limits);

// n, if exactly the layers n - 1, 2n - 1, ... have no window.
std::optional<std::int64_t> window_period(const ModelConfig& config);

}  // namespace lmpo
