// The head, tile by tile: products by cuBLASLt, and a kernel for what lies between them. A chunk of
// rows goes through the whole vocabulary, so that its hidden gradient is summed once, in float32.
#include <algorithm>

#include "ops/cuda/cuda_ops.h"
#include "ops/shape.h"

namespace lmpo {

using cuda::HeadTile;
using cuda::Matrix;
using cuda::Transpose;
using cuda::Typed;

// The operands of one call, and where the parts of its workspace are.
struct CudaOps::HeadParts {
  // Of HeadForward or HeadBackward.
  template <typename Op>
  HeadParts(CudaOps& device, const Op& op)
      : ops(device),
        hidden(op.hidden),
        w(op.w),
        sizes(hidden.dim(0), hidden.dim(1), w.dim(0), ops.compute_, w.dtype()),
        base(op.workspace.f32()),
        targets{op.target_row.i32(), op.target_token.i32(), op.target_row.dim(0)},
        rule{op.shape.scale, op.shape.softcap} {
    ops.require_compute({&hidden});
    LMPO_CHECK(has_shape(w, {w.dim(0), hidden.dim(1)}) &&
               has_shape(op.target_token, {op.target_row.dim(0)}) &&
               op.workspace.elements() >= sizes.total);
  }

  std::int64_t width() const { return hidden.dim(1); }
  float* products() const { return base + sizes.logits; }
  float* sums() const { return base + sizes.sums; }
  Matrix gradients(const HeadTile& tile) const {
    return {{base + sizes.gradients, ops.compute_}, tile.tokens};
  }
  float* dhidden() const { return base + sizes.dhidden; }
  Matrix hidden_rows(const HeadTile& tile) const {
    return matrix(hidden.rows(tile.row, tile.row + tile.rows));
  }
  // The weights of a tile's tokens, in compute type.
  Matrix weights(const HeadTile& tile) const {
    const Tensor rows = w.rows(tile.token, tile.token + tile.tokens);
    if (rows.dtype() == ops.compute_) {
      return matrix(rows);
    }
    const Matrix converted{{base + sizes.weights, ops.compute_}, width()};
    cuda::cast(ops.stream_, converted, typed(rows), rows.elements());
    return converted;
  }

  // body(tile) for every tile of a chunk of rows, its products computed; end_chunk(first row, rows)
  // after its last.
  template <typename Body, typename EndChunk>
  void for_tiles(const Body& body, const EndChunk& end_chunk) const {
    const std::int64_t rows = hidden.dim(0);
    const std::int64_t vocabulary = w.dim(0);
    for (std::int64_t row = 0; row < rows; row += sizes.chunk) {
      const std::int64_t count = std::min(sizes.chunk, rows - row);
      for (std::int64_t token = 0; token < vocabulary; token += sizes.tile) {
        const std::int64_t tokens = std::min(sizes.tile, vocabulary - token);
        const HeadTile tile{row, count, token, tokens, token == 0, token + tokens == vocabulary};
        const Matrix tile_weights = weights(tile);
        ops.multiplier_->multiply({Transpose::no,
                                   Transpose::yes,
                                   count,
                                   tokens,
                                   width(),
                                   hidden_rows(tile),
                                   tile_weights,
                                   {{products(), Dtype::f32}, tokens},
                                   false});
        body(tile, tile_weights);
      }
      end_chunk(row, count);
    }
  }

  CudaOps& ops;
  Tensor hidden;
  Tensor w;
  cuda::HeadWorkspace sizes;
  float* base;
  cuda::HeadTargets targets;
  cuda::LogitRule rule;
};

std::int64_t CudaOps::head_workspace(std::int64_t rows, std::int64_t hidden,
                                     std::int64_t vocabulary, Dtype storage) const {
  return cuda::HeadWorkspace(rows, hidden, vocabulary, compute_, storage).total;
}

void CudaOps::run(const HeadForward& op) {
  const HeadParts head(*this, op);
  LMPO_CHECK(has_shape(op.logp, {op.target_row.dim(0)}) && has_shape(op.lse, {op.hidden.dim(0)}));
  head.for_tiles(
      [&](const HeadTile& tile, const Matrix&) {
        cuda::head_forward_tile(stream_, tile, head.products(), op.lse.f32(), head.sums(),
                                op.logp.f32(), head.targets, head.rule);
      },
      [](std::int64_t, std::int64_t) {});
  launched("head_forward", {&op.hidden, &op.w});
}

void CudaOps::run(const HeadBackward& op) {
  const HeadParts head(*this, op);
  const std::int64_t width = head.width();
  LMPO_CHECK(has_shape(op.dlogp, {op.target_row.dim(0)}) && has_shape(op.lse, {op.hidden.dim(0)}) &&
             op.dhidden.same_shape(op.hidden) && op.dhidden.dtype() == compute_ &&
             (op.dw.empty() || has_shape(op.dw, {op.w.dim(0), width})));
  // The chunk's gradient is summed in float32: where it lies already if that is the compute type.
  const bool in_place = compute_ == Dtype::f32;
  const auto sum_of = [&](std::int64_t row) {
    return Matrix{{in_place ? op.dhidden.f32() + row * width : head.dhidden(), Dtype::f32}, width};
  };
  head.for_tiles(
      [&](const HeadTile& tile, const Matrix& tile_weights) {
        const Matrix gradients = head.gradients(tile);
        cuda::head_backward_tile(stream_, tile, gradients, head.products(), op.lse.f32(),
                                 op.dlogp.f32(), head.targets, head.rule);
        multiplier_->multiply({Transpose::no, Transpose::no, tile.rows, width, tile.tokens,
                               gradients, tile_weights, sum_of(tile.row), !tile.is_first});
        if (!op.dw.empty()) {
          multiplier_->multiply({Transpose::yes, Transpose::no, tile.tokens, width, tile.rows,
                                 gradients, head.hidden_rows(tile),
                                 matrix(op.dw.rows(tile.token, tile.token + tile.tokens)), true});
        }
      },
      [&](std::int64_t row, std::int64_t rows) {
        if (!in_place) {
          cuda::cast(stream_, typed(op.dhidden.rows(row, row + rows)), sum_of(row), rows * width);
        }
      });
  launched("head_backward", {&op.hidden, &op.w});
}

void CudaOps::run(const CapLogits& op) {
  cuda::cap_logits(stream_, op.logits.f32(), op.logits.elements(),
                   {op.shape.scale, op.shape.softcap});
  launched("cap_logits", {&op.logits});
}

}  // namespace lmpo
