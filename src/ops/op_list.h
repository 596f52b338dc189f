// Every op: a struct whose fields are its arguments, with the contract beside it, and LMPO_OPS, the
// list from which the declarations of ops.h and of each device follow. Callers name the fields:
//
//   ops.run(GluForward{.y = hidden, .gate_up = gate_up});
//
// Shapes
//   T  tokens of a pack            D  hidden size            H  query heads
//   N  rows that predict           F  feed-forward size      K  key heads, divides H
//   M  scored tokens               V  vocabulary             E  head size, even
//   B  sequences that decode       I  inputs                 P  positions of the rotary table
//   S  slots of a page             O  outputs                   of a linear layer (I and O)
//   C  pages of a cache            L  most pages of a sequence
//
// Types
//   Activations have the type Ops::compute_dtype(): float32 on the CPU, float32 or bfloat16 on a
//   GPU. So have weights, unless the op says "any storage": float32, bfloat16 or float16. Where it
//   has `scales` too, weights may be in 8 bits by rows, on a CPU: w[o,i] is scales[o] w[o,i], for
//   int8 and float32. `scales` is empty for other types.
//   Statistics (rstd, lse, logp) and gradients of parameters are float32, indices int32.
//
// Results
//   "=" overwrites, "+=" adds. A backward op adds to the gradients of parameters and overwrites
//   those of activations, unless it says otherwise.
//
// Tensors are contiguous, but for x, y, dx and dy of linear layers and norms, which may be columns
// of a wider tensor (Tensor::columns). They do not overlap, unless the op says so. Wrong shapes and
// types fail LMPO_CHECK. So does an index that is out of range where the device can look at it;
// elsewhere it makes the result NaN and touches no memory outside of the tensors.
#pragma once

#include <cstdint>
#include <span>

#include "tensor/tensor.h"
#include "tree/tree.h"

namespace lmpo {

// The part of a training step that an op's time counts for (timed_ops.h).
enum class StepPart : std::uint8_t {
  embedding,
  norms,
  qkv,
  rotary,
  attention,
  attention_output,
  mlp,
  glu,
  head,
  optimizer,
  movement  // copies and conversions
};

enum class Direction : std::uint8_t { forward, backward };

// The ops: struct, part, direction. A linear layer names its part itself.
#define LMPO_OPS(X)                         \
  X(Zero, movement, forward)                \
  X(Copy, movement, forward)                \
  X(Cast, movement, forward)                \
  X(EmbeddingForward, embedding, forward)   \
  X(EmbeddingBackward, embedding, backward) \
  X(GatherRows, movement, forward)          \
  X(ScatterRows, movement, backward)        \
  X(LinearForward, mlp, forward)            \
  X(LinearBackwardInput, mlp, backward)     \
  X(LinearBackwardWeight, mlp, backward)    \
  X(BiasForward, mlp, forward)              \
  X(BiasBackward, mlp, backward)            \
  X(RmsNormForward, norms, forward)         \
  X(RmsNormBackward, norms, backward)       \
  X(RopeForward, rotary, forward)           \
  X(RopeBackward, rotary, backward)         \
  X(GluForward, glu, forward)               \
  X(GluBackward, glu, backward)             \
  X(Scale, movement, forward)               \
  X(CapLogits, head, forward)               \
  X(AttentionForward, attention, forward)   \
  X(AttentionBackward, attention, backward) \
  X(StorePages, attention, forward)         \
  X(AttentionPaged, attention, forward)     \
  X(HeadForward, head, forward)             \
  X(HeadBackward, head, backward)           \
  X(AdamW, optimizer, backward)

// x = 0. Any type.
struct Zero {
  Tensor x;
};

// out = in, of the same type and shape.
struct Copy {
  Tensor out, in;
};

// out = in, rounded to nearest, ties to even. From any storage to any storage, of the same shape.
struct Cast {
  Tensor out, in;
};

// y[T,D] = table[tokens[T], D]; the table[V,D] of any storage.
struct EmbeddingForward {
  Tensor y, table, tokens;
  Tensor scales = {};  // [V]
};

// dtable[V,D] += the rows of dy[T,D].
struct EmbeddingBackward {
  Tensor dtable, dy, tokens;
};

// y[N,D] = x[rows[N], D], for x[T,D].
struct GatherRows {
  Tensor y, x, rows;
};

// dx[T,D] = 0, then dx[rows[N], D] = dy[N,D]. The rows are distinct.
struct ScatterRows {
  Tensor dx, dy, rows;
};

// Up to this many tokens, as in decoding, a linear layer takes longer to read its weights than to
// compute with them: it is then best given the weights as they are stored.
constexpr std::int64_t kFewTokens = 64;

// y[T,O] = x[T,I] w[O,I]^T, or += with `accumulate`. w of any storage, which pays for kFewTokens.
struct LinearForward {
  Tensor y, x, w;
  bool accumulate = false;
  StepPart part = StepPart::mlp;
  // For answers, which must not depend on what is computed beside them: on a CPU the bits of a row
  // of y follow from its row of x and from w, whatever T, the row's place, the strides and the number
  // of threads. On a GPU a row's results agree to rounding.
  bool independent_rows = false;
  Tensor scales = {};  // [O]
};

// dx[T,I] = dy[T,O] w[O,I], or += with `accumulate`: for layers that share an input.
struct LinearBackwardInput {
  Tensor dx, dy, w;
  bool accumulate = false;
  StepPart part = StepPart::mlp;
};

// dw[O,I] += dy[T,O]^T x[T,I].
struct LinearBackwardWeight {
  Tensor dw, dy, x;
  StepPart part = StepPart::mlp;
};

// y[T,O] += b[O]; b of any storage.
struct BiasForward {
  Tensor y, b;
  StepPart part = StepPart::mlp;
};

// db[O] += the sum over T of dy[T,O].
struct BiasBackward {
  Tensor db, dy;
  StepPart part = StepPart::mlp;
};

// Root mean square normalization (Zhang & Sennrich 2019): rstd[T] = 1 / sqrt(mean(x^2) + eps),
// y[T,D] = x[T,D] rstd[T] (offset + w[D]), or += with `accumulate`. w of any storage. An offset of 1
// is Gemma's. Where x is wider than w, x[T,G*D], each group of D columns is normalized by itself:
// rstd[T,G]. y may be x.
struct RmsNormForward {
  Tensor y, rstd, x, w;
  float eps;
  float offset = 0;
  bool accumulate = false;
};

// dx[T,D] += the gradient through the norm (of a residual stream, it holds the residual's already),
// or = without `accumulate`, and then dx may be dy; dw[D] +=, or nothing where dw is empty.
struct RmsNormBackward {
  Tensor dx, dw, dy, x, w, rstd;
  float offset = 0;
  bool accumulate = true;
};

// y = factor x, or += with `accumulate`. Activations of any shape. y may be x.
struct Scale {
  Tensor y, x;
  float factor;
  bool accumulate = false;
};

// Heads, and how attention scores them.
struct AttentionShape {
  std::int64_t query_heads;  // H
  std::int64_t key_heads;    // K
  std::int64_t head_size;    // E
  // score = scale q.k, then, unless softcap is 0, score = softcap tanh(score / softcap).
  float scale;
  float softcap = 0;
  // A query at position p sees the keys at positions above p - window; 0 is no limit.
  std::int64_t window = 0;

  std::int64_t qkv_width() const { return (query_heads + 2 * key_heads) * head_size; }
  std::int64_t out_width() const { return query_heads * head_size; }
  std::int64_t key_width() const { return key_heads * head_size; }
};

// Rotary positions (Su et al. 2021), in place on the first H+K heads of qkv[T,(H+2K)E]: the halves
// (x1, x2) of a head become (x1 c - x2 s, x2 c + x1 s). cos_sin[P,R] holds for each position the
// cosines, then the sines, float32; only the first R <= E columns of a head turn. positions[T] are
// rows of the table. Queries are then multiplied by query_scale[P], float32, unless it is empty.
struct RopeForward {
  Tensor qkv, cos_sin, positions;
  AttentionShape shape;
  Tensor query_scale = {};
};

// The inverse rotation, in place on the gradient.
struct RopeBackward {
  Tensor dqkv, cos_sin, positions;
  AttentionShape shape;
  Tensor query_scale = {};
};

enum class Activation : std::uint8_t {
  silu,      // x / (1 + exp(-x))
  gelu_tanh  // PyTorch's gelu with approximate="tanh"
};

// Gated linear unit (Shazeer 2020): y[T,F] = activation(g) u, for gate_up[T,2F] = [g | u].
struct GluForward {
  Tensor y, gate_up;
  Activation activation = Activation::silu;
};

// dgate_up[T,2F] =; y[T,F] = the forward's result again, which nobody kept.
struct GluBackward {
  Tensor dgate_up, y, dy, gate_up;
  Activation activation = Activation::silu;
};

// Attention over trees. out[T,H*E] = softmax(scores) v over the keys that each query sees; lse[H,T]
// = the log-sum-exp of its scores. qkv[T,(H+2K)E] holds queries, keys and values. positions[T] are
// for the window. The host reads `segments` before the call returns.
struct AttentionForward {
  Tensor out, lse, qkv, positions;
  std::span<const Pack::Segment> segments;
  AttentionShape shape;
};

// dqkv[T,(H+2K)E] =. scratch[H,T] is float32.
struct AttentionBackward {
  Tensor dqkv, dout, out, lse, qkv, positions;
  std::span<const Pack::Segment> segments;
  AttentionShape shape;
  Tensor scratch;
};

// Keys and values of tokens in pages of S slots, at most kMostSlots: cache_k and cache_v [C,S,K*E].
// How numbers lie in a page is the device's affair; a copy of a whole page holds the same tokens.
// The keys and values of qkv[T,(H+2K)E], normalized and turned, become the slots slots[T], distinct:
// page * S + place in the page.
struct StorePages {
  Tensor cache_k, cache_v, qkv, slots;
  AttentionShape shape;
};

// Attention of new tokens of B sequences over a cache of pages in which they are already. The rows
// [begins[b], begins[b+1]) of qkv[T,(H+2K)E] are the last tokens of sequence b, of which the cache
// holds lengths[b]: row t is at position lengths[b] - (begins[b+1] - t). out[T,H*E] = softmax(scores)
// v over the positions up to a row's own, within the window. Position p lies in page
// pages[b, p / S], place p % S; pages[B,L] that no row sees are not looked at. begins[B+1] goes from
// 0 to T. A row's bits depend on its sequence's tokens up to it alone: not on the other sequences,
// not on where pages lie, nor on how many of the tokens come at once.
struct AttentionPaged {
  Tensor out, qkv, cache_k, cache_v, begins, lengths, pages;
  AttentionShape shape;
};
constexpr std::int64_t kMostSlots = 256;

// What becomes of a logit: scale * logit, then, unless softcap is 0, softcap tanh(that / softcap).
struct LogitShape {
  float scale = 1;
  float softcap = 0;
};

// From hidden rows to log-probabilities, without a tensor of N x V: lse[N] = the log-sum-exp over V
// of the logits hidden[N,D] w[V,D]^T as `shape` makes them; logp[M] = the logit of target_token[M]
// in row target_row[M], less lse. target_row is non-decreasing, w of any storage, workspace float32
// of head_workspace() elements.
struct HeadForward {
  Tensor logp, lse, hidden, w, target_row, target_token, workspace;
  LogitShape shape = {};
  Tensor scales = {};  // [V]
};

// For dlogp[M]: dhidden[N,D] =, dw[V,D] +=, or nothing where dw is empty.
struct HeadBackward {
  Tensor dhidden, dw, dlogp, lse, hidden, w, target_row, target_token, workspace;
  LogitShape shape = {};
};

// Makes logits[B,V], float32, what `shape` says, in place.
struct CapLogits {
  Tensor logits;
  LogitShape shape;
};

// A moment of AdamW: float32 of the weight's shape; or, for a weight [R,C], codes [R,C] uint8 and
// the largest magnitude of each block of kMomentBlock columns, scales [R, ceil(C / kMomentBlock)].
// The codes name the 256 values of dynamic tree quantization (Dettmers et al. 2022, "8-bit
// Optimizers via Block-wise Quantization"). Zeros in both are a moment of zeros.
struct Moment {
  Tensor values;
  Tensor scales;

  Moment() = default;
  Moment(Tensor all) : values(all) {}  // NOLINT(google-explicit-constructor): float32
  Moment(Tensor codes, Tensor largest) : values(codes), scales(largest) {}
};
constexpr std::int64_t kMomentBlock = 256;

// The numbers of one update. In double, because 1 - beta2 would lose five digits in float32.
struct AdamWStep {
  double learning_rate;
  double beta1;
  double beta2;
  double epsilon;
  double weight_decay;
  double bias_correction1;  // 1 - beta1^t
  double bias_correction2;  // 1 - beta2^t
  double gradient_scale;    // clipping: gradients are multiplied by this first
};

// One update of a weight of any storage (Loshchilov & Hutter 2019, as torch.optim.AdamW computes
// it). The float32 master is w itself (float32); w with `low`, the 16 bits that it lacks, int16
// (bfloat16, see SplitFloat); or `low` alone, float32, of which w is the rounding (float16). The
// gradient is float32. Both moments are of the same kind.
struct AdamW {
  Tensor w, low, gradient;
  Moment moment1, moment2;
  AdamWStep step;
};

}  // namespace lmpo
