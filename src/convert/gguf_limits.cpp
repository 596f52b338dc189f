#include "convert/gguf_limits.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/log.h"
#include "model/family.h"

namespace lmpo {
namespace {

// llama.cpp's src/models/ in autumn 2026; tools/oracle/llamacpp_parity.py compares.
constexpr GgufLimits kLimits[] = {
    {.architecture = "llama", .biases = true, .mlp_biases = true, .divided_frequencies = true},
    {.architecture = "mistral3", .biases = true, .mlp_biases = true, .divided_frequencies = true},
    {.architecture = "qwen2", .biases = true},
    {.architecture = "qwen3"},
    {.architecture = "gemma", .tied_only = true},
    {.architecture = "gemma2",
     .windows = true,
     .usual_window = 4096,
     .tied_only = true,
     .logit_softcap = true},
    {.architecture = "gemma3", .windows = true, .logit_softcap = true},
    {.architecture = "phi3", .wide_heads = false},
    {.architecture = "olmo2", .windows = true, .untied_only = true, .wide_heads = false},
    {.architecture = "smollm3", .rope_period = 4},
    {.architecture = "granite",
     .biases = true,
     .mlp_biases = true,
     .divided_frequencies = true,
     .multipliers = true,
     .scale_of_heads = false},
};

[[noreturn]] void refuse(const GgufLimits& limits, std::string_view what) {
  user_error("this model cannot be exported to GGUF: llama.cpp's architecture '{}' {}",
             limits.architecture, what);
}

void warn(const GgufLimits& limits, std::string_view what) {
  log_warning("llama.cpp's architecture '{}' {}: its results will differ", limits.architecture,
              what);
}

bool has_heads_scale(const ModelConfig& config) {
  const auto is = [&](std::int64_t size) {
    return std::fabs(config.attention_scale * std::sqrt(static_cast<float>(size)) - 1) < 1e-5F;
  };
  // Gemma's largest, which llama.cpp knows by their layers, take the hidden size for it.
  const bool largest = config.layers == 46 || config.layers == 62;
  return is(config.head_size) || (largest && is(config.hidden_size / config.heads));
}

bool every_layer_turns_but(const ModelConfig& config, std::int64_t period) {
  for (std::size_t l = 0; l < config.layer_attention.size(); ++l) {
    const bool skipped = period > 0 && (static_cast<std::int64_t>(l) + 1) % period == 0;
    if (config.layer_attention[l].rope.has_value() == skipped) {
      return false;
    }
  }
  return true;
}

void check_tensors_fit(const ModelConfig& config, const GgufLimits& limits) {
  if (config.output_bias && !limits.biases) {
    refuse(limits, "has no biases of attention (attention_bias)");
  }
  if (config.mlp_bias && !limits.mlp_biases) {
    refuse(limits, "has no biases of the MLP (mlp_bias)");
  }
  if (limits.tied_only && !config.tie_word_embeddings) {
    refuse(limits, "has no head of its own (tie_word_embeddings: false)");
  }
  if (limits.untied_only && config.tie_word_embeddings) {
    refuse(limits, "needs a head of its own (tie_word_embeddings: true)");
  }
  if (!limits.wide_heads && config.heads * config.head_size != config.hidden_size) {
    refuse(limits, "needs heads that make up the hidden size (head_dim)");
  }
  const bool llama3 = std::ranges::any_of(
      config.ropes, [](const Rope& rope) { return rope.kind == Rope::Kind::llama3; });
  if (llama3 && !limits.divided_frequencies) {
    refuse(limits, "has no rotary embedding of type llama3");
  }
}

void warn_of_windows(const ModelConfig& config, const GgufLimits& limits) {
  const std::int64_t window = widest_window(config);
  if (window == 0 && limits.usual_window > 0 && limits.usual_window < config.max_positions) {
    log_warning(
        "llama.cpp has a sliding window of {0} tokens in every other layer of this architecture: "
        "its "
        "results differ beyond {0} tokens",
        limits.usual_window);
  }
  if (window == 0 || window >= config.max_positions) {
    return;
  }
  if (!limits.windows) {
    log_warning(
        "llama.cpp has no sliding window for this architecture: its results differ beyond {} "
        "tokens",
        window);
  } else if (!window_period(config)) {
    log_warning(
        "llama.cpp has a window in all but every n-th layer, not in those of layer_types: its "
        "results differ beyond {} tokens",
        window);
  }
}

}  // namespace

const GgufLimits& gguf_limits(std::string_view architecture) {
  const auto* const found = std::ranges::find(kLimits, architecture, &GgufLimits::architecture);
  LMPO_CHECK(found != std::end(kLimits));
  return *found;
}

void check_gguf_limits(const ModelConfig& config, const GgufLimits& limits) {
  check_tensors_fit(config, limits);
  warn_of_windows(config, limits);
  if (limits.scale_of_heads && !has_heads_scale(config)) {
    warn(limits, "has no scale of scores but 1 / sqrt(head size) (query_pre_attn_scalar)");
  }
  if (config.logit_softcap != 0 && !limits.logit_softcap) {
    warn(limits, "has no softcap of logits (final_logit_softcapping)");
  }
  if (!every_layer_turns_but(config, limits.rope_period)) {
    warn(limits, "has rotary embeddings in other layers (no_rope_layers)");
  }
  if (config.activation != find_family(config.family).defaults.activation) {
    warn(limits, "has another activation (hidden_act)");
  }
  if (config.ropes.size() > 1 && config.ropes[1].kind != Rope::Kind::plain) {
    warn(limits, "has plain rotary embeddings in layers with a window (rope_parameters)");
  }
  if (!config.ropes[0].truncate) {
    warn(limits, "has a ramp of whole columns in yarn (truncate: false)");
  }
}

std::optional<std::int64_t> window_period(const ModelConfig& config) {
  const auto is_full = [](const LayerAttention& layer) { return layer.window == 0; };
  const auto first = std::ranges::find_if(config.layer_attention, is_full);
  const std::int64_t period = first - config.layer_attention.begin() + 1;
  for (std::size_t l = 0; l < config.layer_attention.size(); ++l) {
    if (is_full(config.layer_attention[l]) != ((static_cast<std::int64_t>(l) + 1) % period == 0)) {
      return std::nullopt;
    }
  }
  return period;
}

}  // namespace lmpo
