// How work is cut for a GPU, without one: every query and every pair of a query and a key is
// covered once, and the parts of the head's workspace do not overlap.
#include "ops/cuda/geometry.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

#include "base/error.h"

namespace lmpo::cuda::geometry_test {
namespace {

std::vector<Pack::Segment> some_trees() {
  // A trunk of 150 with two branches, a lone sequence, a trunk of 1 with three branches.
  return {{0, 150, 0, 0},   {150, 220, 0, 150},   {220, 351, 0, 150},   {351, 479, 0, 0},
          {479, 480, 0, 0}, {480, 482, 479, 480}, {482, 546, 479, 480}, {546, 611, 479, 480}};
}

const Pack::Segment& segment_of(const std::vector<Pack::Segment>& segments, std::int32_t row) {
  for (const Pack::Segment& segment : segments) {
    if (row >= segment.begin && row < segment.end) {
      return segment;
    }
  }
  throw std::logic_error("no segment");
}

TEST(AttentionGrid, BlocksOfQueriesCoverEachOnceWithWhatItSees) {
  const auto segments = some_trees();
  for (const std::int32_t size : {16, 64}) {
    const AttentionGrid grid(segments, size);
    std::set<std::int32_t> covered;
    for (const QueryBlock& block : grid.queries) {
      EXPECT_GE(block.count, 1);
      EXPECT_LE(block.count, size);
      for (std::int32_t row = block.begin; row < block.begin + block.count; ++row) {
        EXPECT_TRUE(covered.insert(row).second) << row;
        const Pack::Segment& segment = segment_of(segments, row);
        EXPECT_EQ(block.own_begin, segment.begin);
        EXPECT_EQ(block.context_begin, segment.context_begin);
        EXPECT_EQ(block.context_end, segment.context_end);
      }
    }
    EXPECT_EQ(covered.size(), 611u);
  }
}

// Heads that share a key head fill a block together, where they can.
TEST(AttentionGrid, BlocksHoldAllHeadsOfAKey) {
  EXPECT_EQ(queries_in_block(32, 8), 16);
  EXPECT_EQ(queries_in_block(32, 32), 64);
  EXPECT_EQ(queries_in_block(64, 1), 1);
  EXPECT_EQ(queries_in_block(12, 4), 64);   // three heads do not divide 64
  EXPECT_EQ(queries_in_block(128, 1), 64);  // nor do more than 64
}

TEST(AttentionGrid, BlocksOfKeysMeetEveryQueryThatSeesThemOnce) {
  const auto segments = some_trees();
  const AttentionGrid grid(segments, kAttentionBlock);
  std::map<std::pair<std::int32_t, std::int32_t>, int> seen;  // query and key
  std::set<std::int32_t> covered;
  for (const KeyBlock& block : grid.keys) {
    for (std::int32_t key = block.begin; key < block.begin + block.count; ++key) {
      EXPECT_TRUE(covered.insert(key).second) << key;
      for (std::int32_t r = block.first_run; r < block.last_run; ++r) {
        const QueryRun& run = grid.runs[static_cast<std::size_t>(r)];
        for (std::int32_t query = run.begin; query < run.end; ++query) {
          const bool in_context = key >= run.context_begin && key < run.context_end;
          if (in_context || (key >= run.own_begin && key <= query)) {
            ++seen[{query, key}];
          }
        }
      }
    }
  }
  EXPECT_EQ(covered.size(), 611u);
  std::size_t pairs = 0;
  for (std::int32_t query = 0; query < 611; ++query) {
    const Pack::Segment& segment = segment_of(segments, query);
    for (std::int32_t key = 0; key <= query; ++key) {
      const bool sees =
          key >= segment.begin || (key >= segment.context_begin && key < segment.context_end);
      if (sees) {
        ++pairs;
        EXPECT_EQ((seen[{query, key}]), 1) << query << " " << key;
      }
    }
  }
  EXPECT_EQ(seen.size(), pairs);
}

// The last blocks to run are short ones.
TEST(AttentionGrid, LongBlocksComeFirst) {
  const AttentionGrid grid(some_trees(), kAttentionBlock);
  const auto work = [](const QueryBlock& block) {
    return block.context_end - block.context_begin + block.begin + block.count - block.own_begin;
  };
  for (std::size_t i = 1; i < grid.queries.size(); ++i) {
    EXPECT_GE(work(grid.queries[i - 1]), work(grid.queries[i]));
  }
}

TEST(HeadWorkspace, PartsDoNotOverlapAndAreAligned) {
  for (const Dtype compute : {Dtype::f32, Dtype::bf16}) {
    for (const Dtype storage : {Dtype::f32, Dtype::bf16, Dtype::f16}) {
      for (const auto& [rows, width, vocabulary] :
           {std::array<std::int64_t, 3>{1, 3, 5}, {300, 40, 2049}, {9000, 64, 128256}}) {
        const HeadWorkspace sizes(rows, width, vocabulary, compute, storage);
        const bool rounds = compute == Dtype::bf16;
        const auto floats = [](std::int64_t count, Dtype dtype) {
          return (count * static_cast<std::int64_t>(dtype_size(dtype)) + 3) / 4;
        };
        std::int64_t end = sizes.logits + sizes.chunk * sizes.tile;
        const auto expect_next = [&](std::int64_t begin, std::int64_t size) {
          EXPECT_GE(begin, end);
          EXPECT_EQ(begin % 64, 0);
          end = begin + size;
        };
        expect_next(sizes.sums, rows);
        if (rounds) {
          expect_next(sizes.gradients, floats(sizes.chunk * sizes.tile, compute));
          expect_next(sizes.dhidden, sizes.chunk * width);
        } else {
          EXPECT_EQ(sizes.gradients, sizes.logits);
        }
        if (storage != compute) {
          expect_next(sizes.weights, floats(sizes.tile * width, compute));
        }
        EXPECT_GE(sizes.total, end);
        EXPECT_LE(sizes.chunk, kHeadRows);
        EXPECT_LE(sizes.tile, kHeadTokens);
      }
    }
  }
}

TEST(Limits, ModelsThatAreTooLargeAreNamed) {
  const auto message = [](std::int64_t hidden, std::int64_t heads, std::int64_t size) {
    try {
      require_sizes(hidden, heads, size);
    } catch (const UserError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_EQ(message(kLargestNorm, kMostHeads, kLargestHead), "");
  EXPECT_NE(message(kLargestNorm + 1, 1, 64).find("takes all heads, is 8193"), std::string::npos);
  EXPECT_NE(message(512, 1, 514).find("at most 512"), std::string::npos);
  EXPECT_NE(message(8192, 65536, 2).find("num_attention_heads is 65536"), std::string::npos);
}

TEST(Limits, PacksWithMoreBranchesThanTheTablesHoldAreRefused) {
  const auto tree = [](std::int32_t branches) {
    constexpr std::int32_t kTrunk = 64 * 1000;  // a thousand blocks of keys, seen by every branch
    std::vector<Pack::Segment> segments{{0, kTrunk, 0, 0}};
    for (std::int32_t i = 0; i < branches; ++i) {
      segments.push_back({kTrunk + i, kTrunk + i + 1, 0, kTrunk});
    }
    return segments;
  };
  EXPECT_NO_THROW(require_tables(tree(100), 8, 2));
  EXPECT_THROW(require_tables(tree(1000), 8, 2), UserError);
  const AttentionGrid grid(tree(100), 64);
  EXPECT_GE(grid.bytes(), 1000 * 101 * sizeof(QueryRun));
}

TEST(NormGroups, FitTheScratch) {
  for (const std::int64_t width : {std::int64_t{1}, std::int64_t{4096}, kLargestNorm}) {
    for (const std::int64_t rows : {1, 50, 100000}) {
      const std::int64_t groups = row_groups(rows, width);
      EXPECT_GE(groups, 1);
      EXPECT_LE(groups, rows);
      EXPECT_LE(groups * width * 4, static_cast<std::int64_t>(kScratchBytes));
    }
  }
}

}  // namespace
}  // namespace lmpo::cuda::geometry_test
