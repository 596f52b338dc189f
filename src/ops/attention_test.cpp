#include "ops/reference/attention.h"

#include "ops/testing/heads.h"
#include "ops/testing/ops_test.h"

namespace lmpo::testing::attention_test {
namespace {

// Lengths of a trunk and its branches; 0 is a run that is not there.
using TreeLengths = std::vector<std::int32_t>;

struct Layout {
  std::vector<std::int32_t> positions;
  std::vector<Pack::Segment> segments;

  std::int64_t tokens() const { return static_cast<std::int64_t>(positions.size()); }
  void append(std::int32_t length, std::int32_t position, std::int32_t context_begin,
              std::int32_t context_end) {
    const auto begin = static_cast<std::int32_t>(positions.size());
    for (std::int32_t i = 0; i < length; ++i) {
      positions.push_back(position + i);
    }
    if (length > 0) {
      segments.push_back({begin, begin + length, context_begin, context_end});
    }
  }
};

Layout lay_out(const std::vector<TreeLengths>& trees) {
  Layout layout;
  for (const TreeLengths& tree : trees) {
    const auto trunk_begin = static_cast<std::int32_t>(layout.positions.size());
    const std::int32_t trunk = tree.front();
    layout.append(trunk, 0, 0, 0);
    for (std::size_t branch = 1; branch < tree.size(); ++branch) {
      layout.append(tree[branch], trunk, trunk_begin, trunk_begin + trunk);
    }
  }
  return layout;
}

struct AttentionCase {
  std::vector<TreeLengths> trees;
  AttentionShape shape;
};

const std::vector<AttentionCase>& attention_cases() {
  static const std::vector<AttentionCase> cases{
      {{{1}}, heads(1, 1, 2)},
      {{{1}}, heads(4, 2, 8, 1)},
      {{{5}}, heads(2, 1, 8)},
      {{{3, 4, 2}}, heads(4, 2, 8)},
      {{{3, 4, 2}}, heads(4, 2, 8, 2)},
      {{{3, 4, 2}}, heads(4, 1, 8, 1000)},
      {{{7, 1, 5, 3, 9, 2, 4}}, heads(4, 1, 16)},
      {{{10, 0, 3}, {0, 4, 5}, {6}, {1, 1}, {0, 1}}, heads(2, 2, 10)},
      {{{10, 0, 3}, {0, 4, 5}, {6}, {1, 1}, {0, 1}}, heads(2, 2, 10, 4)},
      {{{150, 70, 131}}, heads(2, 1, 16)},
      {{{150, 70, 131}}, heads(2, 1, 16, 1)},
      {{{150, 70, 131}, {20, 80}}, heads(2, 1, 8, 65)},
      {{{65, 64, 129}, {128}}, heads(4, 4, 8, 130)},
      {{{193}}, heads(2, 1, 128)},
      {{{30, 10, 12}}, heads(8, 2, 64, 16)},
      // Blocks of 64 rows: one short of, exactly and one beyond.
      {{{63, 64, 65}, {0, 64, 1}, {128}}, heads(2, 1, 64)},
      {{{130, 70, 3}, {20, 80}}, heads(4, 1, 64, 65)},
      {{{65, 64, 31}, {1, 1}}, heads(2, 2, 128, 40)},
      {{{70, 33, 0, 40}}, heads(4, 2, 128)},
      // Scores that are capped, at sizes that the tensor cores take and others.
      {{{3, 4, 2}}, heads(4, 2, 8, 0, 2.0F)},
      {{{150, 70, 131}}, heads(2, 1, 16, 65, 0.5F)},
      {{{65, 64, 31}}, heads(4, 2, 64, 0, 1.5F)},
      {{{65, 20}}, heads(2, 2, 128, 40, 30.0F)},
      {{{65, 64, 31}},
       {.query_heads = 4, .key_heads = 2, .head_size = 64, .scale = 0.07F, .window = 50}},
      // Every other size that the tensor cores take, with windows and caps.
      {{{65, 64, 31}, {1, 1}}, heads(4, 2, 80, 40)},
      {{{70, 33, 0, 40}}, heads(2, 2, 80, 0, 1.5F)},
      {{{65, 64, 31}, {1, 1}}, heads(4, 2, 96, 40)},
      {{{70, 33, 0, 40}}, heads(2, 2, 96, 33, 1.5F)},
      {{{33, 32, 31}, {1, 1}}, heads(4, 2, 256, 40)},
      {{{65, 64, 3}, {40}}, heads(2, 1, 256)},
      {{{65, 64, 3}, {40}}, heads(2, 2, 256, 30, 1.5F)},
      // More heads share a key head than a block has rows; few tokens keep the reference quick.
      {{{3, 2, 1}}, heads(128, 1, 4)},
      {{{3, 2, 1}}, heads(129, 1, 4)},
      {{{3, 2, 1}}, heads(320, 2, 2, 2)},
      {{{3, 2, 1}}, heads(256, 1, 64)},
  };
  return cases;
}

class AttentionTest : public OpsTest {
 protected:
  static std::int64_t width(const AttentionShape& shape) {
    return (shape.query_heads + 2 * shape.key_heads) * shape.head_size;
  }
  static std::int64_t out_width(const AttentionShape& shape) {
    return shape.query_heads * shape.head_size;
  }
  struct Run {
    Tensor out;
    Tensor lse;
  };
  Run forward(const Filled& qkv, const Layout& layout, const AttentionShape& shape) {
    const Run run{poisoned(compute(), {layout.tokens(), out_width(shape)}),
                  poisoned(Dtype::f32, {shape.query_heads, layout.tokens()})};
    ops().run(AttentionForward{.out = run.out,
                               .lse = run.lse,
                               .qkv = qkv.tensor,
                               .positions = indices(layout.positions),
                               .segments = layout.segments,
                               .shape = shape});
    return run;
  }
  Tensor backward(const Filled& dout, const Run& run, const Filled& qkv, const Layout& layout,
                  const AttentionShape& shape) {
    const Tensor dqkv = poisoned(compute(), {layout.tokens(), width(shape)});
    const Tensor scratch = poisoned(Dtype::f32, {shape.query_heads, layout.tokens()});
    ops().run(AttentionBackward{.dqkv = dqkv,
                                .dout = dout.tensor,
                                .out = run.out,
                                .lse = run.lse,
                                .qkv = qkv.tensor,
                                .positions = indices(layout.positions),
                                .segments = layout.segments,
                                .shape = shape,
                                .scratch = scratch});
    return dqkv;
  }

  // The cases of this head size; 0: of all sizes that the tensor cores do not take.
  void expect_forward_and_backward(std::int64_t head_size) {
    for (std::size_t i = 0; i < attention_cases().size(); ++i) {
      const std::int64_t size = attention_cases()[i].shape.head_size;
      const bool fast = size == 64 || size == 80 || size == 96 || size == 128 || size == 256;
      if (head_size == (fast ? size : 0)) {
        SCOPED_TRACE(::testing::Message() << "case " << i);
        expect_forward_and_backward(attention_cases()[i]);
      }
    }
  }
  void expect_forward_and_backward(const AttentionCase& given) {
    const AttentionShape& shape = given.shape;
    const Layout layout = lay_out(given.trees);
    const Filled qkv = random(compute(), {layout.tokens(), width(shape)}, 1.5);
    const Run run = forward(qkv, layout, shape);
    const auto expected =
        reference::attention(qkv.values, layout.positions, layout.segments, shape);
    expect_close(run.out, expected.out);
    expect_close(run.lse, expected.lse);

    const Filled dout = random(compute(), {layout.tokens(), out_width(shape)});
    const Tensor dqkv = backward(dout, run, qkv, layout, shape);
    expect_gradient(
        dqkv, qkv.values, dout.values,
        [&](const std::vector<Complex>& point) {
          return reference::attention(point, layout.positions, layout.segments, shape).out;
        },
        {}, layout.tokens() > 100 ? 4 : 12);
  }
};
INSTANTIATE_TEST_SUITE_P(Devices, AttentionTest, ::testing::ValuesIn(every_device()), case_name);

// A test for each size: the emulated GPU is slow.
TEST_P(AttentionTest, ForwardAndBackwardOverTrees) {
  expect_forward_and_backward(0);
}
TEST_P(AttentionTest, ForwardAndBackwardWithHeadsOf64) {
  expect_forward_and_backward(64);
}
TEST_P(AttentionTest, ForwardAndBackwardWithHeadsOf80) {
  expect_forward_and_backward(80);
}
TEST_P(AttentionTest, ForwardAndBackwardWithHeadsOf96) {
  expect_forward_and_backward(96);
}
TEST_P(AttentionTest, ForwardAndBackwardWithHeadsOf128) {
  expect_forward_and_backward(128);
}
TEST_P(AttentionTest, ForwardAndBackwardWithHeadsOf256) {
  expect_forward_and_backward(256);
}

// A branch computed beside others equals the same sequence alone: trees are only a way to save.
TEST_P(AttentionTest, BranchEqualsItsSequenceAlone) {
  const AttentionShape shape = heads(4, 2, 16);
  const Layout tree = lay_out({{70, 20, 45}});
  const Filled qkv = random(compute(), {tree.tokens(), width(shape)});
  const Run together = forward(qkv, tree, shape);
  const auto row = static_cast<std::ptrdiff_t>(width(shape));
  std::vector<double> sequence(qkv.values.begin(), qkv.values.begin() + 70 * row);
  sequence.insert(sequence.end(), qkv.values.begin() + 90 * row, qkv.values.end());
  const Layout line = lay_out({{115}});
  const Run alone = forward(filled(compute(), {115, width(shape)}, sequence), line, shape);
  const std::vector<double> branch = read(together.out.rows(90, 135));
  expect_close(alone.out.rows(70, 115), branch);
}

TEST_P(AttentionTest, LargeScoresDoNotOverflow) {
  const AttentionShape shape = heads(2, 1, 8);
  const Layout layout = lay_out({{140, 9}});
  // Queries and keys so large that scores reach 1e7; one key of each query wins.
  const Filled qkv = random(compute(), {layout.tokens(), width(shape)}, 3000.0);
  const Run run = forward(qkv, layout, shape);
  const auto expected = reference::attention(qkv.values, layout.positions, layout.segments, shape);
  expect_close(run.out, expected.out);
  expect_close(run.lse, expected.lse);
  const Filled dout = random(compute(), {layout.tokens(), out_width(shape)});
  for (const double value : read(backward(dout, run, qkv, layout, shape))) {
    ASSERT_TRUE(std::isfinite(value));
  }
}

TEST_P(AttentionTest, NotANumberIsNotHidden) {
  const AttentionShape shape = heads(1, 1, 4);
  const Layout layout = lay_out({{6}});
  Filled qkv = random(compute(), {6, 12});
  qkv.values[3 * 12] = std::numeric_limits<double>::quiet_NaN();
  const std::vector<double> out =
      read(forward(filled(compute(), {6, 12}, qkv.values), layout, shape).out);
  EXPECT_TRUE(std::isfinite(out[2 * 4]));
  EXPECT_TRUE(std::isnan(out[3 * 4]));
}

TEST_P(AttentionTest, RopeTurnsAndTurnsBack) {
  struct Case {
    AttentionShape shape;
    std::int64_t turned;  // columns of a head
    bool scales_queries;
  };
  const Case cases[] = {{heads(1, 1, 2), 2, false},     {heads(4, 2, 8), 8, false},
                        {heads(2, 1, 130), 130, false}, {heads(4, 2, 8), 8, true},
                        {heads(2, 2, 128), 96, false},  {heads(4, 1, 12), 6, true},
                        {heads(2, 1, 64), 16, true}};
  for (const auto& [shape, turned, scales_queries] : cases) {
    SCOPED_TRACE(::testing::Message() << shape.head_size << " columns, turned " << turned);
    const std::vector<std::int32_t> positions{0, 1, 2, 19, 1, 7};
    std::vector<double> angles(static_cast<std::size_t>(20 * turned));
    const std::int64_t half_size = turned / 2;
    const auto half = static_cast<double>(half_size);
    for (std::size_t i = 0; i < angles.size(); ++i) {
      const auto column = static_cast<std::int64_t>(i) % turned;
      const double angle = 0.37 * static_cast<double>(i + 1);
      angles[i] = column < half_size ? std::cos(angle) : std::sin(angle - 0.37 * half);
    }
    const Filled cos_sin = filled(Dtype::f32, {20, turned}, angles);
    const Filled scale = scales_queries ? random(Dtype::f32, {20}) : Filled{};
    const Filled qkv = random(compute(), {6, width(shape)});
    const auto turn = [&, &shape = shape, turned = turned](const auto& point) {
      return reference::rope(point, cos_sin.values, positions, shape, turned, scale.values);
    };
    ops().run(RopeForward{.qkv = qkv.tensor,
                          .cos_sin = cos_sin.tensor,
                          .positions = indices(positions),
                          .shape = shape,
                          .query_scale = scale.tensor});
    expect_close(qkv.tensor, turn(qkv.values));

    const Filled seed = random(compute(), {6, width(shape)});
    ops().run(RopeBackward{.dqkv = seed.tensor,
                           .cos_sin = cos_sin.tensor,
                           .positions = indices(positions),
                           .shape = shape,
                           .query_scale = scale.tensor});
    expect_gradient(seed.tensor, qkv.values, seed.values,
                    [&](const std::vector<Complex>& point) { return turn(point); });
  }
}

TEST_P(AttentionTest, RefusesSegmentsThatDoNotCoverThePack) {
  const AttentionShape shape = heads(1, 1, 4);
  Layout layout = lay_out({{3, 2}});
  const Filled qkv = random(compute(), {5, 12});
  layout.segments.pop_back();
  EXPECT_THROW(forward(qkv, layout, shape), std::logic_error);
  layout.segments.push_back({3, 5, 0, 4});
  EXPECT_THROW(forward(qkv, layout, shape), std::logic_error);
}

}  // namespace
}  // namespace lmpo::testing::attention_test
