// config.json of a GGUF file's keys: what llama.cpp says in another way than transformers, or knows by
// itself. Whole models are in gguf_round_trip_test.cpp.
#include "convert/gguf_config.h"

#include <gmock/gmock.h>

#include "base/testing/test_folder.h"
#include "io/gguf.h"

namespace lmpo::gguf_config_test {
namespace {

class GgufConfig : public FolderTest {
 protected:
  // A model of four layers with four heads of 16 columns, with more keys of its architecture.
  ordered_json config(const std::string& architecture, const GgufMetadata& more,
                      std::vector<GgufTensor> tensors = {}) const {
    GgufMetadata keys = {{"general.architecture", architecture}};
    const auto add = [&](const char* key, GgufValue value) {
      keys.emplace_back(fmt::format("{}.{}", architecture, key), std::move(value));
    };
    for (const auto& [key, value] :
         std::vector<std::pair<const char*, std::uint32_t>>{{"context_length", 131072},
                                                            {"embedding_length", 64},
                                                            {"block_count", 4},
                                                            {"feed_forward_length", 96},
                                                            {"attention.head_count", 4},
                                                            {"attention.head_count_kv", 2}}) {
      add(key, value);
    }
    add("attention.layer_norm_rms_epsilon", 1e-6F);
    for (const auto& [key, value] : more) {
      std::erase_if(keys, [&key = key](const auto& entry) { return entry.first == key; });
      keys.emplace_back(key, value);
    }
    tensors.push_back(constant("token_embd.weight", {8, 64}, 0));
    write_gguf(folder_ / "x.gguf", keys, tensors);
    return gguf_config(GgufFile(folder_ / "x.gguf"));
  }

  static GgufTensor constant(const char* name, std::vector<std::int64_t> shape, float value) {
    return values(name, std::move(shape), {value});
  }
  // The values in turn.
  static GgufTensor values(const char* name, std::vector<std::int64_t> shape,
                           std::vector<float> all) {
    return {.name = name,
            .shape = std::move(shape),
            .read = [all = std::move(all)](std::int64_t begin, std::span<float> out) {
              for (std::size_t i = 0; i < out.size(); ++i) {
                out[i] = all[(static_cast<std::size_t>(begin) + i) % all.size()];
              }
            }};
  }
};

// llama.cpp knows the two models that do not scale by the head size by their layers.
TEST_F(GgufConfig, ScoresOfTheLargestGemmasAreScaledByWidthOverHeads) {
  const auto scale = [&](const char* architecture, std::uint32_t layers) {
    const std::string name = architecture;
    return config(name, {{name + ".block_count", layers},
                         {name + ".attention.key_length", std::uint32_t{32}}})
        ["query_pre_attn_"
         "scalar"];
  };
  EXPECT_EQ(scale("gemma2", 42), 32);
  EXPECT_EQ(scale("gemma2", 46), 16);
  EXPECT_EQ(scale("gemma3", 46), 32);
  EXPECT_EQ(scale("gemma3", 62), 16);
}

// Without a key transformers would take its own windows for Gemma 3.
TEST_F(GgufConfig, AGemma3WithoutWindowsSaysSoInEveryLayer) {
  const ordered_json all_full(4, "full_attention");
  EXPECT_EQ(config("gemma3", {})["layer_types"], all_full);
  const ordered_json zero =
      config("gemma3", {{"gemma3.attention.sliding_window", std::uint32_t{0}}});
  EXPECT_EQ(zero["layer_types"], all_full);
  EXPECT_TRUE(zero["sliding_window"].is_null());
}

TEST_F(GgufConfig, WindowsInAllButEveryNthLayer) {
  const ordered_json found =
      config("gemma3", {{"gemma3.attention.sliding_window", std::uint32_t{8}},
                        {"gemma3.attention.sliding_window_pattern", std::uint32_t{3}}});
  EXPECT_EQ(found["sliding_window"], 8);
  EXPECT_EQ(found["layer_types"], ordered_json({"sliding_attention", "sliding_attention",
                                                "full_attention", "sliding_attention"}));
}

TEST_F(GgufConfig, HeadsOfPhi3TurnInPartAndByItsFactors) {
  const GgufMetadata keys = {{"phi3.rope.dimension_count", std::uint32_t{12}},
                             {"phi3.rope.scaling.original_context_length", std::uint32_t{4096}},
                             {"phi3.rope.scaling.attn_factor", 1.25F}};
  const ordered_json found = config("phi3", keys,
                                    {constant("rope_factors_short.weight", {6}, 1.5F),
                                     constant("rope_factors_long.weight", {6}, 2.5F)});
  EXPECT_EQ(found["partial_rotary_factor"], 0.75);
  EXPECT_EQ(found["original_max_position_embeddings"], 4096);
  EXPECT_EQ(found["rope_scaling"]["short_factor"], ordered_json(6, 1.5));
  EXPECT_EQ(found["rope_scaling"]["long_factor"], ordered_json(6, 2.5));
  EXPECT_EQ(found["rope_scaling"]["attention_factor"], 1.25);  // not the usual one
}

// Two frequencies, one far too quick and one far too slow to tell the old context.
TEST_F(GgufConfig, TheOldContextOfLlama3IsItsOwnWhereSeveralFit) {
  const auto old_context = [&](std::uint32_t length) {
    return config("llama",
                  {{"llama.context_length", length},
                   {"llama.rope.freq_base", 1e8F},
                   {"llama.rope.dimension_count", std::uint32_t{4}}},
                  {values("rope_freqs.weight", {2},
                          {1, 8})})["rope_scaling"]["original_max_position_embeddings"];
  };
  EXPECT_EQ(old_context(131072), 8192);
  EXPECT_EQ(old_context(8192), 32);
}

TEST_F(GgufConfig, OldAndRareKeysOfRotaryScaling) {
  EXPECT_EQ(config("llama", {{"llama.rope.scale_linear", 4.0F}})["rope_scaling"],
            ordered_json({{"rope_type", "linear"}, {"factor", 4.0}}));
  const ordered_json ministral =
      config("mistral3", {{"mistral3.rope.scaling.type", std::string("yarn")},
                          {"mistral3.rope.scaling.factor", 16.0F},
                          {"mistral3.rope.scaling.yarn_log_multiplier", 0.5F},
                          {"mistral3.attention.temperature_scale", 0.1F}})["rope_parameters"];
  EXPECT_EQ(ministral["mscale"], 1.0);
  EXPECT_EQ(ministral["mscale_all_dim"], 0.5);
  EXPECT_EQ(ministral["llama_4_scaling_beta"], 0.1);
}

}  // namespace
}  // namespace lmpo::gguf_config_test
