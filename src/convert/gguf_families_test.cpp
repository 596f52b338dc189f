// Models of every family in llama.cpp's words: keys, values and limits. Names of tensors are compared
// in model/tensor_check_test.cpp, results in tools/oracle/llamacpp_parity.py.
#include <gmock/gmock.h>

#include <cmath>

#include "base/testing/test_folder.h"
#include "convert/gguf_limits.h"
#include "convert/gguf_model.h"
#include "io/testing/gguf_reader.h"
#include "model/testing/config_texts.h"

namespace lmpo::gguf_families_test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// A model of model/testdata as a file.
class GgufFamilies : public FolderTest {
 protected:
  ReadGguf write(const char* name) {
    const ModelConfig config = read_model_config(golden_folder() / name);
    checkpoint_.emplace(Checkpoint::open(golden_folder() / name));
    write_gguf(folder_ / "model.gguf", gguf_architecture(config, "name", GgufType::f32),
               gguf_tensors(config, *checkpoint_, GgufType::f32));
    return GgufParser::read(folder_ / "model.gguf");
  }
  std::vector<float> stored(const std::string& name) {
    const TensorView view = checkpoint_->tensor(name);
    std::vector<float> values(static_cast<std::size_t>(view.elements()));
    read_as_float(view, 0, values);
    return values;
  }

  std::optional<Checkpoint> checkpoint_;
};

TEST_F(GgufFamilies, NormsOfGemmaHoldOnePlusTheWeight) {
  const ReadGguf gguf = write("gemma2");
  for (const auto& [name, source] : std::map<std::string, std::string>{
           {"output_norm.weight", "model.norm.weight"},
           {"blk.0.attn_norm.weight", "model.layers.0.input_layernorm.weight"},
           {"blk.1.post_attention_norm.weight", "model.layers.1.post_attention_layernorm.weight"},
           {"blk.1.ffn_norm.weight", "model.layers.1.pre_feedforward_layernorm.weight"},
           {"blk.0.post_ffw_norm.weight", "model.layers.0.post_feedforward_layernorm.weight"}}) {
    std::vector<float> expected = stored(source);
    for (float& value : expected) {
      value += 1;
    }
    EXPECT_EQ(gguf.floats(name), expected) << name;
  }
  EXPECT_EQ(gguf.floats("blk.0.ffn_up.weight"), stored("model.layers.0.mlp.up_proj.weight"));
}

TEST_F(GgufFamilies, RowsKeepTheirOrderWhereLlamaCppTurnsHalves) {
  for (const char* name : {"qwen3", "gemma2", "olmo2"}) {
    const ReadGguf gguf = write(name);
    EXPECT_EQ(gguf.floats("blk.1.attn_q.weight"), stored("model.layers.1.self_attn.q_proj.weight"))
        << name;
  }
  for (const char* name : {"granite", "smollm3", "ministral3"}) {
    const ReadGguf gguf = write(name);
    EXPECT_NE(gguf.floats("blk.1.attn_q.weight"), stored("model.layers.1.self_attn.q_proj.weight"))
        << name;
  }
}

TEST_F(GgufFamilies, KeysOfGemma2) {
  const ReadGguf gguf = write("gemma2");
  EXPECT_EQ(gguf.key("general.architecture"), "gemma2");
  EXPECT_EQ(gguf.key("gemma2.attn_logit_softcapping"), 3.0);
  EXPECT_EQ(gguf.key("gemma2.final_logit_softcapping"), 4.0);
  EXPECT_EQ(gguf.key("gemma2.attention.sliding_window"), 6);
  EXPECT_EQ(gguf.key("gemma2.attention.sliding_window_pattern"), 2);
}

TEST_F(GgufFamilies, KeysOfGranite) {
  const ReadGguf gguf = write("granite");
  EXPECT_FLOAT_EQ(gguf.key("granite.embedding_scale").get<float>(), 3.0F);
  EXPECT_FLOAT_EQ(gguf.key("granite.attention.scale").get<float>(), 0.4F);
  EXPECT_FLOAT_EQ(gguf.key("granite.residual_scale").get<float>(), 0.6F);
  EXPECT_FLOAT_EQ(gguf.key("granite.logit_scale").get<float>(), 2.5F);
}

// Both scales of Ministral's yarn are 1, so that cosines and sines keep their size; llama.cpp would
// multiply them by 0.1 ln 8 + 1.
TEST_F(GgufFamilies, KeysOfMinistral3) {
  const ReadGguf gguf = write("ministral3");
  EXPECT_EQ(gguf.key("mistral3.rope.scaling.type"), "yarn");
  EXPECT_EQ(gguf.key("mistral3.rope.scaling.factor"), 8.0);
  EXPECT_EQ(gguf.key("mistral3.rope.scaling.original_context_length"), 16);
  EXPECT_EQ(gguf.key("mistral3.rope.scaling.yarn_beta_fast"), 4.0);
  EXPECT_FLOAT_EQ(gguf.key("mistral3.rope.scaling.attn_factor").get<float>(),
                  static_cast<float>(1 / (0.1 * std::log(8.0) + 1)));
  EXPECT_FLOAT_EQ(gguf.key("mistral3.attention.temperature_scale").get<float>(), 0.1F);
}

TEST_F(GgufFamilies, KeysAndFactorsOfPhi3) {
  const ReadGguf gguf = write("phi3_longrope_partial");
  EXPECT_EQ(gguf.key("phi3.rope.dimension_count"), 12);
  EXPECT_EQ(gguf.key("phi3.rope.scaling.original_context_length"), 14);
  EXPECT_FLOAT_EQ(gguf.key("phi3.rope.scaling.attn_factor").get<float>(),
                  static_cast<float>(std::sqrt(1 + std::log(64.0 / 14) / std::log(14.0))));
  EXPECT_FLOAT_EQ(gguf.floats("rope_factors_long.weight")[2], 2.4F);
  EXPECT_FLOAT_EQ(gguf.floats("rope_factors_short.weight")[5], 1.1F);
}

TEST_F(GgufFamilies, KeysOfOlmo3) {
  const ReadGguf gguf = write("olmo3");
  EXPECT_EQ(gguf.key("general.architecture"), "olmo2");
  EXPECT_EQ(gguf.key("olmo2.attention.sliding_window"), 6);
  EXPECT_EQ(gguf.key("olmo2.rope.freq_base_swa"), 10000.0);
  EXPECT_TRUE(gguf.key("olmo2.rope.scaling.attn_factor").is_null());  // yarn's usual one
}

// What is said of a configuration that is changed.
std::string told(const ordered_json& changes) {
  ::testing::internal::CaptureStderr();
  const std::string error = user_error_of(
      [&] { gguf_architecture(parse_config(small_config(changes)), "name", GgufType::f16); });
  return ::testing::internal::GetCapturedStderr() + error;
}

TEST(GgufLimits, NothingIsSaidOfWhatLlamaCppComputes) {
  EXPECT_EQ(told(ordered_json::object()), "");
  EXPECT_EQ(told({{"model_type", "gemma2"}, {"query_pre_attn_scalar", 256}}), "");
  EXPECT_EQ(told({{"model_type", "qwen2"}}), "");
  EXPECT_EQ(told({{"model_type", "smollm3"}}), "");
  EXPECT_EQ(told({{"model_type", "granite"}, {"attention_bias", true}}), "");
}

TEST(GgufLimits, ModelsThatLlamaCppCannotOpenAreRefused) {
  const auto refused = [](const char* family, const char* key, const ordered_json& value) {
    return told({{"model_type", family}, {key, value}});
  };
  EXPECT_THAT(
      refused("qwen3", "attention_bias", true),
      HasSubstr("cannot be exported to GGUF: llama.cpp's architecture 'qwen3' has no biases"));
  EXPECT_THAT(refused("gemma", "tie_word_embeddings", false), HasSubstr("no head of its own"));
  EXPECT_THAT(refused("olmo2", "tie_word_embeddings", true), HasSubstr("needs a head of its own"));
  EXPECT_THAT(refused("phi3", "head_dim", 8),
              HasSubstr("needs heads that make up the hidden size"));
  EXPECT_THAT(refused("qwen2", "rope_scaling",
                      {{"rope_type", "llama3"},
                       {"factor", 2},
                       {"low_freq_factor", 1},
                       {"high_freq_factor", 4}}),
              HasSubstr("no rotary embedding of type llama3"));
}

TEST(GgufLimits, WhatLlamaCppComputesAnotherWayIsAWarning) {
  EXPECT_THAT(told({{"model_type", "mistral"}, {"sliding_window", 8}}),
              HasSubstr("no sliding window for this architecture: its results differ beyond 8"));
  EXPECT_THAT(told({{"model_type", "gemma2"},
                    {"sliding_window", 8},
                    {"query_pre_attn_scalar", 100},
                    {"layer_types", {"full_attention", "sliding_attention"}}}),
              AllOf(HasSubstr("a window in all but every n-th layer"),
                    HasSubstr("no scale of scores but 1 / sqrt(head size)")));
  const auto gemma2_without_windows = [](std::int64_t positions) {
    return told({{"model_type", "gemma2"},
                 {"query_pre_attn_scalar", 256},
                 {"layer_types", {"full_attention", "full_attention"}},
                 {"max_position_embeddings", positions}});
  };
  EXPECT_THAT(gemma2_without_windows(8192),
              HasSubstr("a sliding window of 4096 tokens in every other layer"));
  EXPECT_EQ(gemma2_without_windows(4096), "");
  EXPECT_THAT(told({{"model_type", "smollm3"}, {"no_rope_layers", {0, 1}}}),
              HasSubstr("rotary embeddings in other layers"));
  EXPECT_THAT(told({{"hidden_act", "gelu_pytorch_tanh"}}), HasSubstr("another activation"));
  EXPECT_THAT(told({{"rope_scaling", {{"rope_type", "yarn"}, {"factor", 2}, {"truncate", false}}}}),
              HasSubstr("a ramp of whole columns in yarn"));
}

TEST(GgufLimits, AWindowOfEveryLayerButSome) {
  const auto period = [](std::initializer_list<std::int64_t> windows) {
    ModelConfig config;
    for (const std::int64_t window : windows) {
      config.layer_attention.push_back({.window = window});
    }
    return window_period(config);
  };
  EXPECT_EQ(period({4, 0, 4, 0}), 2);
  EXPECT_EQ(period({4, 4, 4, 0, 4}), 4);
  EXPECT_EQ(period({4, 4}), 3);  // the first layer without one is yet to come
  EXPECT_EQ(period({0, 0}), 1);
  EXPECT_EQ(period({0, 4}), std::nullopt);
  EXPECT_EQ(period({4, 0, 0, 4}), std::nullopt);
}

}  // namespace
}  // namespace lmpo::gguf_families_test
