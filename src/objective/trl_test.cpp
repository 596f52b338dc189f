// The same log-probabilities give the loss of TRL's own trainers (testdata/, made by
// tools/oracle/trl_parity.py, with TRL computing in double).
#include <gtest/gtest.h>

#include "base/file.h"
#include "base/json.h"
#include "base/testing/test_paths.h"
#include "objective/testing.h"

namespace lmpo::trl_test {
namespace {

ObjectiveOptions options_of(const json& given) {
  ObjectiveOptions options;
  options.beta = given.at("beta");
  options.cpo_alpha = given.value("cpo_alpha", options.cpo_alpha);
  options.desirable_weight = given.value("desirable_weight", options.desirable_weight);
  if (given.contains("gamma")) {
    options.gamma = given["gamma"].get<double>();
  }
  return options;
}

testing::Batch batch_of(const json& examples, const Objective& objective) {
  testing::Batch batch;
  for (const json& example : examples) {
    testing::Pair scores;
    for (const json& response : example.at("responses")) {
      scores.push_back({.logp = response.at("s"),
                        .reference_logp = response.at("r"),
                        .tokens = response.at("n"),
                        .desirable = example.at("desirable")});
    }
    if (objective.extra() == ExtraResponse::conversation) {
      const json& chosen = example["responses"][0];
      scores.push_back({.logp = chosen.at("all_s"), .tokens = chosen.at("all_n")});
    }
    batch.push_back(scores);
  }
  return batch;
}

TEST(Trl, LossesAreEqual) {
  const json golden = read_json(source_folder() / "src/objective/testdata/trl.json");
  ASSERT_EQ(golden.size(), 7u);
  for (const json& given : golden) {
    const std::string name = given.at("objective");
    const auto objective = make_objective(name, options_of(given.at("options")));
    const auto result = testing::run_step(*objective, batch_of(given.at("examples"), *objective));
    const double expected = given.at("loss");
    EXPECT_NEAR(result.loss, expected, 1e-7 * std::abs(expected)) << name;
  }
}

}  // namespace
}  // namespace lmpo::trl_test
