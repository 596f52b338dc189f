// Reference scores: found again, never trusted when they should not be, equal to the policy's own.
#include "train/reference.h"

#include <gmock/gmock.h>

#include <cmath>
#include <functional>
#include <map>
#include <set>

#include "train/examples.h"
#include "train/testing/small_run.h"
#include "tree/testing.h"

namespace lmpo::reference_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ReferenceTest : public lmpo::testing::SmallRun {
 protected:
  std::vector<double> scores(std::vector<Tree> trees, const PackLimits& limits = {4, 0},
                             const std::string& model = "llama") const {
    ReferenceOptions options;
    options.model = lmpo::testing::small_model(model);
    options.cache = folder_ / "cache";
    add_reference_logps(trees, packs_of(pointers(trees), limits), options, "test data");
    std::vector<double> all;
    for (const Tree& tree : trees) {
      all.insert(all.end(), tree.reference_logps.begin(), tree.reference_logps.end());
    }
    return all;
  }

  std::vector<fs::path> cached() const {
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(folder_ / "cache")) {
      files.push_back(entry.path());
    }
    return files;
  }

  const std::vector<Tree> trees_ = lmpo::testing::random_trees(12);
};

TEST_F(ReferenceTest, AKeptFileIsUsed) {
  const std::vector<double> first = scores(trees_);
  ASSERT_EQ(cached().size(), 1u);
  const auto written = fs::last_write_time(cached()[0]);
  EXPECT_EQ(scores(trees_), first);
  EXPECT_EQ(cached().size(), 1u);
  EXPECT_EQ(fs::last_write_time(cached()[0]), written);
}

TEST_F(ReferenceTest, WhateverMattersMakesAnotherKey) {
  scores(trees_);
  auto changed = trees_;
  testing::edit(changed[3].sequences[1].tokens, [](auto& ids) { ids.back() ^= 1; });
  scores(changed);
  EXPECT_EQ(cached().size(), 2u);
  scores(trees_, {3, 0});
  EXPECT_EQ(cached().size(), 3u);
  scores(trees_, {4, 0}, "mistral");
  EXPECT_EQ(cached().size(), 4u);
}

TEST_F(ReferenceTest, TornOrAlteredFilesAreNotUsed) {
  const std::vector<double> truth = scores(trees_);
  const fs::path file = cached()[0];
  const std::string whole = read_file(file);
  std::string altered = whole;
  altered[altered.find('-', altered.find("logps")) + 1] ^= 1;  // another digit
  for (const std::string& content : {whole.substr(0, whole.size() / 2), std::string(),
                                     std::string("{}"), std::string("[1]"), altered}) {
    write_file_atomically(file, content);
    EXPECT_EQ(scores(trees_), truth);
    EXPECT_EQ(read_file(file), whole);  // and written anew
  }
}

TEST_F(ReferenceTest, AModelOfOtherTokensIsRefused) {
  auto trees = trees_;
  testing::set_token(trees[5].sequences[0].tokens, 0, 48);
  EXPECT_THAT(user_error_of([&] { scores(trees); }), HasSubstr("row 5 of the data has token 48"));
}

// The policy scores as the reference did, to the last bit.
TEST_F(ReferenceTest, TheFirstLossOfDpoIsLn2) {
  for (const char* recompute : {"none", "mlp", "layers"}) {
    fs::remove_all(folder_);
    TrainInputs given = inputs("run", "dpo");
    given.recipe.per_device_train_batch_size = 3;
    given.recipe.gradient_accumulation_steps = 2;
    given.recipe.max_pack_tokens = 70;
    given.recipe.recompute = recompute;
    run_training(std::move(given));
    EXPECT_NEAR(losses("run").at(0), std::log(2.0), 1e-12);
    EXPECT_NE(losses("run").at(2), std::log(2.0));
  }
}

TEST_F(ReferenceTest, AnotherModelMayBeTheReference) {
  TrainInputs given = inputs("run", "dpo");
  given.recipe.reference_model = lmpo::testing::small_model("mistral");
  run_training(std::move(given));
  EXPECT_GT(std::abs(losses("run").at(0) - std::log(2.0)), 1e-3);
}

TEST(Examples, PairsAreTakenApartForKto) {
  std::vector<Tree> trees = lmpo::testing::random_trees(3);
  const std::vector<Tree> pairs = trees;
  prepare_examples(trees, *make_objective("kto", {}), 1024);
  ASSERT_EQ(trees.size(), 6u);
  for (std::size_t i = 0; i < 6; ++i) {
    const Sequence& own = pairs[i / 2].sequences[i % 2];
    EXPECT_EQ(trees[i].sequences.at(0).tokens, own.tokens);
    EXPECT_EQ(trees[i].desirable, i % 2 == 0);
    EXPECT_EQ(trees[i].row, pairs[i / 2].row);
    // This prompt, the next row's response.
    const Sequence& next = pairs[(i / 2 + 1) % 3].sequences[i % 2];
    std::vector<std::int32_t> expected(own.tokens.begin(), own.tokens.begin() + own.scored_begin);
    expected.insert(expected.end(), next.tokens.begin() + next.scored_begin, next.tokens.end());
    EXPECT_EQ(trees[i].sequences.at(1).tokens, expected);
    EXPECT_EQ(trees[i].sequences[1].scored_begin, own.scored_begin);
  }
}

// A labelled row: prompt, response, both of one token.
Tree labelled_row(std::int64_t row, std::int32_t prompt, std::int32_t response) {
  Tree tree;
  tree.row = row;
  tree.sequences = {{{prompt, response}, 1}};
  return tree;
}

// Of rows with these prompts: the row whose response stands behind each prompt.
std::vector<std::int32_t> mismatched_rows(const std::vector<std::int32_t>& prompts) {
  std::vector<Tree> trees;
  for (const std::int32_t prompt : prompts) {
    const auto row = static_cast<std::int32_t>(trees.size());
    trees.push_back(labelled_row(row, 100 + prompt, row));
  }
  prepare_examples(trees, *make_objective("kto", {}), 1024);
  std::vector<std::int32_t> rows;
  for (std::size_t i = 0; i < trees.size(); ++i) {
    const Sequence& extra = trees[i].sequences.at(1);
    EXPECT_EQ(extra.tokens[0], 100 + prompts[i]);
    EXPECT_EQ(extra.scored_begin, 1);
    rows.push_back(extra.tokens[1]);
  }
  return rows;
}

TEST(Examples, AMismatchedResponseAnswersAnotherPrompt) {
  EXPECT_THAT(mismatched_rows({0, 1, 2}), ElementsAre(1, 2, 0));
  EXPECT_THAT(mismatched_rows({0, 0, 1, 1}), ElementsAre(2, 3, 0, 1));
  EXPECT_THAT(mismatched_rows({0, 0, 0, 1}), ElementsAre(3, 3, 3, 2));
  Random random(3, 0);
  for (int trial = 0; trial < 200; ++trial) {
    std::vector<std::int32_t> prompts(2 + random.below(12));
    std::ranges::generate(prompts, [&] { return static_cast<std::int32_t>(random.below(4)); });
    prompts.back() = prompts.front() + 1;  // at least two
    const std::vector<std::int32_t> rows = mismatched_rows(prompts);
    std::map<std::int32_t, std::ptrdiff_t> trees_of;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      EXPECT_NE(prompts[i], prompts[static_cast<std::size_t>(rows[i])]);
      ++trees_of[prompts[i]];
    }
    std::int64_t most = 0;
    for (const auto& [prompt, trees] : trees_of) {
      most = std::max<std::int64_t>(most, trees);
    }
    if (2 * most <= std::ssize(prompts)) {  // each response once
      EXPECT_EQ(std::set(rows.begin(), rows.end()).size(), rows.size());
    }
  }
}

// Rows that repeat a prompt, and rows whose two responses part within a token of the prompt.
TEST(Examples, AMismatchedResponseIsOfAnotherRow) {
  std::vector<Tree> trees = lmpo::testing::random_trees(5);
  trees.push_back(trees[1]);
  trees.back().row = 5;
  ++trees[2].sequences[1].scored_begin;
  const std::vector<Tree> pairs = trees;
  prepare_examples(trees, *make_objective("kto", {}), 1024);
  ASSERT_EQ(trees.size(), 12u);
  for (const Tree& tree : trees) {
    const Sequence& extra = tree.sequences.at(1);
    const std::vector<std::int32_t> response(extra.tokens.begin() + extra.scored_begin,
                                             extra.tokens.end());
    for (const Sequence& own : pairs[static_cast<std::size_t>(tree.row)].sequences) {
      EXPECT_NE(response,
                std::vector<std::int32_t>(own.tokens.begin() + own.scored_begin, own.tokens.end()));
    }
  }
}

TEST(Examples, DataOfOnePromptCannotBeMismatched) {
  std::vector<Tree> one_pair = lmpo::testing::random_trees(1);
  std::vector<Tree> one_prompt = {labelled_row(0, 7, 1), labelled_row(1, 7, 2)};
  for (std::vector<Tree>& trees : {std::ref(one_pair), std::ref(one_prompt)}) {
    EXPECT_THAT(user_error_of([&] { prepare_examples(trees, *make_objective("kto", {}), 1024); }),
                HasSubstr("at least two different prompts"));
  }
}

TEST(Examples, MismatchedResponsesAreCut) {
  std::vector<Tree> trees = lmpo::testing::random_trees(8, 1);
  prepare_examples(trees, *make_objective("kto", {}), 10);
  for (const Tree& tree : trees) {
    const Sequence& mismatched = tree.sequences.at(1);
    EXPECT_LE(std::ssize(mismatched.tokens),
              std::max<std::int64_t>(10, mismatched.scored_begin + 1));
    EXPECT_GE(mismatched.scored_tokens(), 1);
  }
}

TEST(Examples, OrpoScoresTheConversationUnlessTheResponseIsAskedFor) {
  std::vector<Tree> trees = lmpo::testing::random_trees(2);
  ObjectiveOptions options;
  options.nll_on = NllTokens::response;
  prepare_examples(trees, *make_objective("orpo", options), 1024);
  EXPECT_EQ(trees[1].sequences.size(), 2u);
  prepare_examples(trees, *make_objective("orpo", {}), 1024);
  EXPECT_EQ(trees[1].sequences.at(2).tokens, trees[1].sequences[0].tokens);
  EXPECT_EQ(trees[1].sequences[2].scored_begin, 1);
}

}  // namespace
}  // namespace lmpo::reference_test
