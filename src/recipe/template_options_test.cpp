// The options that say how conversations are rendered and which turns are scored.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "recipe/testing/recipe_reading.h"

namespace lmpo::template_options_test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(TemplateOptions, TemplateKwargsAreAMap) {
  const auto of_yaml = [](const std::string& yaml) {
    return RecipeReading(kNeeded, yaml).recipe.data.chat_template_kwargs.dump();
  };
  EXPECT_EQ(of_yaml("chat_template_kwargs:\n  enable_thinking: no\n  budget: 5\n"),
            R"({"enable_thinking":false,"budget":5})");
  // Numbers alone are no mixture of data; a text in quotes stays one.
  EXPECT_EQ(of_yaml("chat_template_kwargs: {a: 1, b: 0, c: 2.5, d: '1', e: \"true\"}"),
            R"({"a":1,"b":0,"c":2.5,"d":"1","e":"true"})");
  EXPECT_EQ(of_yaml("chat_template_kwargs: {a: [high, null, {b: True}]}"),
            R"({"a":["high",null,{"b":true}]})");
  EXPECT_EQ(of_yaml("chat_template_kwargs: null"), "null");
  EXPECT_EQ(of_yaml("chat_template_kwargs: {}"), "null");
  const RecipeReading flag(needed_and({"--chat_template_kwargs", R"({"enable_thinking": false})"}),
                           "chat_template_kwargs: {a: 1}\n");
  EXPECT_EQ(flag.recipe.data.chat_template_kwargs.dump(), R"({"enable_thinking":false})");
  for (const char* wrong : {"[1]", "enable_thinking", "'{'", "3"}) {
    EXPECT_THAT(error_of(kNeeded, fmt::format("chat_template_kwargs: {}", wrong)),
                AllOf(HasSubstr("r.yaml:1: chat_template_kwargs: "), HasSubstr("a map of names")))
        << wrong;
  }
  EXPECT_THAT(error_of(kNeeded, "chat_template_kwargs: {tools: []}"),
              HasSubstr("'tools' cannot be set here"));
  EXPECT_THAT(error_of(kNeeded, "enable_thinking: false"),
              HasSubstr("chat_template_kwargs: {enable_thinking: false}"));
}

TEST(TemplateOptions, SftScoresWhatTrlScoresWithAssistantOnlyLoss) {
  const RecipeReading on({}, "model: m\ndataset: a\noutput_dir: o\nassistant_only_loss: true\n");
  EXPECT_EQ(on.recipe.data.sft_target, SftTarget::assistant);
  EXPECT_EQ(on.recipe.objective, "sft");
  EXPECT_THAT(error_of(needed_and({"--objective", "sft"}), "assistant_only_loss: false"),
              HasSubstr("sft_on says what is scored"));
  const RecipeReading marked(needed_and({"--objective", "sft", "--sft_on", "marked"}));
  EXPECT_EQ(marked.recipe.data.sft_target, SftTarget::marked);
}

// Its history is the answers before the last one: scored unless it is masked.
TEST(TemplateOptions, MaskHistoryOfLlamaFactorySaysWhichAnswersAreScored) {
  const auto read = [](const char* line) {
    return RecipeReading(
        {}, fmt::format("model: m\ndataset: a\noutput_dir: o\nobjective: sft\n{}", line));
  };
  const RecipeReading all = read("mask_history: false\n");
  EXPECT_EQ(all.recipe.data.sft_target, SftTarget::assistant);
  EXPECT_THAT(all.remarks(), HasSubstr("'mask_history: false' is read as sft_on: assistant"));
  EXPECT_EQ(read("mask_history: true\n").recipe.data.sft_target, SftTarget::response);
  EXPECT_EQ(read("mask_history: null\n").recipe.data.sft_target, SftTarget::response);
  EXPECT_THAT(
      error_of(needed_and({"--objective", "sft"}), "mask_history: false\ntrain_on_prompt: true"),
      HasSubstr("contradicts"));
}

}  // namespace
}  // namespace lmpo::template_options_test
