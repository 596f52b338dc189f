#include "model/embedding.h"

namespace lmpo {
namespace {

float rounded(float value, Dtype dtype) {
  switch (dtype) {
    case Dtype::bf16:
      return to_float(to_bfloat16(value));
    case Dtype::f16:
      return to_float(to_float16(value));
    default:
      return value;
  }
}

float scale_of(const Weights& weights) {
  const ModelConfig& config = weights.config();
  return config.rounds_embedding_scale ? rounded(config.embedding_scale, weights.storage())
                                       : config.embedding_scale;
}

}  // namespace

Embedding::Embedding(const Weights& weights, Ops& ops, Arena& arena)
    : weights_(weights), ops_(ops), arena_(arena), scale_(scale_of(weights)) {}

Tensor Embedding::forward(Tensor tokens) {
  const Tensor x = arena_.allocate("activations", ops_.compute_dtype(),
                                   {tokens.dim(0), weights_.config().hidden_size});
  ops_.run(EmbeddingForward{.y = x,
                            .table = weights_.embedding.value,
                            .tokens = tokens,
                            .scales = weights_.embedding.scales});
  if (scale_ != 1) {
    ops_.run(Scale{.y = x, .x = x, .factor = scale_});
  }
  return x;
}

void Embedding::backward(Tensor dx, Tensor tokens) {
  if (scale_ != 1) {
    ops_.run(Scale{.y = dx, .x = dx, .factor = scale_});
  }
  ops_.run(EmbeddingBackward{.dtable = weights_.embedding.gradient, .dy = dx, .tokens = tokens});
}

}  // namespace lmpo
