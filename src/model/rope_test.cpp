// Rotary tables against transformers (testdata/configs.json, made by tools/oracle/config_golden.py),
// and their settings in both spellings.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/testing/test_folder.h"
#include "model/rope_config.h"
#include "model/testing/config_texts.h"

namespace lmpo::rope_test {
namespace {

using ::testing::HasSubstr;

constexpr const char* kKinds[] = {"default", "linear", "dynamic", "yarn", "longrope", "llama3"};

Rope one_rope(const ordered_json& changes) {
  const ModelConfig config = parse_config(small_config(changes));
  EXPECT_EQ(config.ropes.size(), 1U);
  return config.ropes[0];
}

// Equal but for the powers that PyTorch rounds another way.
void expect_table(const RotaryFrequencies& made, const ordered_json& golden,
                  const std::string& name) {
  const auto expected = golden["inverse"].get<std::vector<float>>();
  ASSERT_EQ(made.inverse.size(), expected.size()) << name;
  std::size_t different = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_NEAR(made.inverse[i] / expected[i], 1, 2.5e-7) << name << " " << i;
    different += made.inverse[i] == expected[i] ? 0 : 1;
  }
  EXPECT_LE(different, 2 + expected.size() / 10) << name;
  EXPECT_FLOAT_EQ(made.factor, golden["factor"].get<float>()) << name;
}

TEST(Rope, HasTransformersTables) {
  for (const ordered_json& golden : golden_configs()) {
    const ModelConfig config = parse_config(golden["config"]);
    const ordered_json& tables = golden["tables"];
    ASSERT_EQ(config.ropes.size(), tables.size()) << golden["name"];
    for (std::size_t i = 0; i < tables.size(); ++i) {
      const Rope& rope = config.ropes[i];
      const std::string name = golden["name"];
      EXPECT_EQ(kKinds[static_cast<std::size_t>(rope.kind)], tables[i]["short"]["kind"]) << name;
      EXPECT_EQ(rope.theta, tables[i]["short"]["theta"]) << name;
      expect_table(rotary_frequencies(rope), tables[i]["short"], name);
      const char* longest = tables[i].contains("long") ? "long" : "short";
      expect_table(rotary_frequencies(rope, true), tables[i][longest], name);
    }
  }
}

// Qwen2.5's note on long texts: yarn with factor 4 of a context of 32,768.
TEST(Rope, YarnKeepsFastColumnsAndStretchesSlowOnes) {
  const Rope rope = one_rope(
      {{"hidden_size", 256},
       {"rope_theta", 1e6},
       {"rope_scaling",
        {{"type", "yarn"}, {"factor", 4.0}, {"original_max_position_embeddings", 32768}}}});
  const RotaryFrequencies stretched = rotary_frequencies(rope);
  const RotaryFrequencies plain = rotary_frequencies({.theta = 1e6, .columns = 128});
  EXPECT_EQ(stretched.inverse.front(), plain.inverse.front());
  EXPECT_FLOAT_EQ(stretched.inverse.back(), plain.inverse.back() / 4);
  EXPECT_FLOAT_EQ(stretched.factor, static_cast<float>(0.1 * std::log(4.0) + 1));
}

TEST(Rope, AShortContextOfDynamicIsPlain) {
  const Rope rope =
      one_rope({{"head_dim", 16}, {"rope_scaling", {{"type", "dynamic"}, {"factor", 2.0}}}});
  EXPECT_EQ(rope.original_positions, 32);
  EXPECT_EQ(rotary_frequencies(rope).inverse,
            rotary_frequencies({.theta = rope.theta, .columns = 16}).inverse);
}

TEST(Rope, ALongerSequenceThanDynamicKnowsIsRefused) {
  const auto told = [](const char* type, std::int64_t tokens) {
    const ModelConfig config = parse_config(
        small_config({{"head_dim", 16}, {"rope_scaling", {{"rope_type", type}, {"factor", 2.0}}}}));
    return user_error_of([&] { check_longest_sequence(config, tokens); });
  };
  EXPECT_EQ(told("dynamic", 32), "");
  EXPECT_EQ(told("linear", 33), "");
  EXPECT_THAT(told("dynamic", 33), ::testing::AllOf(HasSubstr("has 33 tokens"),
                                                    HasSubstr("Set max_length to 32 or less")));
}

ordered_json small_phi(const ordered_json& scaling) {
  return {{"model_type", "phi3"}, {"rope_scaling", scaling}};
}

TEST(Rope, ReadsThePhi3NamesOfLongrope) {
  const ordered_json lists = {{"short_factor", {1.0, 1.5}}, {"long_factor", {2.0, 3.0}}};
  ordered_json scaling = lists;
  scaling["type"] = "longrope";
  const Rope expected = one_rope(small_phi(scaling));
  EXPECT_EQ(expected.kind, Rope::Kind::longrope);
  EXPECT_EQ(expected.original_positions, 4096);  // transformers' default of the key beside it
  EXPECT_NE(rotary_frequencies(expected).inverse, rotary_frequencies(expected, true).inverse);
  for (const char* name : {"su", "yarn"}) {
    scaling["type"] = name;
    EXPECT_EQ(one_rope(small_phi(scaling)), expected) << name;
  }
}

TEST(Rope, TurnsAPartOfPhi3sHeads) {
  const ModelConfig config = parse_config(
      small_config({{"model_type", "phi3"}, {"head_dim", 16}, {"partial_rotary_factor", 0.75}}));
  EXPECT_EQ(config.ropes[0].columns, 12);
  ModelConfig fresh = config;
  fresh.original = ordered_json();
  EXPECT_EQ(parse_config(config_to_json(fresh, Dtype::f32)).ropes, config.ropes);
}

// Where 26 of 90 columns turn, 90 * (26 / 90.0) is below 26.
TEST(Rope, WritesAPartThatReadsBackTheSame) {
  ModelConfig config = parse_config(small_config({{"model_type", "phi3"}, {"head_dim", 90}}));
  config.original = ordered_json();
  for (std::int64_t columns = 2; columns <= 90; columns += 2) {
    config.ropes[0].columns = columns;
    EXPECT_EQ(parse_config(config_to_json(config, Dtype::f32)).ropes[0].columns, columns);
  }
}

TEST(Rope, IsWrittenForTransformers4Too) {
  const ordered_json scaling = {{"rope_type", "llama3"},
                                {"factor", 32.0},
                                {"low_freq_factor", 1.0},
                                {"high_freq_factor", 4.0},
                                {"original_max_position_embeddings", 8192}};
  ordered_json parameters = scaling;
  parameters["rope_theta"] = 500000.0;
  ordered_json content = small_config({{"rope_parameters", parameters}, {"dtype", "bfloat16"}});
  content.erase("rope_theta");
  const ordered_json written = config_to_json(parse_config(content), Dtype::f16);
  EXPECT_EQ(written["rope_parameters"], parameters);
  EXPECT_EQ(written["rope_theta"], 500000.0);
  EXPECT_EQ(written["rope_scaling"], scaling);
  EXPECT_EQ(written["dtype"], "float16");
  EXPECT_EQ(written["torch_dtype"], "float16");
}

TEST(Rope, OfLayerTypesIsWrittenForTransformers4Too) {
  const ordered_json parameters = {
      {"full_attention", {{"rope_type", "linear"}, {"factor", 8.0}, {"rope_theta", 1e6}}},
      {"sliding_attention", {{"rope_type", "default"}, {"rope_theta", 1e4}}}};
  ordered_json content = small_config(
      {{"model_type", "gemma3_text"}, {"sliding_window", 8}, {"rope_parameters", parameters}});
  content.erase("rope_theta");
  const ordered_json written = config_to_json(parse_config(content), Dtype::f32);
  EXPECT_EQ(written["rope_parameters"], parameters);
  EXPECT_EQ(written["rope_theta"], 1e6);
  EXPECT_EQ(written["rope_local_base_freq"], 1e4);
  EXPECT_EQ(written["rope_scaling"], ordered_json({{"rope_type", "linear"}, {"factor", 8.0}}));
}

TEST(Rope, KeepsTheQueryScaleOfMinistral3) {
  ModelConfig config = parse_config(
      {{"model_type", "ministral3"}, {"num_hidden_layers", 1}, {"rope_scaling", nullptr}});
  EXPECT_EQ(config.query_scale_beta, 0.1);
  EXPECT_EQ(config.query_scale_positions, 16384);
  config.original = ordered_json();
  const ModelConfig again = parse_config(config_to_json(config, Dtype::f32));
  EXPECT_EQ(again.query_scale_beta, 0.1);
  EXPECT_EQ(again.ropes, config.ropes);
}

// The nested one is the model's; a reader of the old spelling sees the outer one.
TEST(Rope, SetsAnOuterThetaRightThatDiffers) {
  const ordered_json nested = {{"rope_theta", 20000.0}, {"rope_type", "linear"}, {"factor", 2.0}};
  const ModelConfig config =
      parse_config(small_config({{"rope_theta", 10001.0}, {"rope_parameters", nested}}));
  EXPECT_EQ(config.ropes[0].theta, 20000.0);
  const ordered_json written = config_to_json(config, Dtype::f32);
  EXPECT_EQ(written["rope_theta"], 20000.0);
  EXPECT_EQ(parse_config(written).ropes[0].theta, 20000.0);
}

struct RefusedRope {
  const char* name;
  ordered_json changes;
  const char* told;
};

const std::vector<RefusedRope> refused_ropes = {
    {"Partial",
     {{"partial_rotary_factor", 0.5}},
     "key 'partial_rotary_factor': other than 1 is not supported in this family"},
    {"PartialNested",
     {{"rope_parameters", {{"partial_rotary_factor", 0.5}}}},
     "key 'partial_rotary_factor'"},
    {"PartialOdd",
     {{"model_type", "phi3"}, {"partial_rotary_factor", 0.75}},
     "3 of 4 columns turn; an even number is needed"},
    {"PartialTooMuch",
     {{"model_type", "phi3"}, {"partial_rotary_factor", 1.5}},
     "must be between 0 and 1, not 1.5"},
    {"AList", {{"rope_scaling", {1}}}, "key 'rope_scaling': an object or null"},
    {"Type",
     {{"rope_scaling", {{"rope_type", "mrope"}, {"factor", 2}}}},
     "'mrope' is not supported"},
    {"TypeOfPhi3",
     {{"model_type", "phi3"}, {"rope_scaling", {{"type", "linear"}, {"factor", 2}}}},
     "'linear' is not supported in this family; default and longrope are"},
    {"ByLayerType",
     {{"rope_parameters", {{"full_attention", {{"rope_theta", 1e4}}}}}},
     "key 'rope_parameters': parameters by layer type are not supported in this family"},
    {"NotByLayerType",
     {{"model_type", "olmo3"}, {"rope_parameters", {{"rope_type", "default"}}}},
     "key 'rope_parameters': an object for each layer type was expected"},
    {"FactorMissing", {{"rope_scaling", {{"rope_type", "linear"}}}}, "the key 'factor'"},
    {"FactorOfYarnMissing", {{"rope_scaling", {{"rope_type", "yarn"}}}}, "the key 'factor'"},
    {"FactorZero",
     {{"rope_scaling", {{"rope_type", "linear"}, {"factor", 0}}}},
     "key 'factor': must be a positive number"},
    {"FrequenciesCross",
     {{"rope_scaling",
       {{"rope_type", "llama3"}, {"factor", 8}, {"low_freq_factor", 4}, {"high_freq_factor", 1}}}},
     "key 'high_freq_factor': must be greater than low_freq_factor"},
    {"FactorsOfAnotherLength",
     {{"rope_scaling",
       {{"rope_type", "longrope"}, {"short_factor", {1}}, {"long_factor", {1, 2}}}}},
     "key 'short_factor': a list of 2 numbers was expected"},
    {"FactorIsZero",
     {{"rope_scaling",
       {{"rope_type", "longrope"}, {"short_factor", {1, 1}}, {"long_factor", {1, 0}}}}},
     "key 'long_factor': must be a positive number"},
    {"FactorsMissing", {{"rope_scaling", {{"rope_type", "longrope"}}}}, "key 'short_factor'"},
    {"DynamicOfTwoColumns",
     {{"head_dim", 2}, {"rope_scaling", {{"rope_type", "dynamic"}, {"factor", 2}}}},
     "needs heads of more than 2 columns"},
    {"ThetaNegative", {{"rope_theta", -1}}, "key 'rope_theta': must be a positive number"},
    {"ThetaTiny", {{"rope_theta", 1e-300}}, "frequencies that are not finite"},
    {"ThetaOneWithYarn",
     {{"rope_theta", 1}, {"rope_scaling", {{"rope_type", "yarn"}, {"factor", 2}}}},
     "key 'rope_theta': must not be 1 with yarn"},
    {"NoBetaOfMinistral3",
     {{"model_type", "ministral3"}, {"rope_parameters", {{"type", "yarn"}, {"factor", 2}}}},
     "llama_4_scaling_beta"},
};

class RefusingRope : public ::testing::TestWithParam<RefusedRope> {};

TEST_P(RefusingRope, NamesTheFileAndTheKey) {
  const std::string message =
      user_error_of([&] { parse_config(small_config(GetParam().changes)); });
  EXPECT_THAT(message, ::testing::StartsWith("config.json: "));
  EXPECT_THAT(message, HasSubstr(GetParam().told));
}

INSTANTIATE_TEST_SUITE_P(Rope, RefusingRope, ::testing::ValuesIn(refused_ropes),
                         [](const auto& made) { return made.param.name; });

}  // namespace
}  // namespace lmpo::rope_test
