// config.json against transformers (testdata/configs.json, made by tools/oracle/config_golden.py).
#include "model/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/testing/test_folder.h"
#include "model/testing/config_texts.h"

namespace lmpo::config_test {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

std::string refusal(const ordered_json& changes) {
  return user_error_of([&] { parse_config(small_config(changes)); });
}

template <typename T>
ordered_json or_null(const std::optional<T>& value) {
  return value ? ordered_json(*value) : ordered_json();
}

ordered_json windows_of(const ModelConfig& config) {
  ordered_json windows = ordered_json::array();
  for (const LayerAttention& layer : config.layer_attention) {
    windows.push_back(layer.window);
  }
  return windows;
}

ordered_json ropes_of(const ModelConfig& config) {
  ordered_json ropes = ordered_json::array();
  for (const LayerAttention& layer : config.layer_attention) {
    ropes.push_back(or_null(layer.rope));
  }
  return ropes;
}

ordered_json fields_of(const ModelConfig& config) {
  return {{"family", config.family},
          {"vocab_size", config.vocab_size},
          {"hidden_size", config.hidden_size},
          {"intermediate_size", config.intermediate_size},
          {"layers", config.layers},
          {"heads", config.heads},
          {"key_heads", config.key_heads},
          {"head_size", config.head_size},
          {"max_positions", config.max_positions},
          {"rms_norm_eps", config.rms_norm_eps},
          {"windows", windows_of(config)},
          {"ropes", ropes_of(config)},
          {"initializer_range", config.initializer_range},
          {"activation", config.activation == Activation::silu ? "silu" : "gelu_pytorch_tanh"},
          {"qkv_bias", config.qkv_bias},
          {"output_bias", config.output_bias},
          {"mlp_bias", config.mlp_bias},
          {"attention_scale", config.attention_scale},
          {"attention_softcap", config.attention_softcap},
          {"logit_softcap", config.logit_softcap},
          {"embedding_scale", config.embedding_scale},
          {"residual_scale", config.residual_scale},
          {"logit_scale", config.logit_scale},
          {"query_scale_beta", config.query_scale_beta},
          {"query_scale_positions", config.query_scale_positions},
          {"tie_word_embeddings", config.tie_word_embeddings},
          {"bos_id", or_null(config.bos_id)},
          {"eos_ids", config.eos_ids},
          {"pad_id", or_null(config.pad_id)},
          {"dtype", dtype_name(config.dtype)}};
}

// Numbers are the same as float32, everything else is equal.
void expect_fields(const ModelConfig& config, const ordered_json& expected,
                   const std::string& name) {
  const ordered_json fields = fields_of(config);
  ASSERT_EQ(fields.size(), expected.size()) << name;
  for (const auto& [key, value] : expected.items()) {
    if (value.is_number() && fields[key].is_number_float()) {
      EXPECT_FLOAT_EQ(fields[key].get<float>(), value.get<float>()) << name << ": " << key;
    } else {
      EXPECT_EQ(fields[key], value) << name << ": " << key;
    }
  }
}

TEST(ModelConfig, ReadsEveryFieldAsTransformersDoes) {
  for (const ordered_json& golden : golden_configs()) {
    expect_fields(parse_config(golden["config"]), golden["fields"], golden["name"]);
  }
}

TEST(ModelConfig, ReadsNullKeyHeadsOfMistralAsTransformers4Does) {
  const auto config =
      parse_config(small_config({{"model_type", "mistral"}, {"num_key_value_heads", nullptr}}));
  EXPECT_EQ(config.key_heads, config.heads);
}

TEST(ModelConfig, AWindowThatQwenDoesNotUseIsNone) {
  const ordered_json qwen = {
      {"model_type", "qwen2"}, {"sliding_window", 8}, {"max_window_layers", 1}};
  ordered_json used = qwen;
  used["use_sliding_window"] = true;
  EXPECT_EQ(windows_of(parse_config(small_config(used))), ordered_json({0, 8}));
  EXPECT_EQ(windows_of(parse_config(small_config(qwen))), ordered_json({0, 0}));
}

TEST(ModelConfig, IgnoresIdsOutsideTheVocabulary) {
  const auto config = parse_config(
      small_config({{"bos_token_id", 16}, {"pad_token_id", -1}, {"eos_token_id", {2, 16, 5}}}));
  EXPECT_EQ(config.bos_id, std::nullopt);
  EXPECT_EQ(config.pad_id, std::nullopt);
  EXPECT_THAT(config.eos_ids, ElementsAre(2, 5));
}

TEST(ModelConfig, ReadsTheFolderOfAModelAndItsStopIds) {
  const fs::path folder = golden_folder() / "sharded";
  const ModelConfig config = read_model_config(folder);
  EXPECT_EQ(fields_of(config), fields_of(read_model_config(folder / "config.json")));
  EXPECT_EQ(config.hidden_size, 8);
  EXPECT_THAT(config.eos_ids, ElementsAre(2));
  EXPECT_THAT(read_stop_ids(folder, config), ElementsAre(2, 5));
  EXPECT_THAT(read_stop_ids(golden_folder() / "llama", config), ElementsAre(2));
}

struct Refused {
  const char* name;
  ordered_json changes;
  const char* told;
};

const std::vector<Refused> refused = {
    {"NoFamily", {{"model_type", nullptr}}, "the key 'model_type' is missing"},
    {"AnotherFamily", {{"model_type", "gpt2"}}, "'gpt2' is not supported; llama, mistral, "},
    {"FamilyOfAnotherType", {{"model_type", 3}}, "key 'model_type': a string was expected"},
    {"Activation", {{"hidden_act", "gelu"}}, "key 'hidden_act': 'gelu' is not supported"},
    {"BiasOfMistral",
     {{"model_type", "mistral"}, {"attention_bias", true}},
     "key 'attention_bias': true is not supported: Mistral's projections have no bias"},
    {"BiasIsAText", {{"mlp_bias", "yes"}}, "key 'mlp_bias'"},
    {"Quantized", {{"quantization_config", {{"bits", 4}}}}, "quantized weights are not supported"},
    {"PretrainingTp", {{"pretraining_tp", 2}}, "key 'pretraining_tp'"},
    {"WidthZero", {{"hidden_size", 0}}, "key 'hidden_size': must be between 1 and"},
    {"WidthNegative", {{"hidden_size", -8}}, "key 'hidden_size'"},
    {"WidthAbsurd", {{"hidden_size", 1ULL << 40}}, "key 'hidden_size'"},
    {"WidthIsAText", {{"hidden_size", "8"}}, "a whole number was expected, not \"8\""},
    {"WidthIsNull", {{"hidden_size", nullptr}}, "key 'hidden_size'"},
    {"WidthIsFractional", {{"hidden_size", 8.5}}, "a whole number was expected, not 8.5"},
    {"WidthBeyond64Bits", {{"hidden_size", 18446744073709551615ULL}}, "key 'hidden_size'"},
    {"KeyHeadsDoNotDivide",
     {{"num_attention_heads", 4}, {"num_key_value_heads", 3}},
     "key 'num_key_value_heads': 3 does not divide num_attention_heads 4"},
    {"MoreKeyHeads", {{"num_key_value_heads", 4}}, "4 does not divide num_attention_heads 2"},
    {"HeadsDoNotDivideTheWidth",
     {{"num_attention_heads", 3}, {"num_key_value_heads", 3}},
     "key 'hidden_size': 8 is not a multiple of num_attention_heads 3"},
    {"OddHeads", {{"head_dim", 3}}, "key 'head_dim': the head size 3 is odd"},
    {"HeadsWiderThanAllowed",
     {{"head_dim", 1 << 20}},
     "key 'num_attention_heads': 2 heads of size 1048576"},
    {"EpsZero", {{"rms_norm_eps", 0}}, "key 'rms_norm_eps': must be a positive number"},
    {"InitializerRange", {{"initializer_range", 2}}, "key 'initializer_range'"},
    {"TiedIsAText", {{"tie_word_embeddings", "yes"}}, "true or false was expected, not \"yes\""},
    {"Dtype", {{"torch_dtype", "int8"}}, "key 'torch_dtype': 'int8' is not supported"},
    {"EosIsAText", {{"eos_token_id", {2, "</s>"}}}, "key 'eos_token_id'"},
    {"WindowIsAText",
     {{"model_type", "qwen2"}, {"use_sliding_window", true}, {"sliding_window", "a"}},
     "key 'sliding_window'"},
    {"LayerTypesOfAnotherLength",
     {{"model_type", "gemma2"}, {"layer_types", {"full_attention"}}},
     "key 'layer_types': a list of 2 names was expected, one for each of the num_hidden_layers; it "
     "has 1"},
    {"LayerTypesOfMoreLayers",
     {{"model_type", "gemma2"},
      {"layer_types", {"full_attention", "sliding_attention", "full_attention"}}},
     "key 'layer_types': a list of 2 names was expected, one for each of the num_hidden_layers; it "
     "has 3"},
    {"LayerTypesAreAText",
     {{"model_type", "olmo3"}, {"layer_types", "full_attention"}},
     "key 'layer_types': a list of 2 names was expected"},
    {"LayerTypeUnknown",
     {{"model_type", "qwen3"}, {"layer_types", {"full_attention", "linear_attention"}}},
     "key 'layer_types': \"linear_attention\" is not supported"},
    {"LayersSlideWithoutAWindow",
     {{"model_type", "qwen2"}, {"layer_types", {"full_attention", "sliding_attention"}}},
     "key 'sliding_window': there is none, but layer 1 has sliding attention"},
    {"LayersOfMistralDiffer",
     {{"model_type", "mistral"}, {"layer_types", {"full_attention", "sliding_attention"}}},
     "key 'layer_types': 'full_attention' beside sliding_window 4096 is not supported"},
    {"RopeLayersOfAnotherLength",
     {{"model_type", "smollm3"}, {"no_rope_layers", {1}}},
     "key 'no_rope_layers': a list of 2 numbers was expected"},
    {"RopeLayersAreNoSwitches",
     {{"model_type", "smollm3"}, {"no_rope_layers", {1, 2}}},
     "key 'no_rope_layers': 0 and 1 were expected, not 2"},
    {"BothDirections",
     {{"model_type", "gemma3_text"}, {"use_bidirectional_attention", true}},
     "key 'use_bidirectional_attention': true is not supported"},
    {"SoftcapZero",
     {{"model_type", "gemma2"}, {"attn_logit_softcapping", 0}},
     "key 'attn_logit_softcapping': must be a positive number"},
    {"SoftcapBeyondFloat32",
     {{"model_type", "gemma2"}, {"final_logit_softcapping", 1e300}},
     "key 'final_logit_softcapping': 1e+300 is beyond what float32 can hold"},
    {"EpsBelowFloat32", {{"rms_norm_eps", 1e-300}}, "key 'rms_norm_eps': 1e-300 is beyond"},
    {"MultiplierZero",
     {{"model_type", "granite"}, {"residual_multiplier", 0}},
     "key 'residual_multiplier': must be a positive number"},
    {"Experts",
     {{"model_type", "qwen3"}, {"num_experts", 8}},
     "key 'num_experts': models with experts are not supported"},
    {"Mixtral", {{"model_type", "mixtral"}}, "'mixtral' is not supported: it needs a router"},
    {"GptOss", {{"model_type", "gpt_oss"}}, "it needs experts, and a sink in the softmax"},
    {"Gemma4", {{"model_type", "gemma4"}}, "it needs embeddings of each layer"},
    {"NoTextConfig",
     {{"model_type", "gemma3"}},
     "key 'text_config': an object was expected, the language model of a gemma3"},
    {"TextConfigOfAnother",
     {{"model_type", "mistral3"}, {"text_config", {{"model_type", "mistral4"}}}},
     "key 'text_config.model_type': 'mistral4' is not supported"},
    {"WindowZero", {{"model_type", "mistral"}, {"sliding_window", 0}}, "key 'sliding_window'"},
};

class Refusing : public ::testing::TestWithParam<Refused> {};

TEST_P(Refusing, NamesTheFileAndTheKey) {
  const std::string message = refusal(GetParam().changes);
  EXPECT_THAT(message, ::testing::StartsWith("config.json: "));
  EXPECT_THAT(message, HasSubstr(GetParam().told));
}

INSTANTIATE_TEST_SUITE_P(ModelConfig, Refusing, ::testing::ValuesIn(refused),
                         [](const auto& made) { return made.param.name; });

// Each family fits its own defaults and nobody else's.
TEST(ModelConfig, NamesEveryFamilyAndWhatRelativesNeed) {
  const std::string told = refusal({{"model_type", "gpt2"}});
  for (const char* name : {"llama", "qwen2", "gemma3_text", "olmo3", "smollm3 and granite are"}) {
    EXPECT_THAT(told, HasSubstr(name));
  }
}

// transformers reads the key and does not use it.
TEST(ModelConfig, Gemma3HasNoCapOfScores) {
  ::testing::internal::CaptureStderr();
  const ModelConfig config =
      parse_config(small_config({{"model_type", "gemma3_text"}, {"attn_logit_softcapping", 5}}));
  EXPECT_THAT(::testing::internal::GetCapturedStderr(),
              HasSubstr("attn_logit_softcapping of config.json is not applied"));
  EXPECT_EQ(config.attention_softcap, 0);
}

TEST(ModelConfig, OfAMultimodalModelIsThatOfItsLanguageModel) {
  ordered_json text = small_config({{"model_type", "gemma3_text"}, {"sliding_window", 8}});
  text.erase("torch_dtype");
  const ModelConfig config = parse_config({{"model_type", "gemma3"},
                                           {"architectures", {"Gemma3ForConditionalGeneration"}},
                                           {"vision_config", {{"hidden_size", 4}}},
                                           {"eos_token_id", {1, 6}},
                                           {"torch_dtype", "bfloat16"},
                                           {"text_config", text}});
  EXPECT_THAT(config.eos_ids, ElementsAre(1, 6));
  EXPECT_EQ(config.dtype, Dtype::bf16);
  EXPECT_TRUE(config.tie_word_embeddings);
  const ordered_json written = config_to_json(config, Dtype::bf16);
  EXPECT_EQ(written["model_type"], "gemma3_text");
  EXPECT_EQ(written["architectures"], ordered_json({"Gemma3ForCausalLM"}));
  EXPECT_FALSE(written.contains("vision_config"));
}

TEST(ModelConfig, NormsOfGemmaStartAtZero) {
  for (const ordered_json& golden : golden_configs()) {
    const ModelConfig config = parse_config(golden["config"]);
    const bool gemma = config.family.starts_with("gemma");
    EXPECT_EQ(config.norm_offset, gemma ? 1 : 0) << golden["name"];
    EXPECT_EQ(config.rounds_embedding_scale, gemma) << golden["name"];
  }
}

TEST(ModelConfig, RefusesWhatIsNoObject) {
  for (const char* text : {"[]", "null", "3"}) {
    EXPECT_THAT(user_error_of([&] { parse_config(ordered_json::parse(text)); }),
                HasSubstr("config.json: a JSON object was expected"));
  }
  EXPECT_THAT(user_error_of([] { read_model_config(golden_folder()); }),
              HasSubstr("there is no config.json"));
  EXPECT_THAT(user_error_of([] { read_model_config("org/name"); }),
              HasSubstr("hf download org/name"));
}

class AdapterFolder : public FolderTest {};

TEST_F(AdapterFolder, IsRefusedWithTheNameOfItsBaseModel) {
  const fs::path file = folder_ / "adapter_config.json";
  const auto read = [&] { read_model_config(folder_); };
  write_file_atomically(file, R"({"peft_type": "LORA", "base_model_name_or_path": "org/base"})");
  EXPECT_THAT(user_error_of(read),
              AllOf(HasSubstr("an adapter (LoRA) of the base model 'org/base'"),
                    HasSubstr("merge_and_unload")));
  write_file_atomically(file, "[]");
  EXPECT_THAT(user_error_of(read), HasSubstr("an adapter (LoRA) of a base model"));
}

TEST(ModelConfig, WritesWhatReadsBackTheSame) {
  for (const ordered_json& golden : golden_configs()) {
    const ModelConfig config = parse_config(golden["config"]);
    const ModelConfig again = parse_config(config_to_json(config, config.dtype));
    EXPECT_EQ(fields_of(again), fields_of(config)) << golden["name"];
    EXPECT_EQ(again.ropes, config.ropes) << golden["name"];
    ModelConfig fresh = config;  // as a new model has it
    fresh.original = ordered_json();
    const ModelConfig made = parse_config(config_to_json(fresh, config.dtype));
    expect_fields(made, golden["fields"], golden["name"]);
    EXPECT_EQ(made.ropes, config.ropes) << golden["name"];
  }
}

TEST(ModelConfig, KeepsUnknownKeysTheirOrderAndTheirSpelling) {
  const auto content = ordered_json::parse(R"({
    "zeta": [1, {"deep": null}], "model_type": "llama", "architectures": ["LlamaForCausalLM"],
    "hidden_size": 8, "rms_norm_eps": 1e-05, "rope_theta": 10000, "num_attention_heads": 2,
    "eos_token_id": [2], "use_cache": false, "transformers_version": "4.44.2", "alpha": "ä"})");
  const ordered_json written = config_to_json(parse_config(content), Dtype::bf16);
  std::vector<std::string> keys;
  for (const auto& [key, value] : written.items()) {
    keys.push_back(key);
    if (key != "use_cache" && content.contains(key)) {
      EXPECT_EQ(value.dump(), content[key].dump());
    }
  }
  std::size_t place = 0;
  for (const auto& [key, value] : content.items()) {
    ASSERT_LT(place, keys.size());
    EXPECT_EQ(keys[place++], key);
  }
  EXPECT_EQ(written["use_cache"], true);
  EXPECT_EQ(written["torch_dtype"], "bfloat16");
  EXPECT_FALSE(written.contains("dtype"));
}

// The head size is always written; biases that are not there need no key.
TEST(ModelConfig, AddsNoKeyForBiasesThatAreNotThere) {
  const ordered_json plain = config_to_json(parse_config(small_config()), Dtype::f32);
  EXPECT_EQ(plain["head_dim"], parse_config(small_config()).head_size);
  for (const char* key : {"attention_bias", "mlp_bias"}) {
    EXPECT_FALSE(plain.contains(key)) << key;
  }
  ModelConfig config =
      parse_config(small_config({{"head_dim", 6}, {"attention_bias", true}, {"mlp_bias", true}}));
  config.original = ordered_json();
  const ordered_json fresh = config_to_json(config, Dtype::f32);
  EXPECT_EQ(fresh["head_dim"], 6);
  EXPECT_EQ(fresh["attention_bias"], true);
  EXPECT_EQ(fresh["mlp_bias"], true);
}

TEST(ModelConfig, WritesAChangedField) {
  ModelConfig config =
      parse_config(small_config({{"rope_scaling", {{"type", "linear"}, {"factor", 2.0}}}}));
  config.vocab_size = 20;
  config.ropes = {{.theta = 5000, .columns = config.head_size}};
  config.eos_ids = {3, 4};
  config.pad_id = 7;
  const ModelConfig again = parse_config(config_to_json(config, Dtype::f32));
  EXPECT_EQ(fields_of(again), fields_of(config));
  EXPECT_EQ(again.ropes, config.ropes);
}

}  // namespace
}  // namespace lmpo::config_test
