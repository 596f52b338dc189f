#include "tree/tree.h"

#include <algorithm>

#include "base/error.h"

namespace lmpo {
namespace {

std::int32_t input_length(const Sequence& sequence) {
  return static_cast<std::int32_t>(sequence.tokens.size()) - 1;
}

void append_run(Pack& pack, const Sequence& sequence, std::int32_t begin, std::int32_t end,
                std::int32_t context_begin, std::int32_t context_end, std::int32_t tree) {
  if (begin == end) {
    return;
  }
  const auto first = static_cast<std::int32_t>(pack.tokens.size());
  for (std::int32_t position = begin; position < end; ++position) {
    pack.tokens.push_back(sequence.tokens[static_cast<std::size_t>(position)]);
    pack.positions.push_back(position);
  }
  pack.segments.push_back({first, first + end - begin, context_begin, context_end});
  pack.segment_tree.push_back(tree);
}

// A scored token before it knows its place among the rows: `row` is an index into T.
struct Target {
  std::int32_t row;
  std::int32_t token;
  std::int32_t response;
};

void append_targets(Pack& pack, std::vector<Target>& targets) {
  std::stable_sort(targets.begin(), targets.end(),
                   [](const Target& a, const Target& b) { return a.row < b.row; });
  for (const Target& target : targets) {
    if (pack.head_rows.empty() || pack.head_rows.back() != target.row) {
      pack.head_rows.push_back(target.row);
    }
    pack.target_row.push_back(static_cast<std::int32_t>(pack.head_rows.size()) - 1);
    pack.target_token.push_back(target.token);
    pack.target_response.push_back(target.response);
  }
}

void append_tree(Pack& pack, const Tree& tree, std::int32_t index) {
  const std::int32_t trunk = tree.trunk_length();
  const auto trunk_begin = static_cast<std::int32_t>(pack.tokens.size());
  append_run(pack, tree.sequences.front(), 0, trunk, 0, 0, index);
  std::vector<Target> targets;
  auto response = static_cast<std::int32_t>(pack.response_count());
  for (const Sequence& sequence : tree.sequences) {
    LMPO_CHECK(sequence.is_valid());
    const auto branch_begin = static_cast<std::int32_t>(pack.tokens.size());
    append_run(pack, sequence, trunk, input_length(sequence), trunk_begin, trunk_begin + trunk,
               index);
    // The token at `position` is predicted by the input before it.
    for (const TokenRun& run : sequence.scored_runs()) {
      for (std::int32_t position = run.begin; position < run.end; ++position) {
        const std::int32_t input = position - 1;
        const std::int32_t row = input < trunk ? trunk_begin + input : branch_begin + input - trunk;
        targets.push_back({row, sequence.tokens[static_cast<std::size_t>(position)], response});
      }
    }
    ++response;
  }
  append_targets(pack, targets);
  pack.tree_response.push_back(response);
}

}  // namespace

std::int32_t Sequence::scored_tokens() const {
  std::int32_t count = static_cast<std::int32_t>(tokens.size()) - scored_begin;
  for (const TokenRun& gap : gaps) {
    count -= gap.size();
  }
  return count;
}

bool Sequence::is_valid() const {
  const auto size = static_cast<std::int64_t>(tokens.size());
  std::int64_t scored = scored_begin;  // a scored token stands here
  for (const TokenRun& gap : gaps) {
    if (gap.begin <= scored || gap.end <= gap.begin) {
      return false;
    }
    scored = gap.end;
  }
  return scored_begin >= 1 && scored < size;
}

std::vector<TokenRun> Sequence::scored_runs() const {
  std::vector<TokenRun> runs;
  std::int32_t begin = scored_begin;
  for (const TokenRun& gap : gaps) {
    runs.push_back({begin, gap.begin});
    begin = gap.end;
  }
  runs.push_back({begin, static_cast<std::int32_t>(tokens.size())});
  return runs;
}

std::int32_t Tree::trunk_length() const {
  LMPO_CHECK(!sequences.empty());
  const Sequence& first = sequences.front();
  std::int32_t common = input_length(first);
  for (const Sequence& sequence : sequences) {
    common = std::min(common, input_length(sequence));
    const auto end = first.tokens.begin() + common;
    common = static_cast<std::int32_t>(
        std::mismatch(first.tokens.begin(), end, sequence.tokens.begin()).first -
        first.tokens.begin());
  }
  return common;
}

std::int64_t Tree::input_tokens() const {
  const std::int64_t trunk = trunk_length();
  std::int64_t total = trunk;
  for (const Sequence& sequence : sequences) {
    total += input_length(sequence) - trunk;
  }
  return total;
}

Pack make_pack(const std::vector<const Tree*>& trees) {
  Pack pack;
  pack.tree_response.push_back(0);
  for (std::size_t index = 0; index < trees.size(); ++index) {
    append_tree(pack, *trees[index], static_cast<std::int32_t>(index));
  }
  return pack;
}

}  // namespace lmpo
