// The contract of every kernel. One class a device; the model is written against this and nothing
// else.
//
// Alphabet: T tokens in a pack, D hidden, H query heads, K key heads, E head size, F feed-forward,
// V vocabulary,
//           N hidden rows that predict, M scored tokens, B sequences that decode.
// Conventions:
//   - Activations have the type compute_dtype() (float32 on the CPU); statistics (rstd, lse, logp)
//   and parameter
//     gradients are float32; weights passed to an op have compute_dtype() unless the op says "any
//     storage".
//   - "=" overwrites, "+=" adds. Backward ops add into parameter gradients and overwrite
//   activations' gradients,
//     unless stated otherwise.
//   - Arguments do not alias unless stated. Shapes are checked (LMPO_CHECK).
//   - Ops never allocate device memory and never wait for the device, except finish, download and
//   sum_of_squares. An op may still be computing when its call returns: the next one waits for it.
//   - Indices in tensors (tokens, rows, targets) that are out of range are a broken invariant where
//   the device can look at them (LMPO_CHECK); elsewhere they make results NaN, never a wild access.
//   - Calls on one object come from one thread. Results for a fixed number of threads are bitwise
//   repeatable.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "tensor/arena.h"
#include "tensor/tensor.h"
#include "tree/tree.h"

namespace lmpo {

// How attention sees a pack: the segments of tree.h.
struct AttentionShape {
  std::int64_t query_heads = 0;  // H
  std::int64_t key_heads = 0;    // K, divides H
  std::int64_t head_size = 0;    // E, even
  // A query at position p sees keys at positions > p - window; 0 is no limit.
  std::int64_t window = 0;
};

// One AdamW update (Loshchilov & Hutter 2019, as torch.optim.AdamW computes it). In double, because
// 1 - beta2 would lose five digits in float32.
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

// A moment of AdamW: float32 of the weight's shape, or [R, C] uint8 codes with the largest
// magnitude of each block of moment_block columns, [R, ceil(C / moment_block)] float32. Codes name
// the 256 values of dynamic tree quantization (Dettmers et al. 2022, "8-bit Optimizers via
// Block-wise Quantization"). Zeros in both are a moment of zeros.
struct Moment {
  Tensor values;
  Tensor scales;

  Moment() = default;
  Moment(Tensor all) : values(all) {}  // NOLINT(google-explicit-constructor): float32
  Moment(Tensor codes, Tensor largest) : values(codes), scales(largest) {}
};
constexpr std::int64_t moment_block = 256;

// Up to so many tokens a product reads its weights longer than it computes: those of a batch that
// decodes.
constexpr std::int64_t few_tokens = 64;

// What linear layers belong to, for those who measure.
enum class LinearPart : std::uint8_t { qkv, attention_output, mlp };

class Ops {
 public:
  virtual ~Ops() = default;

  // The linear layers that follow are of this part. Changes no result.
  virtual void enter(LinearPart) {}

  // False for the ops of a plan, which compute nothing: values read back are zeros.
  virtual bool computes() const { return true; }
  virtual Dtype compute_dtype() const = 0;
  // Whether calls return before the device is done, so that their time is not the op's.
  virtual bool is_asynchronous() const { return false; }
  // Waits until all that was asked for is computed.
  virtual void finish() {}

  // UserError where the device cannot compute a model of these sizes: names the key of config.json
  // and the largest value.
  virtual void require_sizes(std::int64_t /*hidden*/, const AttentionShape& /*heads*/) const {}
  // Bytes of host memory beside the tensors, which threads keep for their copies of rows and panels:
  // of linear layers in every direction, of the head, and of attention over a pack. UserError for
  // more segments than the device can hold.
  virtual std::size_t linear_scratch(std::int64_t /*tokens*/, std::int64_t /*in*/,
                                     std::int64_t /*out*/) const {
    return 0;
  }
  virtual std::size_t head_scratch(std::int64_t /*rows*/, std::int64_t /*hidden*/,
                                   std::int64_t /*vocabulary*/) const {
    return 0;
  }
  virtual std::size_t attention_scratch(std::span<const Pack::Segment> /*segments*/,
                                        const AttentionShape& /*shape*/) const {
    return 0;
  }
  // Of a plan's ops: what all of it comes to for the calls so far.
  virtual std::size_t planned_scratch() const { return 0; }

  // --- movement
  // ---------------------------------------------------------------------------------------------
  virtual void upload(Tensor device, const void* host) = 0;  // device = host, device.bytes() bytes
  virtual void download(void* host, Tensor device) = 0;      // host = device
  virtual void zero(Tensor x) = 0;                           // x = 0
  virtual void copy(Tensor out, Tensor in) = 0;              // out = in, same type and shape
  virtual void cast(Tensor out, Tensor in) = 0;  // out = in rounded; any storage to any storage
  virtual void add(Tensor out, Tensor in) = 0;   // out += in, compute type

  // --- matrix products
  // --------------------------------------------------------------------------------------
  // y[T,O] = x[T,I] w[O,I]^T, or += with accumulate. w any storage, which pays for T <= few_tokens.
  virtual void linear_forward(Tensor y, Tensor x, Tensor w, bool accumulate) = 0;
  // dx[T,I] = dy[T,O] w[O,I], or += with accumulate.
  virtual void linear_backward_input(Tensor dx, Tensor dy, Tensor w, bool accumulate) = 0;
  // dw[O,I] += dy[T,O]^T x[T,I]; dw float32.
  virtual void linear_backward_weight(Tensor dw, Tensor dy, Tensor x) = 0;

  // --- rows
  // -------------------------------------------------------------------------------------------------
  // y[T,D] = table[tokens[T], D]; table any storage; tokens i32.
  virtual void embedding_forward(Tensor y, Tensor table, Tensor tokens) = 0;
  // dtable[V,D] += rows of dy[T,D]; dtable float32.
  virtual void embedding_backward(Tensor dtable, Tensor dy, Tensor tokens) = 0;
  // y[N,D] = x[rows[N], D].
  virtual void gather_rows(Tensor y, Tensor x, Tensor rows) = 0;
  // dx[T,D] = 0, then dx[rows[N]] = dy[N,D]; rows are distinct.
  virtual void scatter_rows(Tensor dx, Tensor dy, Tensor rows) = 0;

  // --- pointwise and norms
  // ---------------------------------------------------------------------------------- rstd[T] =
  // 1/sqrt(mean(x^2) + eps);  y[T,D] = x * rstd * w[D].  w any storage.
  virtual void rmsnorm_forward(Tensor y, Tensor rstd, Tensor x, Tensor w, float eps) = 0;
  // dx[T,D] += gradient through the norm (the residual's gradient is already there); dw[D] += ; w
  // any storage.
  virtual void rmsnorm_backward(Tensor dx, Tensor dw, Tensor dy, Tensor x, Tensor w,
                                Tensor rstd) = 0;
  // In place on the first H+K heads of qkv[T, (H+2K)E]: head halves (x1, x2) -> (x1 c - x2 s, x2 c
  // + x1 s). cos_sin[P, E]: cosines [0,E/2), sines [E/2,E) of every position < P, float32.
  // positions[T] i32.
  virtual void rope_forward(Tensor qkv, Tensor cos_sin, Tensor positions,
                            const AttentionShape& shape) = 0;
  // The inverse rotation, in place on the gradient.
  virtual void rope_backward(Tensor dqkv, Tensor cos_sin, Tensor positions,
                             const AttentionShape& shape) = 0;
  // y[T,F] = silu(g) * u for gate_up[T,2F] = [g | u].
  virtual void swiglu_forward(Tensor y, Tensor gate_up) = 0;
  // dgate_up[T,2F] = ; y[T,F] = the forward's again, which was not kept. Neither may alias gate_up
  // or dy[T,F].
  virtual void swiglu_backward(Tensor dgate_up, Tensor y, Tensor dy, Tensor gate_up) = 0;

  // --- attention over trees
  // --------------------------------------------------------------------------------- out[T,H*E] =
  // softmax(q k^T / sqrt(E)) v over the keys each query sees; lse[H,T] the log-sum-exp of the
  // scaled scores, float32. qkv[T,(H+2K)E]: queries, keys, values. positions[T] i32 (for the
  // window). `segments` is read on the host and must outlive the call.
  virtual void attention_forward(Tensor out, Tensor lse, Tensor qkv, Tensor positions,
                                 std::span<const Pack::Segment> segments,
                                 const AttentionShape& shape) = 0;
  // dqkv[T,(H+2K)E] = ; scratch[H,T] float32.
  virtual void attention_backward(Tensor dqkv, Tensor dout, Tensor out, Tensor lse, Tensor qkv,
                                  Tensor positions, std::span<const Pack::Segment> segments,
                                  const AttentionShape& shape, Tensor scratch) = 0;
  // After a prefill: keys and values of the rows [begin, end) of qkv[T,(H+2K)E] become slots [0,
  // end - begin) of sequence b of cache_k and cache_v [B,S,K*E].
  virtual void store_keys(Tensor cache_k, Tensor cache_v, Tensor qkv, std::int64_t begin,
                          std::int64_t end, std::int64_t b, const AttentionShape& shape) = 0;
  // One new token for each of B sequences. out[B,H*E]; qkv[B,(H+2K)E] already rotated. The new key
  // and value are stored at slot lengths[b] of cache_k and cache_v [B,S,K*E], then attention runs
  // over slots [0, lengths[b]] within the window. lengths[B] i32.
  virtual void attention_decode(Tensor out, Tensor qkv, Tensor cache_k, Tensor cache_v,
                                Tensor lengths, const AttentionShape& shape) = 0;

  // --- head: hidden rows to log-probabilities, never N x V
  // ---------------------------------------------------- lse[N] = logsumexp over V of hidden[N,D]
  // w[V,D]^T;  logp[M] = logit(target_row, target_token) - lse. w any storage. target_row[M]
  // non-decreasing indices into N, target_token[M] i32. workspace: head_workspace() bytes' worth of
  // float32.
  virtual void head_forward(Tensor logp, Tensor lse, Tensor hidden, Tensor w, Tensor target_row,
                            Tensor target_token, Tensor workspace) = 0;
  // For dlogp[M]: dhidden[N,D] = ; dw[V,D] += (float32).
  virtual void head_backward(Tensor dhidden, Tensor dw, Tensor dlogp, Tensor lse, Tensor hidden,
                             Tensor w, Tensor target_row, Tensor target_token,
                             Tensor workspace) = 0;
  // Elements of float32 that the head needs for these sizes.
  virtual std::int64_t head_workspace(std::int64_t rows, std::int64_t hidden,
                                      std::int64_t vocabulary, Dtype storage) const = 0;

  // --- optimizer
  // --------------------------------------------------------------------------------------------
  // Sum of x^2 over all elements of all tensors, float32, in double; the order of additions does
  // not depend on the number of threads.
  virtual double sum_of_squares(std::span<const Tensor> tensors) = 0;
  // Any storage of w; its exact float32 master is w itself (float32), w with `low` (bfloat16: the
  // missing 16 bits, int16, see SplitFloat) or `low` alone (float16: low is the float32 master, w
  // its rounding). gradient float32 of w's shape; both moments are of the same kind.
  virtual void adamw(Tensor w, Tensor low, Tensor gradient, const Moment& moment1,
                     const Moment& moment2, const AdamWStep& step) = 0;
};

// `factors` float32, or bfloat16: factors of the matrix products of linear layers and head are
// rounded before they are multiplied (sums stay float32). UserError where the processor cannot.
std::unique_ptr<Ops> make_cpu_ops(Dtype factors = Dtype::f32);
// Computes nothing; for running a step against a counting arena. `like` tells compute type and
// workspaces and must outlive it.
std::unique_ptr<Ops> make_plan_ops(const Ops& like);

}  // namespace lmpo
