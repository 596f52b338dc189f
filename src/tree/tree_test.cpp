#include "tree/tree.h"

#include <gtest/gtest.h>

#include <set>

#include "base/random.h"

namespace lmpo::tree_test {
namespace {

// What a pack says about one sequence: its inputs by position and its scored tokens by position.
struct Seen {
  std::vector<std::int32_t> inputs;
  std::vector<std::int32_t> targets;
};

// Walks the pack as attention and the head do, and rebuilds what each response sees.
Seen rebuild(const Pack& pack, std::int32_t response, std::int32_t last_row_segment) {
  Seen seen;
  const Pack::Segment& run = pack.segments[static_cast<std::size_t>(last_row_segment)];
  for (std::int32_t t = run.context_begin; t < run.context_end; ++t) {
    seen.inputs.push_back(pack.tokens[static_cast<std::size_t>(t)]);
  }
  for (std::int32_t t = run.begin; t < run.end; ++t) {
    seen.inputs.push_back(pack.tokens[static_cast<std::size_t>(t)]);
  }
  for (std::size_t m = 0; m < pack.target_row.size(); ++m) {
    if (pack.target_response[m] == response) {
      seen.targets.push_back(pack.target_token[m]);
    }
  }
  return seen;
}

std::int32_t segment_of(const Pack& pack, std::int32_t row) {
  for (std::size_t s = 0; s < pack.segments.size(); ++s) {
    if (row >= pack.segments[s].begin && row < pack.segments[s].end) {
      return static_cast<std::int32_t>(s);
    }
  }
  return -1;
}

// The invariants of tree.h, for every pack.
void check_invariants(const Pack& pack) {
  std::int32_t next = 0;
  for (const auto& segment : pack.segments) {
    EXPECT_EQ(segment.begin, next);
    EXPECT_LT(segment.begin, segment.end);
    EXPECT_LE(segment.context_end, segment.begin);
    next = segment.end;
  }
  EXPECT_EQ(next, pack.input_count());
  for (std::size_t n = 1; n < pack.head_rows.size(); ++n) {
    EXPECT_LT(pack.head_rows[n - 1], pack.head_rows[n]);
  }
  std::set<std::int32_t> used(pack.target_row.begin(), pack.target_row.end());
  EXPECT_EQ(static_cast<std::int64_t>(used.size()), pack.row_count());
  for (std::size_t m = 1; m < pack.target_row.size(); ++m) {
    EXPECT_LE(pack.target_row[m - 1], pack.target_row[m]);
  }
}

TEST(Tree, PairSharesItsPrompt) {
  // prompt 1 2 3, chosen 4 5, rejected 6 7 8
  const Tree tree{{{{1, 2, 3, 4, 5}, 3}, {{1, 2, 3, 6, 7, 8}, 3}}, 0};
  EXPECT_EQ(tree.trunk_length(), 3);
  EXPECT_EQ(tree.input_tokens(), 3 + 1 + 2);
  const Pack pack = make_pack({&tree});
  check_invariants(pack);
  EXPECT_EQ(pack.tokens, (std::vector<std::int32_t>{1, 2, 3, 4, 6, 7}));
  EXPECT_EQ(pack.positions, (std::vector<std::int32_t>{0, 1, 2, 3, 3, 4}));
  EXPECT_EQ(pack.head_rows, (std::vector<std::int32_t>{2, 3, 4, 5}));
  // Row 2, the prompt's last token, predicts the first token of both responses.
  EXPECT_EQ(pack.target_row, (std::vector<std::int32_t>{0, 0, 1, 2, 3}));
  EXPECT_EQ(pack.target_token, (std::vector<std::int32_t>{4, 6, 5, 7, 8}));
  EXPECT_EQ(pack.target_response, (std::vector<std::int32_t>{0, 1, 0, 1, 1}));
}

TEST(Tree, CommonBeginningOfResponsesIsShared) {
  const Tree tree{{{{1, 2, 9, 4, 5}, 2}, {{1, 2, 9, 6}, 2}}, 0};
  EXPECT_EQ(tree.trunk_length(), 3);
  const Pack pack = make_pack({&tree});
  check_invariants(pack);
  EXPECT_EQ(pack.input_count(), 4);  // 1 2 9 | 4 | nothing: the last token 6 is never an input
  EXPECT_EQ(pack.target_count(), 5);
  EXPECT_EQ(pack.row_count(), 3);  // 9 is predicted once for both
}

TEST(Tree, IdenticalResponsesAndOneTokenResponses) {
  const Tree same{{{{1, 2, 3}, 1}, {{1, 2, 3}, 1}}, 0};
  const Tree tiny{{{{1, 2}, 1}}, 1};
  const Pack pack = make_pack({&same, &tiny});
  check_invariants(pack);
  EXPECT_EQ(pack.input_count(), 2 + 1);
  EXPECT_EQ(pack.target_count(), 4 + 1);
  EXPECT_EQ(pack.tree_response, (std::vector<std::int64_t>{0, 2, 3}));
}

TEST(Tree, RandomTreesKeepEverySequence) {
  Random random(7, 0);
  for (int trial = 0; trial < 300; ++trial) {
    std::vector<Tree> trees(1 + random.below(4));
    std::vector<const Tree*> pointers;
    for (Tree& tree : trees) {
      std::vector<std::int32_t> prompt(1 + random.below(6));
      for (auto& token : prompt) {
        token = static_cast<std::int32_t>(random.below(3));
      }
      tree.sequences.resize(1 + random.below(4));
      for (Sequence& sequence : tree.sequences) {
        std::vector<std::int32_t> tokens = prompt;
        const std::uint64_t length = 1 + random.below(6);
        for (std::uint64_t i = 0; i < length; ++i) {
          tokens.push_back(static_cast<std::int32_t>(random.below(3)));
        }
        sequence = {tokens, static_cast<std::int32_t>(prompt.size())};
      }
      pointers.push_back(&tree);
    }
    const Pack pack = make_pack(pointers);
    check_invariants(pack);
    std::int32_t response = 0;
    for (const Tree& tree : trees) {
      for (const Sequence& sequence : tree.sequences) {
        // The row that predicts this response's last token ends what the response sees.
        std::int32_t last_row = -1;
        for (std::size_t m = 0; m < pack.target_row.size(); ++m) {
          if (pack.target_response[m] == response) {
            last_row = pack.head_rows[static_cast<std::size_t>(pack.target_row[m])];
          }
        }
        Seen seen = rebuild(pack, response, segment_of(pack, last_row));
        const std::size_t inputs = sequence.tokens.size() - 1;
        ASSERT_GE(seen.inputs.size(), inputs);
        seen.inputs.resize(inputs);  // in a trunk, what follows the last row is another's
        EXPECT_TRUE(std::equal(seen.inputs.begin(), seen.inputs.end(), sequence.tokens.begin()));
        EXPECT_TRUE(std::equal(seen.targets.begin(), seen.targets.end(),
                               sequence.tokens.begin() + sequence.scored_begin,
                               sequence.tokens.end()));
        ++response;
      }
    }
    EXPECT_EQ(response, pack.response_count());
  }
}

TEST(Sequence, GapsAreNotScored) {
  const Sequence sequence{{10, 11, 12, 13, 14, 15, 16}, 2, {{3, 5}}};
  EXPECT_TRUE(sequence.is_valid());
  EXPECT_EQ(sequence.scored_tokens(), 3);
  EXPECT_EQ(sequence.scored_runs(), (std::vector<TokenRun>{{2, 3}, {5, 7}}));
  const Tree tree{.sequences = {sequence}};
  const Pack pack = make_pack({&tree});
  EXPECT_EQ(pack.tokens, (std::vector<std::int32_t>{10, 11, 12, 13, 14, 15}));
  EXPECT_EQ(pack.target_token, (std::vector<std::int32_t>{12, 15, 16}));
  EXPECT_EQ(pack.head_rows, (std::vector<std::int32_t>{1, 4, 5}));
  EXPECT_EQ(pack.target_row, (std::vector<std::int32_t>{0, 1, 2}));
}

TEST(Sequence, GapsStandBetweenScoredTokens) {
  const auto valid = [](std::int32_t scored_begin, std::vector<TokenRun> gaps) {
    return Sequence{{0, 1, 2, 3, 4, 5}, scored_begin, std::move(gaps)}.is_valid();
  };
  EXPECT_TRUE(valid(1, {}));
  EXPECT_TRUE(valid(1, {{2, 3}, {4, 5}}));
  EXPECT_FALSE(valid(0, {}));
  EXPECT_FALSE(valid(6, {}));
  EXPECT_FALSE(valid(1, {{1, 2}}));          // at the beginning
  EXPECT_FALSE(valid(1, {{4, 6}}));          // at the end
  EXPECT_FALSE(valid(1, {{3, 3}}));          // empty
  EXPECT_FALSE(valid(1, {{2, 3}, {3, 4}}));  // not apart
  EXPECT_FALSE(valid(1, {{4, 5}, {2, 3}}));  // not in order
}

}  // namespace
}  // namespace lmpo::tree_test
