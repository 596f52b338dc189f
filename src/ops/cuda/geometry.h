// How work is cut for a GPU: sizes and index arithmetic that need no GPU, in one place for the
// host that plans, the host that launches, and the kernels. No CUDA header here.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "tensor/dtype.h"
#include "tree/tree.h"

namespace lmpo::cuda {

// A tile of logits is a chunk of rows against a run of the vocabulary. Tiles are large enough to
// fill the device and small beside a model.
constexpr std::int64_t kHeadRows = 4096;
constexpr std::int64_t kHeadTokens = 4096;

// The parts of the head's workspace, as offsets in float32 elements, each aligned to 256 bytes.
struct HeadWorkspace {
  // `compute` is the type of activations, `storage` that of the weights.
  HeadWorkspace(std::int64_t rows, std::int64_t hidden, std::int64_t vocabulary, Dtype compute,
                Dtype storage);

  std::int64_t chunk;      // rows at a time
  std::int64_t tile;       // tokens at a time
  std::int64_t logits;     // [chunk, tile] float32
  std::int64_t sums;       // [N], float32: the running sum of each row
  std::int64_t gradients;  // [chunk, tile] compute type; of float32 the logits themselves
  std::int64_t dhidden;    // [chunk, D] float32: sums over the vocabulary
  std::int64_t weights;    // [tile, D] compute type, where storage is another
  std::int64_t total;
};

// Rows of a block, of queries and of keys.
constexpr std::int32_t kAttentionBlock = 64;

// Queries of a block: the heads that share a key head are rows of one block, so that its keys are
// read once for all of them and few of its rows are padding.
inline std::int32_t queries_in_block(std::int64_t query_heads, std::int64_t key_heads) {
  const auto group = static_cast<std::int32_t>(query_heads / key_heads);
  return kAttentionBlock % group == 0 ? kAttentionBlock / group : kAttentionBlock;
}

// Queries [begin, begin + count) of one segment: a row of the forward's and dq's grid.
struct QueryBlock {
  std::int32_t begin;
  std::int32_t count;
  std::int32_t context_begin;
  std::int32_t context_end;
  std::int32_t own_begin;  // of the segment
};

// Keys [begin, begin + count) of one segment: a row of dk's and dv's grid. The queries that may see
// them are the runs [first_run, last_run) of AttentionGrid::runs.
struct KeyBlock {
  std::int32_t begin;
  std::int32_t count;
  std::int32_t first_run;
  std::int32_t last_run;
};

// Queries [begin, end) of one segment that see keys of a block: all of [context_begin, context_end)
// and, causally, those from own_begin on.
struct QueryRun {
  std::int32_t begin;
  std::int32_t end;
  std::int32_t context_begin;
  std::int32_t context_end;
  std::int32_t own_begin;
};

struct AttentionGrid {
  // Blocks of at most so many queries. Those with more work come first, so that the last to run are
  // short.
  AttentionGrid(std::span<const Pack::Segment> segments, std::int32_t queries_in_block);

  // Of the three lists, each from a multiple of 16 on.
  std::size_t bytes() const;

  std::vector<QueryBlock> queries;
  std::vector<KeyBlock> keys;
  std::vector<QueryRun> runs;
};
// UserError where a pack's grid is larger than kTableBytes.
void require_tables(std::span<const Pack::Segment> segments, std::int64_t query_heads,
                    std::int64_t key_heads);

// Of every CudaOps: scratch of matrix products and sums, and the tables of attention's grid.
constexpr std::size_t kScratchBytes = std::size_t{64} << 20;
constexpr std::size_t kTableBytes = std::size_t{16} << 20;
// What driver and libraries take on a device beside it, their kernels included; measured.
constexpr std::size_t kLibraryBytes = std::size_t{700} << 20;

// The widest row of a norm, the largest head of attention and the most heads, which are a
// dimension of a grid: all beyond any Llama that was published.
constexpr std::int64_t kLargestNorm = 8192;
constexpr std::int64_t kLargestHead = 512;
constexpr std::int64_t kMostHeads = 65535;
// UserError for a model that is larger. `norm`: the columns of its widest.
void require_sizes(std::int64_t norm, std::int64_t query_heads, std::int64_t head_size);
// Groups of rows whose sums, of a norm's or a bias's gradient, are taken apart and then added in
// order: enough for every multiprocessor to have several.
inline std::int64_t row_groups(std::int64_t rows, std::int64_t width) {
  const auto most = static_cast<std::int64_t>(kScratchBytes / sizeof(float)) / width;
  return std::max<std::int64_t>(1, std::min({rows, most, std::int64_t{528}}));
}

}  // namespace lmpo::cuda
