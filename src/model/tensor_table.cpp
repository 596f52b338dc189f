#include "model/tensor_table.h"

#include <fmt/format.h>

#include "model/family.h"
#include "model/weights.h"

namespace lmpo {

LayerTable::LayerTable(std::vector<ModelTensor>& tensors, std::int64_t layer)
    : tensors_(tensors), begin_(tensors.size()), layer_(static_cast<std::size_t>(layer)) {}

void LayerTable::add(std::string_view name, std::string_view gguf_name, ModelTensor tensor) {
  const char* part = tensor.kind == TensorKind::bias ? "bias" : "weight";
  tensor.name = fmt::format("model.layers.{}.{}.{}", layer_, name, part);
  tensor.gguf_name = fmt::format("blk.{}.{}.{}", layer_, gguf_name, part);
  tensor.layer = layer_;
  for (std::size_t i = begin_; i < tensors_.size(); ++i) {
    if (tensors_[i].place == tensor.place && tensors_[i].kind == tensor.kind) {
      tensor.first_row += tensors_[i].shape[0];
    }
  }
  tensors_.push_back(std::move(tensor));
}

void LayerTable::add(const Projection& projection) {
  ModelTensor tensor = {.shape = {projection.outputs, projection.inputs},
                        .kind = TensorKind::matrix,
                        .place = projection.place,
                        .rotated = projection.rotated};
  add(projection.name, projection.gguf_name, tensor);
  if (projection.bias) {
    tensor.shape = {projection.outputs};
    tensor.kind = TensorKind::bias;
    add(projection.name, projection.gguf_name, tensor);
  }
}

void LayerTable::add_norm(std::string_view name, std::string_view gguf_name, std::int64_t size,
                          Parameter LayerWeights::*place) {
  add(name, gguf_name, {.shape = {size}, .kind = TensorKind::norm, .place = place});
}

void add_norms(const ModelConfig& config, LayerTable& table) {
  using Layer = LayerWeights;
  const std::int64_t d = config.hidden_size;
  if (config.norms_before) {
    table.add_norm("input_layernorm", "attn_norm", d, &Layer::input_norm);
  }
  if (!config.norms_after) {  // transformers gives this name to another norm below
    table.add_norm("post_attention_layernorm", "ffn_norm", d, &Layer::post_norm);
    return;
  }
  table.add_norm("post_attention_layernorm", "post_attention_norm", d,
                 &Layer::attention_norm_after);
  if (config.norms_before) {
    table.add_norm("pre_feedforward_layernorm", "ffn_norm", d, &Layer::post_norm);
  }
  table.add_norm("post_feedforward_layernorm", "post_ffw_norm", d, &Layer::mlp_norm_after);
}

void add_layer(const ModelConfig& config, LayerTable& table) {
  using Layer = LayerWeights;
  const std::int64_t d = config.hidden_size;
  const std::int64_t q = config.heads * config.head_size;
  const std::int64_t k = config.key_heads * config.head_size;
  const std::int64_t f = config.intermediate_size;
  const auto add = [&](std::string_view name, std::string_view gguf_name, std::int64_t outputs,
                       std::int64_t inputs, Linear Layer::*place, bool bias, bool rotated = false) {
    table.add({name, gguf_name, outputs, inputs, place, bias, rotated});
  };
  add("self_attn.q_proj", "attn_q", q, d, &Layer::qkv, config.qkv_bias, true);
  add("self_attn.k_proj", "attn_k", k, d, &Layer::qkv, config.qkv_bias, true);
  add("self_attn.v_proj", "attn_v", k, d, &Layer::qkv, config.qkv_bias);
  add("self_attn.o_proj", "attn_output", d, q, &Layer::o, config.output_bias);
  if (config.query_key_norm != QueryKeyNorm::none) {
    const bool whole = config.query_key_norm == QueryKeyNorm::whole;
    const std::int64_t one = config.head_size;
    table.add_norm("self_attn.q_norm", "attn_q_norm", whole ? q : one, &Layer::q_norm);
    table.add_norm("self_attn.k_norm", "attn_k_norm", whole ? k : one, &Layer::k_norm);
  }
  add("mlp.gate_proj", "ffn_gate", f, d, &Layer::gate_up, config.mlp_bias);
  add("mlp.up_proj", "ffn_up", f, d, &Layer::gate_up, config.mlp_bias);
  add("mlp.down_proj", "ffn_down", d, f, &Layer::down, config.mlp_bias);
  add_norms(config, table);
}

std::vector<ModelTensor> model_tensors(const ModelConfig& config) {
  const std::int64_t hidden = config.hidden_size;
  std::vector<ModelTensor> tensors = {{.name = "model.embed_tokens.weight",
                                       .shape = {config.vocab_size, hidden},
                                       .gguf_name = "token_embd.weight",
                                       .place = &Weights::embedding}};
  const Family& family = find_family(config.family);
  for (std::int64_t l = 0; l < config.layers; ++l) {
    LayerTable layer(tensors, l);
    family.add_layer(config, layer);
  }
  tensors.push_back({.name = "model.norm.weight",
                     .shape = {hidden},
                     .gguf_name = "output_norm.weight",
                     .kind = TensorKind::norm,
                     .place = &Weights::final_norm});
  if (config.stores_head()) {
    tensors.push_back({.name = config.head_name(),
                       .shape = {config.head_rows(), hidden},
                       .gguf_name = "output.weight",
                       .place = &Weights::head});
  }
  return tensors;
}

}  // namespace lmpo
