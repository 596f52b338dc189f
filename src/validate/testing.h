// What the tests of the checks share. For tests only.
#pragma once

#include <gmock/gmock.h>

#include "validate/checks.h"

namespace lmpo {

inline ModelConfig llama_7b() {
  return parse_model_config({{"model_type", "llama"},
                             {"vocab_size", 32000},
                             {"hidden_size", 4096},
                             {"intermediate_size", 11008},
                             {"num_hidden_layers", 32},
                             {"num_attention_heads", 32},
                             {"max_position_embeddings", 4096},
                             {"bos_token_id", 1},
                             {"eos_token_id", nullptr}},
                            "test");
}

// A run with a recipe, by flags and YAML, and what a sound model and sound data would add to it.
struct TestedRun {
  TrainRecipe recipe;
  OptionSet options{"lmpo train", ""};
  RunFacts facts{recipe, {}};

  explicit TestedRun(std::vector<std::string> more = {}, std::string_view yaml = "") {
    std::vector<std::string> arguments = {"r.yaml", "-m",
                                          "model",  "--data",
                                          "a.json", "--output_dir",
                                          "out",    "--objective",
                                          "lmpo",   "--gradient_accumulation_steps",
                                          "16"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    add_train_options(options, recipe);
    EXPECT_TRUE(options.read_arguments(arguments));
    options.read_yaml(yaml, "r.yaml");
    options.resolve();
    facts.places = setting_places(options);
    facts.model = llama_7b();
    facts.text.emplace();
    facts.text->ids = 32000;
    facts.text->special = {{"bos_token", {"<s>", 1}}, {"eos_token", {"</s>", 2}}};
    facts.text->stops = {{"</s>", 2}};
    facts.text->template_size = 100;
    facts.text->example = "QUESTION ANSWER</s>";
    facts.train = data(1280);
    facts.machine = MachineFacts{.processors = 1024};
    facts.needs_reference = false;
    facts.length = RunLength(recipe, facts.train->examples);
    facts.memory.emplace();
    facts.memory->plan.arena = 1000;
    facts.memory->plan.at_peak["weights"] = 700;
    facts.memory->allowed = 2000;
    facts.memory->device = "cpu";
    facts.memory->recompute = "none";
    facts.memory->micro_batch = 8;
    facts.disk = DiskFacts{
        .free = 1000, .model = 100, .checkpoint = 300, .written = 2, .most = 2, .kept = 2};
  }

  static DataFacts data(std::int64_t rows) {
    DataFacts facts;
    facts.what = "train data";
    facts.option = "dataset";
    facts.rows = facts.kept = facts.examples = facts.conversations = rows;
    facts.longest = 500;
    return facts;
  }

  // Of the facts as they are now.
  std::optional<Finding> find(const std::string& name) const {
    for (const Finding& finding : check_run(facts, CheckedBy::validate).all()) {
      if (finding.name == name) {
        return finding;
      }
    }
    return std::nullopt;
  }
};

inline void expect(const std::optional<Finding>& finding, Severity severity,
                   const std::string& place, const std::string& reason,
                   const std::string& remedy = "") {
  ASSERT_TRUE(finding.has_value()) << reason;
  EXPECT_EQ(finding->severity, severity) << finding->name;
  EXPECT_EQ(finding->place, place) << finding->name;
  EXPECT_THAT(finding->reason, ::testing::HasSubstr(reason));
  EXPECT_THAT(finding->remedy, ::testing::HasSubstr(remedy));
  EXPECT_THAT(finding->remedy, ::testing::Not(::testing::IsEmpty())) << finding->name;
}

}  // namespace lmpo
