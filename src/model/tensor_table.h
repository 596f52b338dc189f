// The tensors of a model in one table.
//
// Memory, a checkpoint's names and shapes, GGUF's names, initial values and weight decay all follow
// from it. A family (family.h) fills in the tensors of a layer.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "model/config.h"
#include "model/parameter.h"

namespace lmpo {

class Weights;

// Where a tensor lies: in a parameter of the model or of a layer. Of a Linear, tensors of kind bias
// lie in its bias and others in its weight.
using TensorPlace =
    std::variant<Parameter Weights::*, Parameter LayerWeights::*, Linear LayerWeights::*>;

struct ModelTensor {
  std::string name = {};                 // "model.layers.0.self_attn.q_proj.weight"
  std::vector<std::int64_t> shape = {};  // [O, I], or [O]
  std::string gguf_name = {};            // "blk.0.attn_q.weight"
  TensorKind kind = TensorKind::matrix;
  TensorPlace place = {};
  std::size_t layer = 0;       // of a place in a layer
  std::int64_t first_row = 0;  // in the parameter it lies in
  bool rotated = false;        // its rows are heads that rotary embeddings turn
};

// The tensors of a checkpoint in transformers' order. No lm_head.weight when tied; a reward model's
// last is score.weight.
std::vector<ModelTensor> model_tensors(const ModelConfig& config);

// Takes the tensors of one layer. Several tensors of one place stack their rows in the order in
// which they come.
class LayerTable {
 public:
  // Appends to `tensors`.
  LayerTable(std::vector<ModelTensor>& tensors, std::int64_t layer);

  struct Projection {
    std::string_view name;       // "self_attn.q_proj"
    std::string_view gguf_name;  // "attn_q"
    std::int64_t outputs = 0;    // O
    std::int64_t inputs = 0;     // I
    Linear LayerWeights::*place = nullptr;
    bool bias = false;
    bool rotated = false;
  };
  void add(const Projection& projection);
  // For example "input_layernorm", "attn_norm" in GGUF.
  void add_norm(std::string_view name, std::string_view gguf_name, std::int64_t size,
                Parameter LayerWeights::*place);

 private:
  void add(std::string_view name, std::string_view gguf_name, ModelTensor tensor);

  std::vector<ModelTensor>& tensors_;
  std::size_t begin_;  // of the layer's tensors
  std::size_t layer_;
};

// The layer of Llama and its relatives, with the biases and norms that the configuration asks for.
void add_layer(const ModelConfig& config, LayerTable& table);
// The norms of a layer's inputs and outputs.
void add_norms(const ModelConfig& config, LayerTable& table);

}  // namespace lmpo
