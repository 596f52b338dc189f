// Attention over a cache of pages.
#include <algorithm>
#include <numeric>

#include "base/threads.h"
#include "ops/reference/attention.h"
#include "ops/testing/heads.h"
#include "ops/testing/ops_test.h"

namespace lmpo::testing::paged_attention_test {
namespace {

// A sequence whose tokens come in runs.
struct Sequence {
  std::vector<std::int64_t> runs;  // lengths
  Filled qkv;                      // of all tokens

  std::int64_t tokens() const { return std::accumulate(runs.begin(), runs.end(), std::int64_t{}); }
};

class PagedAttentionTest : public OpsTest {
 protected:
  void TearDown() override { set_threads(available_threads()); }

  Sequence sequence(const std::vector<std::int64_t>& runs, const AttentionShape& shape) {
    Sequence result{runs, {}};
    result.qkv = random(compute(), {result.tokens(), shape.qkv_width()}, 1.5);
    return result;
  }

  // Step by step the next run of every sequence that has one, over pages in a shuffled order.
  // The results of each sequence's tokens, [tokens, H*E].
  std::vector<std::vector<double>> attend(const std::vector<Sequence>& sequences,
                                          const AttentionShape& shape, std::int64_t slots,
                                          std::uint64_t shuffle = 1) {
    std::int64_t width = 0;
    for (const Sequence& sequence : sequences) {
      width = std::max(width, (sequence.tokens() + slots - 1) / slots);
    }
    const auto count = static_cast<std::int64_t>(sequences.size());
    std::vector<std::int32_t> pages(static_cast<std::size_t>(count * width));
    std::iota(pages.begin(), pages.end(), 0);
    Random random(shuffle, 0);
    for (std::size_t i = pages.size(); i > 1; --i) {
      std::swap(pages[i - 1], pages[random.below(i)]);
    }
    const Tensor cache_k = poisoned(compute(), {count * width, slots, shape.key_width()});
    const Tensor cache_v = poisoned(compute(), {count * width, slots, shape.key_width()});
    std::vector<std::int64_t> lengths(sequences.size());
    std::vector<std::vector<double>> results(sequences.size());
    for (std::size_t step = 0;; ++step) {
      std::vector<std::int32_t> begins{0};
      std::vector<std::int32_t> of_step;  // lengths
      std::vector<std::int32_t> table;
      std::vector<std::int32_t> places;
      std::vector<double> rows;
      std::vector<std::size_t> who;
      for (std::size_t s = 0; s < sequences.size(); ++s) {
        if (step >= sequences[s].runs.size()) {
          continue;
        }
        who.push_back(s);
        const std::int64_t run = sequences[s].runs[step];
        const auto* own = pages.data() + static_cast<std::int64_t>(s) * width;
        for (std::int64_t i = 0; i < run; ++i) {
          const std::int64_t position = lengths[s] + i;
          places.push_back(
              static_cast<std::int32_t>(own[position / slots] * slots + position % slots));
        }
        const auto first = sequences[s].qkv.values.begin() + lengths[s] * shape.qkv_width();
        rows.insert(rows.end(), first, first + run * shape.qkv_width());
        lengths[s] += run;
        begins.push_back(begins.back() + static_cast<std::int32_t>(run));
        of_step.push_back(static_cast<std::int32_t>(lengths[s]));
        // Pages that no row sees may be anything.
        for (std::int64_t page = 0; page < width; ++page) {
          const std::int64_t oldest =
              shape.window == 0 ? 0
                                : std::max<std::int64_t>(0, lengths[s] - run + 1 - shape.window);
          const bool seen = page * slots < lengths[s] && (page + 1) * slots > oldest;
          table.push_back(seen ? own[page] : -7);
        }
      }
      if (who.empty()) {
        return results;
      }
      const Filled qkv = filled(compute(), {begins.back(), shape.qkv_width()}, rows);
      ops().run(StorePages{.cache_k = cache_k,
                           .cache_v = cache_v,
                           .qkv = qkv.tensor,
                           .slots = indices(places),
                           .shape = shape});
      const Tensor out = poisoned(compute(), {begins.back(), shape.out_width()});
      ops().run(AttentionPaged{
          .out = out,
          .qkv = qkv.tensor,
          .cache_k = cache_k,
          .cache_v = cache_v,
          .begins = indices(begins),
          .lengths = indices(of_step),
          .pages = indices(table).reshaped({static_cast<std::int64_t>(who.size()), width}),
          .shape = shape});
      const std::vector<double> values = read(out);
      for (std::size_t i = 0; i < who.size(); ++i) {
        std::vector<double>& result = results[who[i]];
        result.insert(result.end(), values.begin() + begins[i] * shape.out_width(),
                      values.begin() + begins[i + 1] * shape.out_width());
      }
    }
  }

  static std::vector<double> expected(const Sequence& sequence, const AttentionShape& shape) {
    std::vector<std::int32_t> positions(static_cast<std::size_t>(sequence.tokens()));
    std::iota(positions.begin(), positions.end(), 0);
    const std::vector<Pack::Segment> whole{{0, static_cast<std::int32_t>(sequence.tokens()), 0, 0}};
    return reference::attention(sequence.qkv.values, positions, whole, shape).out;
  }
};
INSTANTIATE_TEST_SUITE_P(Devices, PagedAttentionTest, ::testing::ValuesIn(every_device()),
                         case_name);

// Most with few heads, since an emulated GPU is slow.
std::vector<AttentionShape> paged_shapes(bool on_cpu) {
  std::vector<AttentionShape> shapes{heads(1, 1, 2),
                                     heads(4, 2, 8, 1),
                                     heads(8, 2, 16, 5),
                                     heads(4, 4, 10, 33),
                                     heads(9, 3, 64),
                                     heads(4, 4, 80, 50),
                                     heads(2, 1, 96, 0, 20.0F),
                                     heads(7, 1, 128, 40),
                                     heads(2, 2, 256, 0, 1.5F),
                                     heads(8, 2, 16, 64, 2.0F)};
  if (on_cpu) {
    shapes.push_back(heads(130, 1, 4));  // more of a group than a block has rows
  }
  return shapes;
}

TEST_P(PagedAttentionTest, EqualsAttentionOverWholeSequences) {
  for (const AttentionShape& shape : paged_shapes(reads_indices())) {
    for (const std::int64_t slots : {3, 16, 64}) {
      SCOPED_TRACE(::testing::Message() << shape.query_heads << " heads of " << shape.head_size
                                        << ", window " << shape.window << ", pages of " << slots);
      const std::vector<Sequence> sequences{sequence({40, 1, 1, 7}, shape), sequence({1, 3}, shape),
                                            sequence({70}, shape)};
      const auto results = attend(sequences, shape, slots);
      for (std::size_t s = 0; s < sequences.size(); ++s) {
        expect_close(results[s], expected(sequences[s], shape), tolerance(compute()));
      }
    }
  }
}

// Whatever else is computed, wherever the pages lie and however many tokens come at once.
TEST_P(PagedAttentionTest, ARowsBitsDependOnItsSequenceAlone) {
  for (const AttentionShape& shape : paged_shapes(reads_indices())) {
    for (const std::int64_t slots : {10, 32}) {
      SCOPED_TRACE(::testing::Message() << shape.query_heads << " heads of " << shape.head_size
                                        << ", window " << shape.window << ", pages of " << slots);
      const std::int64_t tokens = reads_indices() && shape.head_size < 100 ? 150 : 40;
      Sequence given = sequence({tokens}, shape);
      const std::vector<double> at_once = attend({given}, shape, slots)[0];
      given.runs = std::vector<std::int64_t>(static_cast<std::size_t>(tokens), 1);
      EXPECT_EQ(at_once, attend({given}, shape, slots, 2)[0]);
      for (const int count : reads_indices() ? std::vector<int>{1, 3} : std::vector<int>{1}) {
        set_threads(count);
        given.runs = {5, 1, 1, 17, tokens - 24};
        const std::vector<Sequence> all{sequence({1, 30, 1, 1, 3, 1}, shape), given,
                                        sequence({tokens, 2}, shape)};
        EXPECT_EQ(at_once, attend(all, shape, slots, 3)[1]);
      }
    }
  }
}

// A token that is not a number or infinite is not seen before its time.
TEST_P(PagedAttentionTest, LaterTokensAreNotSeen) {
  const AttentionShape shape = heads(6, 2, 16, 9);
  Sequence given = sequence({40}, shape);
  const std::vector<double> clean = attend({given}, shape, 16)[0];
  std::fill(given.qkv.values.begin() + 20 * shape.qkv_width(),
            given.qkv.values.begin() + 21 * shape.qkv_width(),
            std::numeric_limits<double>::infinity());
  const std::vector<double> spoiled = attend({given}, shape, 16)[0];
  for (std::int64_t i = 0; i < 40 * shape.out_width(); ++i) {
    const auto at = static_cast<std::size_t>(i);
    const std::int64_t token = i / shape.out_width();
    if (token < 20 || token >= 29) {
      ASSERT_EQ(spoiled[at], clean[at]) << "token " << token;
    } else {
      ASSERT_FALSE(std::isfinite(spoiled[at])) << "token " << token;
    }
  }
}

TEST_P(PagedAttentionTest, LargeScoresDoNotOverflow) {
  const AttentionShape shape = heads(2, 1, 8);
  Sequence given = sequence({149}, shape);
  // Queries and keys so large that scores reach 1e7; one key of each query wins.
  given.qkv = random(compute(), {149, shape.qkv_width()}, 3000.0);
  expect_close(attend({given}, shape, 16)[0], expected(given, shape), tolerance(compute()));
}

// Where the device cannot look at indices, what they spoil is NaN and the rest is right.
TEST_P(PagedAttentionTest, WrongIndicesAreRefused) {
  const AttentionShape shape = heads(2, 1, 8);
  const Filled qkv = random(compute(), {3, shape.qkv_width()});
  const Filled cache = random(compute(), {2, 4, shape.key_width()});
  const Tensor out = poisoned(compute(), {3, shape.out_width()});
  const auto run = [&](const std::vector<std::int32_t>& begins,
                       const std::vector<std::int32_t>& lengths,
                       const std::vector<std::int32_t>& pages) {
    ops().run(AttentionPaged{.out = out,
                             .qkv = qkv.tensor,
                             .cache_k = cache.tensor,
                             .cache_v = cache.tensor,
                             .begins = indices(begins),
                             .lengths = indices(lengths),
                             .pages = indices(pages).reshaped({2, 2}),
                             .shape = shape});
  };
  const auto store = [&](const std::vector<std::int32_t>& slots) {
    ops().run(StorePages{.cache_k = cache.tensor,
                         .cache_v = cache.tensor,
                         .qkv = qkv.tensor,
                         .slots = indices(slots),
                         .shape = shape});
  };
  run({0, 1, 3}, {1, 8}, {0, -1, 1, 0});
  for (const double value : read(out)) {
    EXPECT_TRUE(std::isfinite(value));
  }
  struct Wrong {
    std::vector<std::int32_t> begins, lengths, pages;
    std::vector<std::int64_t> rows;  // that it spoils
  };
  for (const Wrong& wrong :
       {Wrong{{0, 1, 3}, {1, 9}, {0, 0, 1, 0}, {2}}, Wrong{{0, 1, 3}, {0, 8}, {0, 0, 1, 0}, {0}},
        Wrong{{0, 1, 3}, {1, 8}, {-1, 0, 1, 0}, {0}},
        Wrong{{0, 1, 3}, {1, 8}, {0, 0, 1, 2}, {1, 2}}, Wrong{{0, 1, 2}, {1, 8}, {0, 0, 1, 0}, {2}},
        Wrong{{1, 1, 3}, {1, 8}, {0, 0, 1, 0}, {0}}}) {
    if (reads_indices()) {
      EXPECT_THROW(run(wrong.begins, wrong.lengths, wrong.pages), std::logic_error);
      continue;
    }
    run(wrong.begins, wrong.lengths, wrong.pages);
    const std::vector<double> values = read(out);
    for (std::int64_t row = 0; row < 3; ++row) {
      const bool spoiled = std::ranges::count(wrong.rows, row) > 0;
      EXPECT_EQ(std::isnan(values[static_cast<std::size_t>(row * shape.out_width())]), spoiled);
    }
  }
  for (const std::int32_t slot : {-1, 8}) {
    if (reads_indices()) {
      EXPECT_THROW(store({0, slot, 1}), std::logic_error);
    } else {
      store({0, slot, 1});
      ops().finish();
    }
  }
}

}  // namespace
}  // namespace lmpo::testing::paged_attention_test
