// A configuration against its tensors. Names and shapes are transformers' (testdata/tensors.json and
// testdata/sharded, made by tools/oracle/config_golden.py).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/testing/test_folder.h"
#include "model/tensor_table.h"
#include "model/testing/config_texts.h"

namespace lmpo::tensor_check_test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// The configuration of a model of tools/oracle/make_families.py.
ModelConfig made_config(const std::string& name) {
  for (const ordered_json& golden : golden_configs()) {
    if (golden["name"] == "made: " + name) {
      return parse_config(golden["config"]);
    }
  }
  throw std::out_of_range(name);
}

// llama.cpp's names are those of its Python package gguf.
TEST(TensorTable, HasTransformersNamesShapesAndOrderAndLlamaCppsNames) {
  const auto golden = ordered_json::parse(read_file(golden_folder() / "tensors.json"));
  for (const auto& [name, expected] : golden.items()) {
    std::size_t next = 0;
    for (const ModelTensor& tensor : model_tensors(made_config(name))) {
      if (tensor.layer > 0) {
        continue;
      }
      ASSERT_LT(next, expected.size()) << name;
      const ordered_json& there = expected[next++];
      EXPECT_EQ(tensor.name, there[0]) << name;
      EXPECT_EQ(ordered_json(tensor.shape), there[1]) << name << " " << tensor.name;
      if (!there[2].is_null()) {  // as an untied head in Gemma, which llama.cpp cannot have
        EXPECT_EQ(tensor.gguf_name, there[2]) << name;
      }
    }
    EXPECT_EQ(next, expected.size()) << name;
  }
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
  const ModelConfig config_ = parse_config(small_config());
  const ModelConfig tied_ = parse_config(small_config({{"tie_word_embeddings", true}}));
};

TEST_F(CheckTensors, AcceptsTheModelsOfTransformers) {
  for (const char* name : {"llama", "llama_tied", "mistral", "sharded"}) {
    const fs::path folder = golden_folder() / name;
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
  const fs::path golden = golden_folder() / "sharded";
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

// What a model of one family lacks under the configuration of another.
struct Mistaken {
  const char* config;
  const char* tensors;
  const char* told;
};

class MistakenTensors : public CheckTensors, public ::testing::WithParamInterface<Mistaken> {};

TEST_P(MistakenTensors, AreNamed) {
  write(made_config(GetParam().tensors));
  EXPECT_THAT(misfit(made_config(GetParam().config)), HasSubstr(GetParam().told));
}

const std::vector<Mistaken> mistaken = {
    {"qwen2", "llama_bias_tied", "self_attn.o_proj.bias"},
    {"qwen2", "mistral_full", "missing: model.layers.0.self_attn.q_proj.bias"},
    {"qwen3", "llama", "missing: model.layers.0.self_attn.q_norm.weight"},
    {"llama", "qwen3", "unexpected: model.layers.0.self_attn.k_norm.weight"},
    {"gemma2", "gemma", "missing: model.layers.0.pre_feedforward_layernorm.weight"},
    {"gemma3_text", "gemma2", "missing: model.layers.0.self_attn.q_norm.weight"},
    {"olmo2", "llama", "unexpected: model.layers.0.input_layernorm.weight"},
    {"llama", "phi3", "unexpected: model.layers.0.mlp.gate_up_proj.weight"},
    {"phi3", "llama", "missing: model.layers.0.self_attn.qkv_proj.weight"},
};

INSTANTIATE_TEST_SUITE_P(Families, MistakenTensors, ::testing::ValuesIn(mistaken),
                         [](const auto& made) {
                           return std::string(made.param.config) + "_with_" + made.param.tensors;
                         });

// The names under which transformers saves a multimodal model, and those it has in memory.
TEST_F(CheckTensors, ReadsTheLanguageModelOfAMultimodalOne) {
  for (const char* prefix : {"language_model.model.", "model.language_model."}) {
    write(config_, [&](auto& list) {
      for (ModelTensor& tensor : list) {
        if (tensor.name.starts_with("model.")) {
          tensor.name = prefix + tensor.name.substr(6);
        }
      }
      list.push_back({"vision_tower.patch.weight", {2, 2}});
    });
    EXPECT_EQ(misfit(config_), "") << prefix;
    const Checkpoint checkpoint = Checkpoint::open(folder_);
    EXPECT_THAT(checkpoint.left_out(), ::testing::ElementsAre("vision_tower.patch.weight"));
    EXPECT_EQ(checkpoint.names().size(), model_tensors(config_).size());
    EXPECT_EQ(checkpoint.tensor("model.norm.weight").shape[0], 8);
  }
}

}  // namespace
}  // namespace lmpo::tensor_check_test
