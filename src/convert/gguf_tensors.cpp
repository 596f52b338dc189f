#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/log.h"
#include "convert/gguf_model.h"
#include "io/finite.h"

namespace lmpo {
namespace {

struct Renaming {
  std::string_view from;
  std::string_view to;
};
constexpr std::array<Renaming, 3> whole_names{{{"model.embed_tokens.weight", "token_embd.weight"},
                                               {"model.norm.weight", "output_norm.weight"},
                                               {"lm_head.weight", "output.weight"}}};
constexpr std::array<Renaming, 9> layer_names{
    {{"self_attn.q_proj.weight", "attn_q.weight"},
     {"self_attn.k_proj.weight", "attn_k.weight"},
     {"self_attn.v_proj.weight", "attn_v.weight"},
     {"self_attn.o_proj.weight", "attn_output.weight"},
     {"mlp.gate_proj.weight", "ffn_gate.weight"},
     {"mlp.up_proj.weight", "ffn_up.weight"},
     {"mlp.down_proj.weight", "ffn_down.weight"},
     {"input_layernorm.weight", "attn_norm.weight"},
     {"post_attention_layernorm.weight", "ffn_norm.weight"}}};

// model.layers.3.mlp.up_proj.weight -> blk.3.ffn_up.weight
std::string gguf_name(std::string_view name) {
  constexpr std::string_view layers = "model.layers.";
  if (!name.starts_with(layers)) {
    return std::string(std::ranges::find(whole_names, name, &Renaming::from)->to);
  }
  name.remove_prefix(layers.size());
  const std::size_t dot = name.find('.');
  const auto* found = std::ranges::find(layer_names, name.substr(dot + 1), &Renaming::from);
  return fmt::format("blk.{}.{}", name.substr(0, dot), found->to);
}

// The row of transformers' projection that becomes this row of llama.cpp's: within a head of E
// rows the two halves lie interleaved.
std::int64_t halves_to_pairs(std::int64_t row, std::int64_t head_size) {
  const std::int64_t inside = row % head_size;
  return row - inside + inside % 2 * (head_size / 2) + inside / 2;
}

// Reads a matrix [rows, width] whose heads' rows are reordered.
auto read_in_pairs(const Checkpoint& checkpoint, const TensorView& view, std::int64_t head_size) {
  return [&checkpoint, view, head_size](std::int64_t begin, std::span<float> out) {
    const std::int64_t width = view.shape[1];
    while (!out.empty()) {
      const std::int64_t column = begin % width;
      const std::int64_t count = std::min(width - column, static_cast<std::int64_t>(out.size()));
      const std::int64_t row = halves_to_pairs(begin / width, head_size);
      read_finite(checkpoint, view, row * width + column,
                  out.first(static_cast<std::size_t>(count)));
      out = out.subspan(static_cast<std::size_t>(count));
      begin += count;
    }
  };
}

GgufType storage_of(const std::vector<std::int64_t>& shape, GgufType type) {
  if (shape.size() == 1) {
    return GgufType::f32;
  }
  return type == GgufType::q8_0 && shape.back() % q8_0_block != 0 ? GgufType::f16 : type;
}

// What llama.cpp divides each of the frequencies by, which it computes from the base alone.
GgufTensor rope_divisors(const ModelConfig& config) {
  ModelConfig unscaled = config;
  unscaled.rope_scaling = {};
  std::vector<float> divisors = inverse_frequencies(unscaled);
  std::ranges::transform(divisors, inverse_frequencies(config), divisors.begin(), std::divides<>());
  const auto count = static_cast<std::int64_t>(divisors.size());
  return {.name = "rope_freqs.weight",
          .type = GgufType::f32,
          .shape = {count},
          .read = [divisors = std::move(divisors)](std::int64_t begin, std::span<float> out) {
            std::copy_n(divisors.begin() + begin, out.size(), out.begin());
          }};
}

}  // namespace

std::vector<GgufTensor> gguf_tensors(const ModelConfig& config, const Checkpoint& checkpoint,
                                     GgufType type) {
  std::vector<GgufTensor> tensors;
  std::vector<std::string> not_in_blocks;
  for (const ExpectedTensor& expected : expected_tensors(config)) {
    const TensorView view = checkpoint.tensor(expected.name);
    GgufTensor& tensor = tensors.emplace_back(GgufTensor{.name = gguf_name(expected.name),
                                                         .type = storage_of(expected.shape, type),
                                                         .shape = expected.shape,
                                                         .read = {}});
    if (expected.name.ends_with("q_proj.weight") || expected.name.ends_with("k_proj.weight")) {
      tensor.read = read_in_pairs(checkpoint, view, config.head_size);
    } else {
      tensor.read = [&checkpoint, view](std::int64_t begin, std::span<float> out) {
        read_finite(checkpoint, view, begin, out);
      };
    }
    tensor.done = [&checkpoint, name = expected.name] { checkpoint.forget(name); };
    if (expected.shape.size() > 1 && tensor.type != type) {
      not_in_blocks.push_back(tensor.name);
    }
  }
  if (!not_in_blocks.empty()) {
    log_warning(
        "{} tensors are stored in float16, since their rows are not multiples of {}: {}, ...",
        not_in_blocks.size(), q8_0_block, not_in_blocks.front());
  }
  if (config.rope_scaling.kind == RopeScaling::Kind::llama3) {
    tensors.push_back(rope_divisors(config));
  }
  return tensors;
}

}  // namespace lmpo
