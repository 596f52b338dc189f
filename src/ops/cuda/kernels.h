// The kernels as functions: pointers and sizes in, launches on a stream out. Shapes are checked by
// who calls (the *.cpp files beside this one); nothing here allocates or waits. All are
// deterministic: no sum depends on the order in which blocks run.
//
// Compiled by nvcc, so this header uses nothing of the project that nvcc cannot read.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>

#include "ops/adamw_constants.h"
#include "ops/cuda/geometry.h"
#include "tensor/dtype.h"

namespace lmpo::cuda {

// A pointer with the type of what it points to.
struct Typed {
  void* data;
  Dtype dtype;
};
// The same of a matrix whose rows are `stride` elements apart.
struct Matrix : Typed {
  std::int64_t stride;
};

// rows.cu
void zero(cudaStream_t stream, void* x, std::size_t bytes);
void cast(cudaStream_t stream, Typed out, Typed in, std::int64_t count);
// y[count] = factor x, or += with accumulate; y may be x.
void scale(cudaStream_t stream, Typed y, Typed x, float factor, bool accumulate,
           std::int64_t count);
// y[i] = x[index[i]], rows of this width; a row that x[rows] does not have is NaN.
void gather_rows(cudaStream_t stream, Typed y, Typed x, const std::int32_t* index,
                 std::int64_t count, std::int64_t width, std::int64_t rows);
// dx[index[i]] = dy[i], of the same type.
void scatter_rows(cudaStream_t stream, Typed dx, Typed dy, const std::int32_t* index,
                  std::int64_t count, std::int64_t width, std::int64_t rows);
// dtable[tokens[t]] += dy[t], each row's sum in the order of t.
void embedding_backward(cudaStream_t stream, float* dtable, Typed dy, const std::int32_t* tokens,
                        std::int64_t count, std::int64_t width, std::int64_t vocabulary);
// y[T,O] = x[T,I] w[O,I]^T, or +=: w of any type, which is read once for every eight rows.
void few_rows_product(cudaStream_t stream, Matrix y, Matrix x, Typed w, std::int64_t rows,
                      std::int64_t in, std::int64_t out, bool accumulate);

// norm.cu
// A row holds `groups` vectors of `width` columns; each is normalized by itself.
struct NormShape {
  std::int64_t vectors;  // of all rows
  std::int64_t groups;
  std::int64_t width;
  float offset;  // added to the weights
};
// y =, or += with accumulate; y may be x.
void rmsnorm_forward(cudaStream_t stream, Matrix y, float* rstd, Matrix x, Typed w, float eps,
                     const NormShape& shape, bool accumulate);
// partial is scratch of kScratchBytes, here and below. dx =, or += with accumulate; it may be dy.
// dw +=; it may be null.
void rmsnorm_backward(cudaStream_t stream, Matrix dx, float* dw, Matrix dy, Matrix x, Typed w,
                      const float* rstd, float* partial, const NormShape& shape, bool accumulate);

// bias.cu
// y[T,O] += b[O].
void bias_forward(cudaStream_t stream, Typed y, Typed b, std::int64_t rows, std::int64_t width);
// db[O] += sum over T of dy[T,O].
void bias_backward(cudaStream_t stream, float* db, Typed dy, float* partial, std::int64_t rows,
                   std::int64_t width);
// sums[width] += the rows of partial[groups, width], in one order.
void add_groups(cudaStream_t stream, float* sums, const float* partial, std::int64_t groups,
                std::int64_t width);

// pointwise.cu
struct RopeShape {
  std::int64_t tokens;
  std::int64_t query_heads;
  std::int64_t key_heads;
  std::int64_t head_size;
  std::int64_t turned;  // columns of a head
  std::int64_t table_rows;
};
// Turns the heads of queries and keys; sign 1 turns, -1 turns back.
void rope(cudaStream_t stream, Typed qkv, const float* cos_sin, const std::int32_t* positions,
          const RopeShape& shape, float sign);
// Multiplies each row's queries by scale[its position].
void scale_queries(cudaStream_t stream, Typed qkv, const float* scale,
                   const std::int32_t* positions, const RopeShape& shape);
void glu_forward(cudaStream_t stream, Typed y, Typed gate_up, std::int64_t rows, std::int64_t width,
                 bool is_gelu);
void glu_backward(cudaStream_t stream, Typed dgate_up, Typed y, Typed dy, Typed gate_up,
                  std::int64_t rows, std::int64_t width, bool is_gelu);

// attention*.cu
// A pack's queries, keys and values, and how they see one another.
struct AttentionInput {
  Typed qkv;                      // [T, (H+2K)E]
  const std::int32_t* positions;  // [T]
  const QueryBlock* query_blocks;
  std::int32_t query_block_count;
  std::int32_t queries_in_block;
  const KeyBlock* key_blocks;
  std::int32_t key_block_count;
  const QueryRun* runs;
  std::int32_t tokens;
  std::int32_t query_heads;
  std::int32_t key_heads;
  std::int32_t head_size;
  float scale;
  float softcap;
  std::int32_t window;
};
// Whether the tensor cores' kernels can compute this; the general ones compute everything.
bool has_fast_attention(const AttentionInput& in);

void attention_forward(cudaStream_t stream, const AttentionInput& in, Typed out, float* lse);
void attention_forward_general(cudaStream_t stream, const AttentionInput& in, Typed out,
                               float* lse);
// delta[H,T] = sum over E of dout * out.
void attention_delta(cudaStream_t stream, float* delta, Typed dout, Typed out, std::int64_t tokens,
                     std::int64_t heads, std::int64_t head_size);
void attention_query_gradient(cudaStream_t stream, const AttentionInput& in, Typed dqkv, Typed dout,
                              const float* lse, const float* delta);
void attention_key_gradient(cudaStream_t stream, const AttentionInput& in, Typed dqkv, Typed dout,
                            const float* lse, const float* delta);
void attention_backward_general(cudaStream_t stream, const AttentionInput& in, Typed dqkv,
                                Typed dout, const float* lse, const float* delta);

// pages.cu
struct PagesShape {
  std::int64_t pages;
  std::int64_t slots;  // of a page
  std::int32_t query_heads;
  std::int32_t key_heads;
  std::int32_t head_size;
  float scale;
  float softcap;
  std::int32_t window;
};
// Which rows and which pages belong to a sequence; see op_list.h.
struct PageTable {
  const std::int32_t* begins;   // [sequences + 1]
  const std::int32_t* lengths;  // [sequences]
  const std::int32_t* pages;    // [sequences, width]
  std::int32_t sequences;
  std::int64_t width;
};
// Rows of qkv become slots; one that the cache does not have is not stored.
void store_pages(cudaStream_t stream, Typed cache_k, Typed cache_v, Typed qkv,
                 const std::int32_t* slots, std::int64_t tokens, const PagesShape& shape);
// A row whose sequence, position or pages are not there becomes NaN.
void attention_paged(cudaStream_t stream, Typed out, Typed qkv, Typed cache_k, Typed cache_v,
                     std::int64_t tokens, const PageTable& table, const PagesShape& shape);

// head.cu
struct HeadTargets {
  const std::int32_t* row;    // [M], non-decreasing
  const std::int32_t* token;  // [M]
  std::int64_t count;         // M
};
// A tile of logits [rows, tokens]: rows from `row` and tokens from `token` on.
struct HeadTile {
  std::int64_t row;
  std::int64_t rows;
  std::int64_t token;
  std::int64_t tokens;
  bool is_first;  // of the rows' tiles
  bool is_last;
};
// What becomes of products of hidden rows and weights; a softcap of 0 is none.
struct LogitRule {
  float scale;
  float softcap;
};
// Takes a tile of products into the rows' running maxima (in lse), sums and targets' logits (in
// logp); the last tile makes them lse and logp.
void head_forward_tile(cudaStream_t stream, const HeadTile& tile, const float* products, float* lse,
                       float* sums, float* logp, const HeadTargets& targets, LogitRule rule);
// gradients = dL/dproducts, of compute type; may be the products where that is float32.
void head_backward_tile(cudaStream_t stream, const HeadTile& tile, Typed gradients,
                        const float* products, const float* lse, const float* dlogp,
                        const HeadTargets& targets, LogitRule rule);
// Products become logits, in place.
void cap_logits(cudaStream_t stream, float* logits, std::int64_t count, LogitRule rule);

// optimizer.cu
// partial[kSquareParts]: sums of squares of the parts of one tensor.
constexpr int kSquareParts = 1024;
void square_sums(cudaStream_t stream, double* partial, const float* x, std::int64_t count);
// *result = the parts, added in order.
void add_parts(cudaStream_t stream, double* result, const double* partial, std::int64_t count);

struct AdamWTensors {
  Typed w;
  void* low;  // see Ops::adamw
  const float* gradient;
  void* moment1;  // float32, or codes where scales1 is not null
  void* moment2;
  float* scales1;
  float* scales2;
  std::int64_t rows;  // 1 where moments are float32
  std::int64_t columns;
};
// The 8-bit codes of moments, of either sign and of the positive ones; see moment_codes.h.
struct AdamWCodes {
  float values[2][256];
  float borders[2][256];
};
// `codes` lies on the device.
void adamw(cudaStream_t stream, const AdamWTensors& tensors, const AdamWConstants& constants,
           const AdamWCodes* codes);

}  // namespace lmpo::cuda
