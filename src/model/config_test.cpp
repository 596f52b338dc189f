// config.json against transformers (testdata/configs.json and testdata/sharded, made by
// tools/oracle/config_golden.py), and a configuration against its tensors.
#include "model/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "base/testing/test_folder.h"
#include "base/testing/test_paths.h"
#include "model/tensor_table.h"

namespace lmpo {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

const fs::path golden_folder = source_folder() / "src/model/testdata";

ordered_json golden_configs() {
  return ordered_json::parse(read_file(golden_folder / "configs.json"));
}

// A small Llama, with changes.
ordered_json small(const ordered_json& changes = ordered_json::object()) {
  ordered_json content = {
      {"model_type", "llama"},    {"vocab_size", 16},        {"hidden_size", 8},
      {"intermediate_size", 12},  {"num_hidden_layers", 2},  {"num_attention_heads", 2},
      {"num_key_value_heads", 1}, {"rms_norm_eps", 1e-05},   {"max_position_embeddings", 32},
      {"rope_theta", 10000.0},    {"torch_dtype", "float32"}};
  content.update(changes);
  return content;
}

ModelConfig parse(const ordered_json& content) {
  return parse_model_config(content, "config.json");
}

std::string refusal(const ordered_json& changes) {
  return user_error_of([&] { parse(small(changes)); });
}

std::string scaling_name(RopeScaling::Kind kind) {
  return kind == RopeScaling::Kind::none     ? "default"
         : kind == RopeScaling::Kind::linear ? "linear"
                                             : "llama3";
}

template <typename T>
ordered_json or_null(const std::optional<T>& value) {
  return value ? ordered_json(*value) : ordered_json();
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
          {"rms_norm_eps", std::stod(fmt::format("{}", config.rms_norm_eps))},
          {"rope_theta", config.rope_theta},
          {"rope_type", scaling_name(config.rope_scaling.kind)},
          {"sliding_window", config.sliding_window},
          {"initializer_range", config.initializer_range},
          {"tie_word_embeddings", config.tie_word_embeddings},
          {"bos_id", or_null(config.bos_id)},
          {"eos_ids", config.eos_ids},
          {"pad_id", or_null(config.pad_id)},
          {"dtype", dtype_name(config.dtype)}};
}

TEST(ModelConfig, ReadsEveryFieldAsTransformersDoes) {
  for (const ordered_json& golden : golden_configs()) {
    EXPECT_EQ(fields_of(parse(golden["config"])), golden["fields"]) << golden["name"];
  }
}

TEST(ModelConfig, HasTransformersInverseFrequencies) {
  for (const ordered_json& golden : golden_configs()) {
    const std::vector<float> frequencies = inverse_frequencies(parse(golden["config"]));
    const auto expected = golden["inverse_frequencies"].get<std::vector<float>>();
    ASSERT_EQ(frequencies.size(), expected.size()) << golden["name"];
    for (std::size_t i = 0; i < expected.size(); ++i) {
      EXPECT_FLOAT_EQ(frequencies[i], expected[i]) << golden["name"] << " " << i;
    }
  }
}

TEST(ModelConfig, ReadsNullKeyHeadsOfMistralAsTransformers4Does) {
  const auto config = parse(small({{"model_type", "mistral"}, {"num_key_value_heads", nullptr}}));
  EXPECT_EQ(config.key_heads, config.heads);
}

TEST(ModelConfig, IgnoresIdsOutsideTheVocabulary) {
  const auto config =
      parse(small({{"bos_token_id", 16}, {"pad_token_id", -1}, {"eos_token_id", {2, 16, 5}}}));
  EXPECT_EQ(config.bos_id, std::nullopt);
  EXPECT_EQ(config.pad_id, std::nullopt);
  EXPECT_THAT(config.eos_ids, ElementsAre(2, 5));
}

TEST(ModelConfig, ReadsTheFolderOfAModelAndItsStopIds) {
  const fs::path folder = golden_folder / "sharded";
  const ModelConfig config = read_model_config(folder);
  EXPECT_EQ(fields_of(config), fields_of(read_model_config(folder / "config.json")));
  EXPECT_EQ(config.hidden_size, 8);
  EXPECT_THAT(config.eos_ids, ElementsAre(2));
  EXPECT_THAT(read_stop_ids(folder, config), ElementsAre(2, 5));
  EXPECT_THAT(read_stop_ids(golden_folder / "llama", config), ElementsAre(2));
}

struct Refused {
  const char* name;
  ordered_json changes;
  const char* told;
};

const std::vector<Refused> refused = {
    {"NoFamily", {{"model_type", nullptr}}, "the key 'model_type' is missing"},
    {"AnotherFamily", {{"model_type", "qwen2"}}, "'qwen2' is not supported; llama and mistral"},
    {"FamilyOfAnotherType", {{"model_type", 3}}, "key 'model_type': a string was expected"},
    {"Activation", {{"hidden_act", "gelu"}}, "key 'hidden_act': 'gelu' is not supported"},
    {"BiasOfMistral",
     {{"model_type", "mistral"}, {"attention_bias", true}},
     "key 'attention_bias': true is not supported: Mistral's projections have no bias"},
    {"BiasIsAText", {{"mlp_bias", "yes"}}, "key 'mlp_bias'"},
    {"Quantized", {{"quantization_config", {{"bits", 4}}}}, "quantized weights are not supported"},
    {"PretrainingTp", {{"pretraining_tp", 2}}, "key 'pretraining_tp'"},
    {"PartialRotation", {{"partial_rotary_factor", 0.5}}, "key 'partial_rotary_factor'"},
    {"NestedPartialRotation",
     {{"rope_parameters", {{"partial_rotary_factor", 0.5}}}},
     "key 'partial_rotary_factor'"},
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
    {"ThetaNegative", {{"rope_theta", -1}}, "key 'rope_theta': must be a positive number"},
    {"InitializerRange", {{"initializer_range", 2}}, "key 'initializer_range'"},
    {"TiedIsAText", {{"tie_word_embeddings", "yes"}}, "true or false was expected, not \"yes\""},
    {"Dtype", {{"torch_dtype", "int8"}}, "key 'torch_dtype': 'int8' is not supported"},
    {"EosIsAText", {{"eos_token_id", {2, "</s>"}}}, "key 'eos_token_id'"},
    {"RopeIsAList", {{"rope_scaling", {1}}}, "key 'rope_scaling': an object or null"},
    {"RopeType",
     {{"rope_scaling", {{"rope_type", "yarn"}, {"factor", 2}}}},
     "'yarn' is not supported; default, linear and llama3 are"},
    {"RopeByLayerType",
     {{"rope_parameters", {{"full_attention", {{"rope_theta", 1e4}}}}}},
     "parameters by layer type ('full_attention')"},
    {"RopeFactorMissing", {{"rope_scaling", {{"rope_type", "linear"}}}}, "the key 'factor'"},
    {"RopeFactorZero",
     {{"rope_scaling", {{"rope_type", "linear"}, {"factor", 0}}}},
     "key 'factor': must be a positive number"},
    {"RopeFrequenciesCross",
     {{"rope_scaling",
       {{"rope_type", "llama3"}, {"factor", 8}, {"low_freq_factor", 4}, {"high_freq_factor", 1}}}},
     "key 'high_freq_factor': must be greater than low_freq_factor"},
    {"WindowZero", {{"model_type", "mistral"}, {"sliding_window", 0}}, "key 'sliding_window'"},
};

class Refusing : public testing::TestWithParam<Refused> {};

TEST_P(Refusing, NamesTheFileAndTheKey) {
  const std::string message = refusal(GetParam().changes);
  EXPECT_THAT(message, testing::StartsWith("config.json: "));
  EXPECT_THAT(message, HasSubstr(GetParam().told));
}

INSTANTIATE_TEST_SUITE_P(ModelConfig, Refusing, testing::ValuesIn(refused),
                         [](const auto& made) { return made.param.name; });

TEST(ModelConfig, RefusesWhatIsNoObject) {
  for (const char* text : {"[]", "null", "3"}) {
    EXPECT_THAT(user_error_of([&] { parse(ordered_json::parse(text)); }),
                HasSubstr("config.json: a JSON object was expected"));
  }
  EXPECT_THAT(user_error_of([] { read_model_config(golden_folder); }),
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
    const ModelConfig config = parse(golden["config"]);
    const ModelConfig again = parse(config_to_json(config, config.dtype));
    EXPECT_EQ(fields_of(again), golden["fields"]) << golden["name"];
    EXPECT_EQ(again.rope_scaling, config.rope_scaling) << golden["name"];
    ModelConfig fresh = config;  // as a new model has it
    fresh.original = ordered_json();
    const ModelConfig made = parse(config_to_json(fresh, config.dtype));
    EXPECT_EQ(fields_of(made), golden["fields"]) << golden["name"];
    EXPECT_EQ(made.rope_scaling, config.rope_scaling) << golden["name"];
  }
}

TEST(ModelConfig, KeepsUnknownKeysTheirOrderAndTheirSpelling) {
  const auto content = ordered_json::parse(R"({
    "zeta": [1, {"deep": null}], "model_type": "llama", "architectures": ["LlamaForCausalLM"],
    "hidden_size": 8, "rms_norm_eps": 1e-05, "rope_theta": 10000, "num_attention_heads": 2,
    "eos_token_id": [2], "use_cache": false, "transformers_version": "4.44.2", "alpha": "ä"})");
  const ordered_json written = config_to_json(parse(content), Dtype::bf16);
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
  const ordered_json plain = config_to_json(parse(small()), Dtype::f32);
  EXPECT_EQ(plain["head_dim"], parse(small()).head_size);
  for (const char* key : {"attention_bias", "mlp_bias"}) {
    EXPECT_FALSE(plain.contains(key)) << key;
  }
  ModelConfig config =
      parse(small({{"head_dim", 6}, {"attention_bias", true}, {"mlp_bias", true}}));
  config.original = ordered_json();
  const ordered_json fresh = config_to_json(config, Dtype::f32);
  EXPECT_EQ(fresh["head_dim"], 6);
  EXPECT_EQ(fresh["attention_bias"], true);
  EXPECT_EQ(fresh["mlp_bias"], true);
}

TEST(ModelConfig, WritesRopeForTransformers4Too) {
  const ordered_json scaling = {{"rope_type", "llama3"},
                                {"factor", 32.0},
                                {"low_freq_factor", 1.0},
                                {"high_freq_factor", 4.0},
                                {"original_max_position_embeddings", 8192}};
  ordered_json parameters = scaling;
  parameters["rope_theta"] = 500000.0;
  ordered_json content = small({{"rope_parameters", parameters}, {"dtype", "bfloat16"}});
  content.erase("rope_theta");
  const ordered_json written = config_to_json(parse(content), Dtype::f16);
  EXPECT_EQ(written["rope_parameters"], parameters);
  EXPECT_EQ(written["rope_theta"], 500000.0);
  EXPECT_EQ(written["rope_scaling"], scaling);
  EXPECT_EQ(written["dtype"], "float16");
  EXPECT_EQ(written["torch_dtype"], "float16");
}

TEST(ModelConfig, WritesAChangedField) {
  ModelConfig config = parse(small({{"rope_scaling", {{"type", "linear"}, {"factor", 2.0}}}}));
  config.vocab_size = 20;
  config.rope_scaling = {};
  config.rope_theta = 5000;
  config.eos_ids = {3, 4};
  config.pad_id = 7;
  const ModelConfig again = parse(config_to_json(config, Dtype::f32));
  EXPECT_EQ(fields_of(again), fields_of(config));
  EXPECT_EQ(again.rope_scaling, config.rope_scaling);
}

// The nested one is the model's; a reader of the old spelling sees the outer one.
TEST(ModelConfig, SetsAnOuterThetaRightThatDiffers) {
  const ordered_json nested = {{"rope_theta", 20000.0}, {"rope_type", "linear"}, {"factor", 2.0}};
  const ModelConfig config = parse(small({{"rope_theta", 10001.0}, {"rope_parameters", nested}}));
  EXPECT_EQ(config.rope_theta, 20000.0);
  const ordered_json written = config_to_json(config, Dtype::f32);
  EXPECT_EQ(written["rope_theta"], 20000.0);
  EXPECT_EQ(parse(written).rope_theta, 20000.0);
}

class CheckTensors : public FolderTest {
 protected:
  // Writes the tensors a configuration expects, after a change of the list.
  void write(const ModelConfig& config,
             const std::function<void(std::vector<ModelTensor>&)>& change) {
    auto list = model_tensors(config);
    change(list);
    std::vector<TensorSource> sources;
    for (const ModelTensor& tensor : list) {
      TensorSource source = tensor_from_memory(tensor.name, Dtype::f32, tensor.shape, nullptr);
      const std::byte content = tensor.name == "lm_head.weight" ? head_content_ : std::byte{1};
      source.read = [content](std::int64_t, std::span<std::byte> out) {
        std::ranges::fill(out, content);
      };
      sources.push_back(std::move(source));
    }
    write_checkpoint(folder_, sources, 1 << 20);
  }
  void write(const ModelConfig& config) {
    write(config, [](auto&) {});
  }

  std::string misfit(const ModelConfig& config) {
    return user_error_of([&] { check_tensors(config, Checkpoint::open(folder_)); });
  }

  std::byte head_content_{1};
  const ModelConfig config_ = parse(small());
  const ModelConfig tied_ = parse(small({{"tie_word_embeddings", true}}));
};

TEST_F(CheckTensors, AcceptsTheModelsOfTransformers) {
  for (const char* name : {"llama", "llama_tied", "mistral", "sharded"}) {
    const fs::path folder = golden_folder / name;
    EXPECT_NO_THROW(check_tensors(read_model_config(folder), Checkpoint::open(folder))) << name;
  }
}

TEST_F(CheckTensors, NamesMissingUnexpectedAndMisshapenOnesTogether) {
  write(config_, [](auto& list) {
    std::erase_if(list, [](const auto& tensor) { return tensor.name == "model.norm.weight"; });
    list.push_back({"model.layers.0.self_attn.q_proj.bias", {8}});
    list[1].shape = {8, 7};
  });
  EXPECT_THAT(misfit(config_),
              AllOf(HasSubstr("1 missing: model.norm.weight"),
                    HasSubstr("1 unexpected: model.layers.0.self_attn.q_proj.bias"),
                    HasSubstr("1 of another shape: model.layers.0.self_attn.q_proj.weight is "
                              "[8, 7], config.json says [8, 8]")));
}

TEST_F(CheckTensors, ShowsFiveOfManyAndTheirNumber) {
  ModelConfig deeper = config_;
  deeper.layers = 4;
  write(config_);
  EXPECT_THAT(misfit(deeper), AllOf(HasSubstr("18 missing: model.layers.2."), HasSubstr(", ..."),
                                    Not(HasSubstr("model.layers.3."))));
  write(deeper);
  EXPECT_THAT(misfit(config_), HasSubstr("18 unexpected: model.layers.2."));
}

TEST_F(CheckTensors, NamesAWidthThatContradictsTheTensors) {
  write(config_);
  ModelConfig wider = config_;
  wider.vocab_size = 20;
  EXPECT_THAT(misfit(wider), HasSubstr("model.embed_tokens.weight is [16, 8], config.json says "
                                       "[20, 8]"));
  ModelConfig more_heads = config_;
  more_heads.key_heads = 2;
  EXPECT_THAT(misfit(more_heads), HasSubstr("k_proj.weight is [4, 8], config.json says [8, 8]"));
}

TEST_F(CheckTensors, AdvisesToTieWhereOnlyTheHeadIsMissing) {
  write(tied_);
  EXPECT_EQ(misfit(tied_), "");
  EXPECT_THAT(misfit(config_), HasSubstr("set tie_word_embeddings: true"));
}

TEST_F(CheckTensors, ATiedModelMayHoldItsHeadAgainIfItIsTheSame) {
  const auto add_head = [&](std::int64_t rows) {
    write(tied_, [&](auto& list) { list.push_back({"lm_head.weight", {rows, 8}}); });
  };
  add_head(16);
  EXPECT_EQ(misfit(tied_), "");
  head_content_ = std::byte{2};
  add_head(16);
  EXPECT_THAT(misfit(tied_), HasSubstr("lm_head.weight differs from model.embed_tokens.weight"));
  head_content_ = std::byte{1};
  add_head(15);
  EXPECT_THAT(misfit(tied_), HasSubstr("lm_head.weight differs from model.embed_tokens.weight"));
}

TEST_F(CheckTensors, IgnoresStoredRotaryFrequencies) {
  write(config_, [](auto& list) {
    list.push_back({"model.layers.0.self_attn.rotary_emb.inv_freq", {2}});
  });
  EXPECT_EQ(misfit(config_), "");
}

TEST_F(CheckTensors, CutsAModelIntoTheShardsOfTransformers) {
  const fs::path golden = golden_folder / "sharded";
  const Checkpoint checkpoint = Checkpoint::open(golden);
  std::vector<TensorSource> sources;
  for (const ModelTensor& tensor : model_tensors(read_model_config(golden))) {
    const TensorView view = checkpoint.tensor(tensor.name);
    sources.push_back(tensor_from_memory(tensor.name, view.dtype, view.shape, view.bytes.data()));
  }
  write_checkpoint(folder_, sources, 1000);
  EXPECT_EQ(listing().size(), 7U);
  for (const std::string& name : listing()) {
    EXPECT_EQ(read_file(folder_ / name), read_file(golden / name)) << name;
  }
}

}  // namespace
}  // namespace lmpo
