#include "ops/reference/head.h"

#include <algorithm>

#include "ops/testing/ops_test.h"

namespace lmpo::testing::head_test {
namespace {

struct Targets {
  std::vector<std::int32_t> row;
  std::vector<std::int32_t> token;

  std::int64_t count() const { return static_cast<std::int64_t>(row.size()); }
};

class HeadTest : public OpsTest {
 protected:
  struct Run {
    Tensor logp;
    Tensor lse;
  };

  Tensor workspace(const Filled& hidden, const Filled& w) {
    return poisoned(Dtype::f32, {ops().head_workspace(hidden.tensor.dim(0), hidden.tensor.dim(1),
                                                      w.tensor.dim(0), w.tensor.dtype())});
  }
  Run forward(const Filled& hidden, const Filled& w, const Targets& targets,
              const LogitShape& shape = {}) {
    const Run run{poisoned(Dtype::f32, {targets.count()}),
                  poisoned(Dtype::f32, {hidden.tensor.dim(0)})};
    ops().run(HeadForward{.logp = run.logp,
                          .lse = run.lse,
                          .hidden = hidden.tensor,
                          .w = w.tensor,
                          .target_row = indices(targets.row),
                          .target_token = indices(targets.token),
                          .workspace = workspace(hidden, w),
                          .shape = shape});
    return run;
  }
  // A few rows predict nothing, a few predict several tokens.
  Targets random_targets(std::int64_t rows, std::int64_t vocabulary) {
    Targets targets;
    for (std::int32_t n = 0; n < rows; ++n) {
      for (std::int32_t i = rows == 1 ? 1 : below(4); i > 0; --i) {
        targets.row.push_back(n);
        targets.token.push_back(below(vocabulary));
      }
    }
    return targets;
  }
};
INSTANTIATE_TEST_SUITE_P(Devices, HeadTest, ::testing::ValuesIn(every_storage()), case_name);

TEST_P(HeadTest, ForwardAndBackward) {
  struct Case {
    std::int64_t rows;
    std::int64_t width;
    std::int64_t vocabulary;
    LogitShape shape = {};
  };
  const Case cases[] = {{1, 4, 1},
                        {1, 4, 5},
                        {3, 8, 2048},
                        {5, 40, 2049},
                        {300, 3, 2100},
                        {5, 8, 2049, {.scale = 0.25F}},
                        {1, 4, 5, {.softcap = 2.0F}},
                        {5, 8, 2049, {.scale = 3.0F, .softcap = 4.0F}}};
  for (const auto& [rows, width, vocabulary, shape] : cases) {
    SCOPED_TRACE(::testing::Message() << rows << " x " << width << " x " << vocabulary << ", scale "
                                      << shape.scale << ", capped at " << shape.softcap);
    const Targets targets = random_targets(rows, vocabulary);
    const Filled hidden = random(compute(), {rows, width});
    const Filled w = random(storage(), {vocabulary, width});
    const Run run = forward(hidden, w, targets, shape);
    const auto expected = reference::head(hidden.values, w.values, rows, vocabulary, targets.row,
                                          targets.token, shape);
    expect_close(run.logp, expected.logp);
    expect_close(run.lse, expected.lse);

    const Filled dlogp = random(Dtype::f32, {targets.count()});
    const Tensor dhidden = poisoned(compute(), {rows, width});
    const Filled dw = random(Dtype::f32, {vocabulary, width});
    ops().run(HeadBackward{.dhidden = dhidden,
                           .dw = dw.tensor,
                           .dlogp = dlogp.tensor,
                           .lse = run.lse,
                           .hidden = hidden.tensor,
                           .w = w.tensor,
                           .target_row = indices(targets.row),
                           .target_token = indices(targets.token),
                           .workspace = workspace(hidden, w),
                           .shape = shape});
    const std::size_t probes = rows > 100 ? 1 : 8;
    const auto logp = [&, rows = rows, vocabulary = vocabulary, &shape = shape](
                          const std::vector<Complex>& x, const std::vector<Complex>& y) {
      return reference::head(x, y, rows, vocabulary, targets.row, targets.token, shape).logp;
    };
    const std::vector<Complex> fixed_hidden(hidden.values.begin(), hidden.values.end());
    const std::vector<Complex> fixed_w(w.values.begin(), w.values.end());
    expect_gradient(
        dhidden, hidden.values, dlogp.values,
        [&](const std::vector<Complex>& point) { return logp(point, fixed_w); }, {}, probes);
    expect_gradient(
        dw.tensor, w.values, dlogp.values,
        [&](const std::vector<Complex>& point) { return logp(fixed_hidden, point); }, dw.values,
        probes);
  }
}

// A frozen head: nothing but dw is left out.
TEST_P(HeadTest, BackwardWithoutTheWeightsGradient) {
  const Targets targets = random_targets(5, 2100);
  const Filled hidden = random(compute(), {5, 8});
  const Filled w = random(storage(), {2100, 8});
  const Run run = forward(hidden, w, targets);
  const Filled dlogp = random(Dtype::f32, {targets.count()});
  const Filled dw = random(Dtype::f32, {2100, 8});
  const auto dhidden_with = [&](Tensor weight_gradient) {
    const Tensor dhidden = poisoned(compute(), {5, 8});
    ops().run(HeadBackward{.dhidden = dhidden,
                           .dw = weight_gradient,
                           .dlogp = dlogp.tensor,
                           .lse = run.lse,
                           .hidden = hidden.tensor,
                           .w = w.tensor,
                           .target_row = indices(targets.row),
                           .target_token = indices(targets.token),
                           .workspace = workspace(hidden, w)});
    return read(dhidden);
  };
  EXPECT_EQ(dhidden_with({}), dhidden_with(dw.tensor));
}

TEST_P(HeadTest, LargeLogitsDoNotOverflow) {
  const Targets targets{{0, 0, 1}, {0, 2099, 1000}};
  const Filled hidden = random(compute(), {2, 8}, 1000.0);
  const Filled w = random(storage(), {2100, 8}, 1000.0);
  const Run run = forward(hidden, w, targets);
  const auto expected =
      reference::head(hidden.values, w.values, 2, 2100, targets.row, targets.token);
  expect_close(run.logp, expected.logp);
  expect_close(run.lse, expected.lse);
}

TEST_P(HeadTest, RefusesTargetsOutOfRangeOrOrder) {
  if (!reads_indices()) {
    GTEST_SKIP() << "this device does not look at indices";
  }
  const Filled hidden = random(compute(), {2, 4});
  const Filled w = random(storage(), {5, 4});
  EXPECT_THROW(forward(hidden, w, {{0}, {5}}), std::logic_error);
  EXPECT_THROW(forward(hidden, w, {{2}, {0}}), std::logic_error);
  EXPECT_THROW(forward(hidden, w, {{1, 0}, {0, 0}}), std::logic_error);
}

TEST_P(HeadTest, CapLogitsShapesThemInPlace) {
  for (const LogitShape shape :
       {LogitShape{}, LogitShape{.scale = 0.125F}, LogitShape{.softcap = 3.0F},
        LogitShape{.scale = 2.0F, .softcap = 30.0F}}) {
    const Filled logits = random(Dtype::f32, {3, 2051}, 10.0);
    ops().run(CapLogits{.logits = logits.tensor, .shape = shape});
    std::vector<double> expected;
    for (const double logit : logits.values) {
      expected.push_back(reference::shaped_logit(logit, shape));
    }
    expect_close(read(logits.tensor), expected, 1e-6);
  }
}

// A tile of logits is all that is ever held.
TEST_P(HeadTest, WorkspaceDoesNotGrowWithTheVocabulary) {
  const std::int64_t small = ops().head_workspace(4096, 512, 32000, storage());
  const std::int64_t large = ops().head_workspace(4096, 512, 128000, storage());
  EXPECT_EQ(small, large);
  EXPECT_LT(large, 4096 * 128000 / 16);
}

}  // namespace
}  // namespace lmpo::testing::head_test
