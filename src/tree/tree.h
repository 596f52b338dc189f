// Trunk and branches: the shape of everything that is trained or scored.
//
// A tree is one prompt with its responses: SFT has one, a preference pair two, a ranked list more.
// Their longest common prefix, which may reach into the responses, is the trunk and is computed
// once; the rest of each is a branch. The last token of a sequence is never an input, because
// nothing is predicted after it.
//
//   T  input tokens                          N  hidden rows that predict a scored token
//   M  scored tokens                         R  responses
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tree/tokens.h"

namespace lmpo {

// Tokens [begin, end) of a sequence.
struct TokenRun {
  std::int32_t begin;
  std::int32_t end;

  std::int32_t size() const { return end - begin; }
  bool operator==(const TokenRun&) const = default;
};

// One response with its prompt: tokens [0, scored_begin) are context, [scored_begin, size) are
// scored, but for the gaps. 1 <= scored_begin < tokens.size().
struct Sequence {
  Tokens tokens;
  std::int32_t scored_begin = 1;
  // Context between scored tokens, such as the user's turns where every turn of the assistant is
  // scored. In order and apart, none empty, all inside [scored_begin + 1, size - 1): the first and
  // the last token from scored_begin on are scored.
  std::vector<TokenRun> gaps = {};

  std::int32_t scored_tokens() const;
  // Whether scored_begin and gaps are as said above.
  bool is_valid() const;
  // The scored tokens as runs, in order; one where there are no gaps.
  std::vector<TokenRun> scored_runs() const;
};

// One row of data, tokenized. For a pair, sequences[0] is chosen and sequences[1] rejected.
struct Tree {
  std::vector<Sequence> sequences;
  std::int64_t row = 0;   // index in the data, for messages
  bool desirable = true;  // of unpaired data: the label of the response
  // Log-probability of each response under the reference model; empty if no objective asks for it.
  std::vector<double> reference_logps = {};

  // Tokens of the trunk: the longest common prefix of all sequences without their last tokens.
  std::int32_t trunk_length() const;
  // Tokens of the trunk and of all branches.
  std::int64_t input_tokens() const;
};

// Trees laid end to end without padding, as the model sees them. A hidden row predicts several
// scored tokens where branches part and where responses share a beginning.
struct Pack {
  // Tokens [begin, end), each of which attends to the tokens [context_begin, context_end) and to
  // those of its own segment up to itself. A trunk's context is empty; a branch's is its trunk.
  struct Segment {
    std::int32_t begin;
    std::int32_t end;
    std::int32_t context_begin;
    std::int32_t context_end;
  };

  std::vector<std::int32_t> tokens;           // T
  std::vector<std::int32_t> positions;        // T, counted from the start of each sequence
  std::vector<Segment> segments;              // by begin; they cover [0, T), and none is empty
  std::vector<std::int32_t> segment_tree;     // of each segment, the index of its tree in the pack
  std::vector<std::int32_t> head_rows;        // N, strictly increasing indices into T
  std::vector<std::int32_t> target_row;       // M, indices into head_rows, non-decreasing
  std::vector<std::int32_t> target_token;     // M, the scored tokens
  std::vector<std::int32_t> target_response;  // M, indices of their responses, in [0, R)
  std::vector<std::int64_t> tree_response;    // first response of each tree, and R at the end

  std::int64_t input_count() const { return static_cast<std::int64_t>(tokens.size()); }
  std::int64_t row_count() const { return static_cast<std::int64_t>(head_rows.size()); }
  std::int64_t target_count() const { return static_cast<std::int64_t>(target_row.size()); }
  std::int64_t response_count() const { return tree_response.empty() ? 0 : tree_response.back(); }
};

// Lays out the trees in order. Requires valid trees (see Sequence).
Pack make_pack(const std::vector<const Tree*>& trees);

}  // namespace lmpo
