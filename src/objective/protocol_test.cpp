// Objectives without call order: what a step gives does not depend on the order in which its
// examples are evaluated, on how often, on which are skipped, or on how many processes share them.
#include <gmock/gmock.h>

#include <algorithm>
#include <numeric>

#include "objective/testing.h"

namespace lmpo::protocol_test {
namespace {

using testing::Batch;
using testing::begin_step;
using testing::joined;
using testing::Pair;
using testing::run_step;
using testing::StepResult;

struct Method {
  std::string objective;
  ZscoreMode zscore = ZscoreMode::ema;
};

void PrintTo(const Method& method, std::ostream* out) {
  *out << method.objective;
}

class Protocol : public ::testing::TestWithParam<Method> {
 protected:
  static constexpr std::uint64_t kSteps = 4;

  static std::unique_ptr<Objective> make() {
    ObjectiveOptions options = find_objective(GetParam().objective).defaults;
    options.zscore = GetParam().zscore;
    options.zscore_group = 4;  // of batches of 13: the groups do not end with the batch
    options.margin_gradient = MarginGradient::full;
    return make_objective(GetParam().objective, options);
  }

  // Examples of the objective's form, as a model in training scores them.
  static Batch batch_of(const Objective& objective, std::uint64_t step) {
    const bool several =
        objective.form() == ExampleForm::pair || objective.form() == ExampleForm::ranked;
    const std::size_t responses =
        (several ? 2U : 1U) + (objective.extra() == ExtraResponse::none ? 0U : 1U);
    Random random(step, 3);
    Batch batch;
    for (const Pair& pair : testing::typical_batch(13, step)) {
      Pair example = pair;
      example.resize(responses, pair[1]);
      for (ResponseScore& response : example) {
        response.reference_logp = response.logp + 2 * random.uniform() - 1;
      }
      example[0].desirable = random.uniform() < 0.5;
      batch.push_back(example);
    }
    return batch;
  }

  static ExampleResult evaluate(const Objective& objective, const BatchContext& context,
                                const Batch& batch, std::int64_t place) {
    return objective.evaluate(context, place, batch[static_cast<std::size_t>(place)]);
  }

  static void expect_equal(const StepResult& found, const StepResult& truth) {
    EXPECT_EQ(found.loss, truth.loss);
    EXPECT_EQ(found.losses, truth.losses);
    EXPECT_EQ(found.seeds, truth.seeds);
    EXPECT_EQ(found.observations, truth.observations);
    EXPECT_EQ(found.metrics, truth.metrics);
  }
};

std::vector<Method> methods() {
  std::vector<Method> all = {
      {"lmpo", ZscoreMode::none}, {"lmpo", ZscoreMode::running}, {"lmpo", ZscoreMode::code}};
  for (const ObjectiveInfo& info : objectives()) {
    all.push_back({std::string(info.name)});
  }
  return all;
}

INSTANTIATE_TEST_SUITE_P(Objectives, Protocol, ::testing::ValuesIn(methods()),
                         [](const auto& given) {
                           return given.param.objective + "_" +
                                  std::string(choice_names(
                                      ZscoreMode{})[static_cast<std::size_t>(given.param.zscore)]);
                         });

TEST_P(Protocol, AnyOrderGivesTheSameBits) {
  const auto in_order = make();
  const auto shuffled = make();
  for (std::uint64_t step = 0; step < kSteps; ++step) {
    const Batch batch = batch_of(*in_order, step);
    const StepResult truth = run_step(*in_order, batch);

    std::vector<std::int64_t> order(batch.size());
    std::iota(order.begin(), order.end(), 0);
    Random random(step, 9);
    for (std::size_t i = order.size(); i > 1; --i) {
      std::swap(order[i - 1], order[random.below(static_cast<std::uint32_t>(i))]);
    }
    ASSERT_FALSE(std::ranges::is_sorted(order));
    const BatchContext context = begin_step(*shuffled, batch);
    std::vector<ExampleResult> results(batch.size());
    for (const std::int64_t place : order) {
      results[static_cast<std::size_t>(place)] = evaluate(*shuffled, context, batch, place);
    }
    const StepResult found = joined(results);
    shuffled->end_step(context, found.observations);
    expect_equal(found, truth);
    EXPECT_EQ(shuffled->state(), in_order->state());
  }
}

TEST_P(Protocol, BeginAndEvaluateAreRepeatable) {
  const auto objective = make();
  const auto plain = make();
  for (std::uint64_t step = 0; step < kSteps; ++step) {
    const Batch batch = batch_of(*objective, step);
    const json before = objective->state();
    const BatchContext first = begin_step(*objective, batch);
    static_cast<void>(evaluate(*objective, first, batch, 5));
    static_cast<void>(begin_step(*objective, batch_of(*objective, step + 50)));  // another batch
    EXPECT_EQ(evaluate(*objective, begin_step(*objective, batch), batch, 5).seeds,
              evaluate(*objective, first, batch, 5).seeds);
    EXPECT_EQ(objective->state(), before);
    expect_equal(run_step(*objective, batch), run_step(*plain, batch));
    EXPECT_EQ(objective->state(), plain->state());
  }
}

// One example is left out of the sums; the batch's totals count it.
TEST_P(Protocol, SkippingEqualsABatchWithout) {
  const auto skips = make();
  const auto without = make();
  for (std::uint64_t step = 0; step < kSteps; ++step) {
    const Batch whole = batch_of(*skips, step);
    const BatchTotals totals = testing::totals_of(whole, true, skips->nll_response());
    Batch rest = whole;
    rest.erase(rest.begin() + 3);
    // Where scores are known before the step, what is skipped is not among them.
    const bool scored = without->needs_batch_scores();
    const BatchContext context =
        without->begin_step(totals, scored ? BatchScores(rest) : BatchScores());
    std::vector<ExampleResult> truth;
    for (std::int64_t place = 0; place < std::ssize(rest); ++place) {
      truth.push_back(evaluate(*without, context, rest, place));
    }
    without->end_step(context, joined(truth).observations);

    std::vector<ExampleResult> results;
    const BatchContext other =
        skips->begin_step(totals, scored ? BatchScores(rest) : BatchScores());
    const Batch& evaluated = scored ? rest : whole;
    for (std::int64_t place = 0; place < std::ssize(evaluated); ++place) {
      if (scored || place != 3) {
        results.push_back(evaluate(*skips, other, evaluated, place));
      }
    }
    skips->end_step(other, joined(results).observations);
    expect_equal(joined(results), joined(truth));
    EXPECT_EQ(skips->state(), without->state());
  }
}

// Each process evaluates its part of the batch; all join all results.
TEST_P(Protocol, ProcessesThatJoinObservationsHaveOneState) {
  const auto alone = make();
  const std::vector<std::unique_ptr<Objective>> processes = [] {
    std::vector<std::unique_ptr<Objective>> two;
    two.push_back(make());
    two.push_back(make());
    return two;
  }();
  for (std::uint64_t step = 0; step < kSteps; ++step) {
    const Batch batch = batch_of(*alone, step);
    const StepResult truth = run_step(*alone, batch);
    std::vector<ExampleResult> results(batch.size());
    for (std::size_t i = 0; i < batch.size(); ++i) {
      const Objective& process = *processes[i / 3 % 2];
      results[i] =
          evaluate(process, begin_step(process, batch), batch, static_cast<std::int64_t>(i));
    }
    const StepResult found = joined(results);
    expect_equal(found, truth);
    for (const auto& process : processes) {
      process->end_step(begin_step(*process, batch), found.observations);
      EXPECT_EQ(process->state(), alone->state());
    }
  }
}

TEST_P(Protocol, AnExampleThatIsNotFiniteGivesNothing) {
  const auto objective = make();
  const Batch batch = batch_of(*objective, 0);
  const BatchContext context = begin_step(*objective, batch);
  Pair example = batch[0];
  for (ResponseScore& response : example) {
    response.logp = std::numeric_limits<double>::quiet_NaN();
  }
  const ExampleResult result = objective->evaluate(context, 0, example);
  EXPECT_FALSE(std::isfinite(result.loss));
  EXPECT_THAT(result.metrics, ::testing::IsEmpty());
  EXPECT_THAT(result.observation, ::testing::IsEmpty());
}

}  // namespace
}  // namespace lmpo::protocol_test
