// transformers' Phi3ForCausalLM (Phi-3, Phi-3.5, Phi-4): Llama whose projections of one input are one
// tensor, with longrope and heads that turn in part.
#include "model/family.h"
#include "model/layer_types.h"
#include "model/parameter.h"

namespace lmpo {
namespace {

void read_phi3(const ConfigReader& reader, ModelConfig& config) {
  read_one_window(reader, 0, config);
}

void add_phi3_layer(const ModelConfig& config, LayerTable& table) {
  using Layer = LayerWeights;
  const std::int64_t d = config.hidden_size;
  const std::int64_t f = config.intermediate_size;
  const std::int64_t q = config.heads * config.head_size;
  const std::int64_t qkv = (config.heads + 2 * config.key_heads) * config.head_size;
  table.add({"self_attn.o_proj", "attn_output", d, q, &Layer::o});
  table.add({"self_attn.qkv_proj", "attn_qkv", qkv, d, &Layer::qkv});
  table.add({"mlp.gate_up_proj", "ffn_up", 2 * f, d, &Layer::gate_up});
  table.add({"mlp.down_proj", "ffn_down", d, f, &Layer::down});
  add_norms(config, table);
}

}  // namespace

Family phi3_family() {
  return {.model_type = "phi3",
          .class_prefix = "Phi3",
          .gguf_architecture = "phi3",
          .defaults = {.vocab_size = 32064,
                       .hidden_size = 3072,
                       .intermediate_size = 8192,
                       .max_positions = 4096,
                       .rms_norm_eps = 1e-5,
                       .eos_id = 32000,
                       .pad_id = 32000},
          .rope = {.turns_in_part = true, .longrope_only = true, .original_positions = 4096},
          .read = read_phi3,
          .write = put_one_window,
          .add_layer = add_phi3_layer};
}

}  // namespace lmpo
