// The head, tile by tile: a tile of logits is a chunk of rows against a run of the vocabulary. The
// vocabulary is the outer loop, so that the weights, the largest operand, are read once.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "base/threads.h"
#include "ops/cpu/convert.h"
#include "ops/cpu/cpu_ops.h"
#include "ops/cpu/elements.h"
#include "ops/cpu/matmul.h"
#include "ops/cpu/vector.h"
#include "ops/shape.h"

namespace lmpo {
namespace {

using cpu::matmul;
using cpu::Transpose;

constexpr std::int64_t kRowChunk = 256;
constexpr std::int64_t kVocabularyTile = 2048;

LMPO_VECTOR float largest(const float* x, float start, std::int64_t count) {
  float result = start;
#pragma omp simd reduction(max : result)
  for (std::int64_t i = 0; i < count; ++i) {
    result = result < x[i] ? x[i] : result;
  }
  return result;
}

LMPO_VECTOR float exponential_sum(const float* x, float maximum, std::int64_t count) {
  float sum = 0.0F;
#pragma omp simd reduction(+ : sum)
  for (std::int64_t i = 0; i < count; ++i) {
    sum += cpu::exp(x[i] - maximum);
  }
  return sum;
}

// x = factor exp(x - lse).
LMPO_VECTOR void scaled_probabilities(float* x, float lse, float factor, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    x[i] = factor * cpu::exp(x[i] - lse);
  }
}

// slopes = the derivatives of capped logits by what was capped.
LMPO_VECTOR void cap_slopes(float* slopes, const float* logits, float softcap, std::int64_t count) {
  const float inverse = 1.0F / softcap;
  for (std::int64_t i = 0; i < count; ++i) {
    const float t = logits[i] * inverse;
    slopes[i] = 1.0F - t * t;
  }
}

LMPO_VECTOR void multiply_by(float* x, const float* factors, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    x[i] *= factors[i];
  }
}

struct Sizes {
  std::int64_t rows;
  std::int64_t width;
  std::int64_t vocabulary;

  std::int64_t chunk() const { return std::min(rows, kRowChunk); }
  std::int64_t tile() const { return std::min(vocabulary, kVocabularyTile); }
};

// The parts of the workspace.
struct Workspace {
  float* logits;   // [chunk, tile]
  float* of_rows;  // [N], one number a row
  float* weights;  // [tile, D], unless the weights are float32 already
};

// A tile of logits and where it lies.
struct Tile {
  std::int64_t row;
  std::int64_t rows;
  std::int64_t token;
  std::int64_t tokens;
  float* logits;         // [rows, tokens]
  const float* weights;  // [tokens, D]

  float* logits_of(std::int64_t n) const { return logits + (n - row) * tokens; }
  bool has_token(std::int64_t target) const { return target >= token && target < token + tokens; }
};

class Head {
 public:
  // Of HeadForward or HeadBackward.
  template <typename Op>
  Head(const Op& op, std::int64_t workspace_size, cpu::Precision precision)
      : sizes_{op.hidden.dim(0), op.hidden.dim(1), op.w.dim(0)},
        hidden_(op.hidden),
        w_(op.w),
        target_row_(op.target_row.i32()),
        target_token_(op.target_token.i32()),
        targets_(op.target_row.dim(0)),
        shape_(op.shape),
        precision_(precision) {
    if constexpr (requires { op.scales; }) {
      scales_ = op.scales;
    }
    LMPO_CHECK(has_shape(w_, {sizes_.vocabulary, sizes_.width}) &&
               has_shape(op.target_token, {targets_}) &&
               op.workspace.elements() >= workspace_size &&
               scales_.empty() == (w_.dtype() != Dtype::i8));
    for (std::int64_t m = 0; m < targets_; ++m) {
      LMPO_CHECK(target_row_[m] >= (m == 0 ? 0 : target_row_[m - 1]) &&
                 target_row_[m] < sizes_.rows && target_token_[m] >= 0 &&
                 target_token_[m] < sizes_.vocabulary);
    }
    workspace_.logits = op.workspace.f32();
    workspace_.of_rows = workspace_.logits + sizes_.chunk() * sizes_.tile();
    workspace_.weights = workspace_.of_rows + sizes_.rows;
  }

  const Sizes& sizes() const { return sizes_; }
  // One number a row, for the caller's use.
  float* of_rows() const { return workspace_.of_rows; }
  const float* hidden_rows(const Tile& tile) const {
    return hidden_.f32() + tile.row * sizes_.width;
  }

  // body(tile) for every tile, its logits computed and scaled.
  template <typename Body>
  void for_tiles(const Body& body) const {
    for (std::int64_t token = 0; token < sizes_.vocabulary; token += kVocabularyTile) {
      const std::int64_t tokens = std::min(kVocabularyTile, sizes_.vocabulary - token);
      const float* weights = widened(token, tokens);
      for (std::int64_t row = 0; row < sizes_.rows; row += kRowChunk) {
        const Tile tile{
            row, std::min(kRowChunk, sizes_.rows - row), token, tokens, workspace_.logits, weights};
        matmul({Transpose::no, Transpose::yes, tile.rows, tokens, sizes_.width, shape_.scale,
                hidden_rows(tile), sizes_.width, weights, sizes_.width, 0.0F, tile.logits, tokens,
                cpu::kForwardSum},
               precision_);
        body(tile);
      }
    }
  }

  // body(n) for the tile's rows, by all threads.
  template <typename Body>
  static void for_rows(const Tile& tile, const Body& body) {
    parallel_for(tile.rows, 4096 / tile.tokens + 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t n = begin; n < end; ++n) {
        body(tile.row + n);
      }
    });
  }

  // A row's logits, capped where they are to be: once in a tile.
  float* finished_logits(const Tile& tile, std::int64_t n) const {
    float* logits = tile.logits_of(n);
    if (shape_.softcap != 0.0F) {
      cpu::cap(logits, shape_.softcap, tile.tokens);
    }
    return logits;
  }

  // body(m, token) for the targets of a row.
  template <typename Body>
  void for_targets(std::int64_t n, const Body& body) const {
    const std::int32_t* first = std::lower_bound(target_row_, target_row_ + targets_, n);
    for (std::int64_t m = first - target_row_; m < targets_ && target_row_[m] == n; ++m) {
      body(m, target_token_[m]);
    }
  }

 private:
  const float* widened(std::int64_t token, std::int64_t tokens) const {
    const std::int64_t width = sizes_.width;
    if (w_.dtype() == Dtype::f32) {
      return w_.f32() + token * width;
    }
    parallel_for(tokens, (1 << 14) / width + 1, [&](std::int64_t first, std::int64_t last) {
      cpu::widen(workspace_.weights + first * width, w_, (token + first) * width,
                 (last - first) * width);
      for (std::int64_t t = first; t < last && !scales_.empty(); ++t) {
        float* row = workspace_.weights + t * width;
        cpu::scale(row, row, scales_.f32()[token + t], width);
      }
    });
    return workspace_.weights;
  }

  Sizes sizes_;
  Tensor hidden_;
  Tensor w_;
  Tensor scales_;
  const std::int32_t* target_row_;
  const std::int32_t* target_token_;
  std::int64_t targets_;
  LogitShape shape_;
  cpu::Precision precision_;
  Workspace workspace_;
};

}  // namespace

std::int64_t CpuOps::head_workspace(std::int64_t rows, std::int64_t hidden, std::int64_t vocabulary,
                                    Dtype storage) const {
  const Sizes sizes{rows, hidden, vocabulary};
  return sizes.chunk() * sizes.tile() + rows + (storage == Dtype::f32 ? 0 : sizes.tile() * hidden);
}

std::size_t CpuOps::head_scratch(std::int64_t rows, std::int64_t hidden,
                                 std::int64_t vocabulary) const {
  const Sizes sizes{rows, hidden, vocabulary};
  return std::max({cpu::rounded_factors(sizes.chunk(), sizes.tile(), hidden, precision_),
                   cpu::rounded_factors(sizes.chunk(), hidden, sizes.tile(), precision_),
                   cpu::rounded_factors(sizes.tile(), hidden, sizes.chunk(), precision_)});
}

void CpuOps::run(const HeadForward& op) {
  const Head head(op, head_workspace(op.hidden.dim(0), op.hidden.dim(1), op.w.dim(0), op.w.dtype()),
                  precision_);
  LMPO_CHECK(has_shape(op.logp, {op.target_row.dim(0)}) && has_shape(op.lse, {op.hidden.dim(0)}));
  // Until the end op.lse holds the running maximum, sums the running sum and op.logp the target's logit.
  float* maxima = op.lse.f32();
  float* sums = head.of_rows();
  std::fill_n(maxima, op.lse.dim(0), std::numeric_limits<float>::lowest());
  std::fill_n(sums, op.lse.dim(0), 0.0F);
  head.for_tiles([&](const Tile& tile) {
    Head::for_rows(tile, [&](std::int64_t n) {
      const float* logits = head.finished_logits(tile, n);
      const float maximum = largest(logits, maxima[n], tile.tokens);
      sums[n] =
          sums[n] * std::exp(maxima[n] - maximum) + exponential_sum(logits, maximum, tile.tokens);
      maxima[n] = maximum;
      head.for_targets(n, [&](std::int64_t m, std::int64_t token) {
        if (tile.has_token(token)) {
          op.logp.f32()[m] = logits[token - tile.token];
        }
      });
    });
  });
  for (std::int64_t n = 0; n < op.lse.dim(0); ++n) {
    // In double: the difference of two large numbers would lose the digits of a small one.
    const double log_sum = std::log(static_cast<double>(sums[n]));
    head.for_targets(n, [&](std::int64_t m, std::int64_t) {
      const double logit = static_cast<double>(op.logp.f32()[m]);
      op.logp.f32()[m] = static_cast<float>((logit - static_cast<double>(maxima[n])) - log_sum);
    });
    op.lse.f32()[n] = static_cast<float>(static_cast<double>(maxima[n]) + log_sum);
  }
}

void CpuOps::run(const HeadBackward& op) {
  const Head head(op, head_workspace(op.hidden.dim(0), op.hidden.dim(1), op.w.dim(0), op.w.dtype()),
                  precision_);
  LMPO_CHECK(has_shape(op.dlogp, {op.target_row.dim(0)}) && has_shape(op.lse, {op.hidden.dim(0)}) &&
             op.dhidden.same_shape(op.hidden) &&
             (op.dw.empty() || has_shape(op.dw, {op.w.dim(0), op.w.dim(1)})));
  const std::int64_t width = head.sizes().width;
  // Each target's gradient comes back, negative, through the row's log-sum-exp.
  float* row_gradient = head.of_rows();
  for (std::int64_t n = 0; n < op.lse.dim(0); ++n) {
    row_gradient[n] = 0.0F;
    head.for_targets(n,
                     [&](std::int64_t m, std::int64_t) { row_gradient[n] += op.dlogp.f32()[m]; });
  }
  head.for_tiles([&](const Tile& tile) {
    // The logits become their gradients; the products' factors scale these.
    Head::for_rows(tile, [&](std::int64_t n) {
      float* logits = head.finished_logits(tile, n);
      const bool capped = op.shape.softcap != 0.0F;
      std::array<float, kVocabularyTile> slopes;
      if (capped) {
        cap_slopes(slopes.data(), logits, op.shape.softcap, tile.tokens);
      }
      scaled_probabilities(logits, op.lse.f32()[n], -row_gradient[n], tile.tokens);
      head.for_targets(n, [&](std::int64_t m, std::int64_t token) {
        if (tile.has_token(token)) {
          logits[token - tile.token] += op.dlogp.f32()[m];
        }
      });
      if (capped) {
        multiply_by(logits, slopes.data(), tile.tokens);
      }
    });
    matmul({Transpose::no, Transpose::no, tile.rows, width, tile.tokens, op.shape.scale,
            tile.logits, tile.tokens, tile.weights, width, tile.token == 0 ? 0.0F : 1.0F,
            op.dhidden.f32() + tile.row * width, width},
           precision_);
    if (op.dw.empty()) {
      return;
    }
    matmul(
        {Transpose::yes, Transpose::no, tile.tokens, width, tile.rows, op.shape.scale, tile.logits,
         tile.tokens, head.hidden_rows(tile), width, 1.0F, op.dw.f32() + tile.token * width, width},
        precision_);
  });
}

void CpuOps::run(const CapLogits& op) {
  const std::int64_t width = op.logits.dim(1);
  parallel_for(op.logits.dim(0), 4096 / width + 1, [&](std::int64_t begin, std::int64_t end) {
    float* logits = op.logits.f32() + begin * width;
    const std::int64_t count = (end - begin) * width;
    if (op.shape.scale != 1.0F) {
      cpu::scale(logits, logits, op.shape.scale, count);
    }
    if (op.shape.softcap != 0.0F) {
      cpu::cap(logits, op.shape.softcap, count);
    }
  });
}

}  // namespace lmpo
