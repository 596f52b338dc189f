// A model's weights as they lie in memory.
//
// Projections that share an input are one matrix, so that one product serves them; a checkpoint's
// tensors are views of its rows (tensor_table.h). Shapes are in the alphabet of op_list.h.
#pragma once

#include <array>
#include <cstdint>

#include "ops/op_list.h"

namespace lmpo {

// What a tensor is: it decides initial values, weight decay and the type of moments.
enum class TensorKind : std::uint8_t {
  matrix,  // of a linear layer or an embedding
  norm,    // the scale of a norm
  bias     // of a linear layer
};

// A weight and what its training needs. Where it does not train, only `value` is there.
struct Parameter {
  Tensor value;     // storage type
  Tensor scales;    // of a matrix in 8 bits: float32, one a row (op_list.h); else empty
  Tensor low;       // bfloat16: int16 bits; float16: float32 master; float32: empty
  Tensor gradient;  // float32
  Moment moment1;   // float32; of matrices also in 8 bits
  Moment moment2;
  TensorKind kind = TensorKind::matrix;

  bool empty() const { return value.empty(); }  // the model has no such parameter
  bool trains() const { return !gradient.empty(); }
  // As transformers' Trainer decides: norms and biases do not.
  bool decays() const { return kind == TensorKind::matrix; }
  // Rows [begin, end) of everything.
  Parameter rows(std::int64_t begin, std::int64_t end) const;
};

// y[T,O] = x[T,I] weight^T + bias.
struct Linear {
  Parameter weight;  // [O, I]
  Parameter bias;    // [O], or empty
};

// x = x + residual_scale * norm_after(sublayer(norm_before(x))), for attention and for the MLP. A
// model has the norms that its configuration asks for; the others are empty.
struct LayerWeights {
  Parameter input_norm;            // [D], before attention
  Linear qkv;                      // [(H+2K)E, D]: queries, keys, values
  Parameter q_norm;                // [E] or [H*E] (QueryKeyNorm)
  Parameter k_norm;                // [E] or [K*E]
  Linear o;                        // [D, H*E]
  Parameter attention_norm_after;  // [D]
  Parameter post_norm;             // [D], before the MLP
  Linear gate_up;                  // [2F, D]: gate, up
  Linear down;                     // [D, F]
  Parameter mlp_norm_after;        // [D]
};

// All of a layer's, the empty ones too, in the order of the forward pass. Layer: LayerWeights, or
// const.
template <typename Layer>
auto parameters_of(Layer& layer) {
  return std::array{
      &layer.input_norm, &layer.qkv.weight,     &layer.qkv.bias,     &layer.q_norm,
      &layer.k_norm,     &layer.o.weight,       &layer.o.bias,       &layer.attention_norm_after,
      &layer.post_norm,  &layer.gate_up.weight, &layer.gate_up.bias, &layer.down.weight,
      &layer.down.bias,  &layer.mlp_norm_after};
}

}  // namespace lmpo
