// Trunk and branches: the shape of everything that is trained or scored.
//
// A tree is one prompt with R responses: SFT has one, a preference pair two, a ranked list more.
// Its token sequences share a beginning, the trunk, which is computed once; what differs are the
// branches. The trunk is the longest common prefix of the sequences, so a common beginning of the
// responses is shared as well. A sequence's last token is never an input: nothing is predicted
// after it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tree/tokens.h"

namespace lmpo {

// One response with its prompt: tokens [0, scored_begin) are context, [scored_begin, size) are
// scored. 1 <= scored_begin < tokens.size().
struct Sequence {
  Tokens tokens;
  std::int32_t scored_begin = 1;

  std::int32_t scored_tokens() const {
    return static_cast<std::int32_t>(tokens.size()) - scored_begin;
  }
};

// One row of data, tokenized. For a pair, sequences[0] is chosen and sequences[1] rejected.
struct Tree {
  std::vector<Sequence> sequences;
  std::int64_t row = 0;   // where it came from: the row's index in the data, for messages
  bool desirable = true;  // unpaired data: whether the response was approved of
  // Of each sequence under the reference model, where an objective asks for one; else empty.
  std::vector<double> reference_logps = {};

  // Length of the trunk: the longest common prefix of the sequences' inputs (all but their last
  // tokens).
  std::int32_t trunk_length() const;
  // Input tokens once the trunk is shared.
  std::int64_t input_tokens() const;
};

// Trees laid end to end without padding, as the model sees them.
//   T  input tokens      N  hidden rows that predict a scored token      M  scored tokens      R
//   responses
// A hidden row may predict several scored tokens: where branches part, and where responses share a
// beginning.
struct Pack {
  // A run of queries [begin, end) that sees the keys [context_begin, context_end) and, causally,
  // its own run. A trunk has an empty context; a branch's context is its trunk.
  struct Segment {
    std::int32_t begin;
    std::int32_t end;
    std::int32_t context_begin;
    std::int32_t context_end;
  };

  std::vector<std::int32_t> tokens;           // T
  std::vector<std::int32_t> positions;        // T, counted from the start of each sequence
  std::vector<Segment> segments;              // in order of begin; covers [0, T); no empty run
  std::vector<std::int32_t> segment_tree;     // per segment, the index of its tree in this pack
  std::vector<std::int32_t> head_rows;        // N, strictly increasing indices into T
  std::vector<std::int32_t> target_row;       // M, index into head_rows, non-decreasing
  std::vector<std::int32_t> target_token;     // M, the token whose log-probability is wanted
  std::vector<std::int32_t> target_response;  // M, index of the response, in [0, R)
  std::vector<std::int64_t> tree_response;    // first response of each tree, and R at the end

  std::int64_t input_count() const { return static_cast<std::int64_t>(tokens.size()); }
  std::int64_t row_count() const { return static_cast<std::int64_t>(head_rows.size()); }
  std::int64_t target_count() const { return static_cast<std::int64_t>(target_row.size()); }
  std::int64_t response_count() const { return tree_response.empty() ? 0 : tree_response.back(); }
};

// Lays out the trees in order. Requires valid trees (see Sequence).
Pack make_pack(const std::vector<const Tree*>& trees);

}  // namespace lmpo
