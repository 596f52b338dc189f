#include "demo/study.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "objective/registry.h"

namespace lmpo::study_test {
namespace {

TEST(Study, HasEveryObjectiveThatLearnsFromPreferences) {
  std::set<std::string> expected;
  for (const ObjectiveInfo& info : objectives()) {
    expected.emplace(info.name);
  }
  expected.erase("sft");
  std::set<std::string> tabulated;
  for (const Method& method : methods()) {
    tabulated.insert(method.objective);
  }
  EXPECT_EQ(tabulated, expected);
}

TEST(Study, TakesSettingsThatTheSweepTried) {
  for (const Method& method : methods()) {
    EXPECT_THAT(swept_learning_rates(), ::testing::Contains(method.learning_rate)) << method.title;
    EXPECT_EQ(method.option.empty(), method.values.empty());
    if (!method.option.empty()) {
      EXPECT_THAT(method.values, ::testing::Contains(method.value)) << method.title;
      EXPECT_TRUE(find_objective(method.objective).uses(method.option)) << method.title;
    }
  }
}

TEST(Study, OneNameStandsForOneRun) {
  std::map<std::string, std::vector<std::string>> flags;
  std::vector<Part> all = parts();
  all.push_back(sweep_part());
  for (const Part& part : all) {
    std::set<std::string> names;
    for (const Variant& variant : part.variants) {
      EXPECT_TRUE(names.insert(variant.name).second) << variant.name;
      const auto [known, is_new] = flags.emplace(variant.name, variant.flags);
      EXPECT_EQ(known->second, variant.flags) << variant.name;
    }
    EXPECT_TRUE(part.x.empty() || part.x.size() == part.variants.size());
  }
  std::size_t swept = 0;
  for (const Method& method : methods()) {
    swept += swept_learning_rates().size() * std::max<std::size_t>(1, method.values.size());
  }
  EXPECT_EQ(sweep_part().variants.size(), swept);
}

TEST(Study, EveryRunOfASeedBeginsAtItsSftModelWithItsData) {
  const Job sft = sft_job(3, {});
  for (const Part& part : parts()) {
    for (const Variant& variant : part.variants) {
      const Job job = variant_job(3, variant, {.steps = 7});
      EXPECT_EQ(job.folder, fs::path("seed-3") / variant.name);
      EXPECT_THAT(job.commands[0],
                  ::testing::IsSupersetOf({"seed-3/sft/run", "seed-3/world/preferences.jsonl", "3",
                                           "--max_steps", "7"}));
      EXPECT_EQ(job.basis, variant_job(3, part.variants[0], {}).basis);
      EXPECT_NE(job.basis, variant_job(3, variant, {.sft_steps = 5}).basis);
    }
  }
  EXPECT_THAT(sft.commands[1], ::testing::Contains("seed-3/world/answers.jsonl"));
}

}  // namespace
}  // namespace lmpo::study_test
