#include <gmock/gmock.h>

#include "base/testing/test_folder.h"
#include "base/testing/test_paths.h"
#include "inspect/checkpoint_difference.h"
#include "inspect/checkpoint_facts.h"

namespace lmpo::checkpoint_test {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const fs::path kModels = source_folder() / "src/model/testdata";

class CheckpointTest : public FolderTest {
 protected:
  fs::path copy(const std::string& model, const std::string& name) const {
    fs::copy(kModels / model, folder_ / name, fs::copy_options::recursive);
    return folder_ / name;
  }
  // The model's tensors with one number of one of them changed.
  void change(const fs::path& folder, const std::string& tensor, std::int64_t at, float by) const {
    const Checkpoint checkpoint = Checkpoint::open(folder);
    std::vector<std::vector<float>> values;
    std::vector<TensorSource> sources;
    for (const std::string& name : checkpoint.names()) {
      const TensorView view = checkpoint.tensor(name);
      auto& all = values.emplace_back(static_cast<std::size_t>(view.elements()));
      read_as_float(view, 0, all);
      if (name == tensor) {
        all.at(static_cast<std::size_t>(at)) += by;
      }
      sources.push_back(tensor_from_memory(name, Dtype::f32, view.shape, all.data()));
    }
    write_safetensors(folder_ / "changed.safetensors", sources);
    fs::rename(folder_ / "changed.safetensors", folder / "model.safetensors");
  }
};

// By the sizes of the blocks, not by the list of tensors.
TEST_F(CheckpointTest, CountsWhatTheFileHolds) {
  for (const char* model : {"llama", "llama_tied", "mistral"}) {
    const CheckpointFacts facts = checkpoint_facts(kModels / model);
    const ModelConfig& c = facts.config;
    const std::int64_t attention = (2 * c.heads + 2 * c.key_heads) * c.head_size * c.hidden_size;
    const std::int64_t layer =
        attention + 3 * c.intermediate_size * c.hidden_size + 2 * c.hidden_size;
    const std::int64_t tables = (c.tie_word_embeddings ? 1 : 2) * c.vocab_size * c.hidden_size;
    EXPECT_EQ(facts.parameters, c.layers * layer + tables + c.hidden_size) << model;
    ASSERT_EQ(facts.parts.size(), 1u);
    EXPECT_EQ(facts.parts.at("F32").elements, facts.parameters);
    EXPECT_EQ(facts.parts.at("F32").bytes, 4 * facts.parameters);
    EXPECT_GT(facts.train_bytes, facts.serve_bytes);
    EXPECT_GT(facts.serve_bytes, static_cast<std::size_t>(4 * facts.parameters));
  }
}

TEST_F(CheckpointTest, WhatDoesNotFitIsAWarning) {
  const fs::path folder = copy("llama_tied", "model");
  ordered_json config = ordered_json::parse(read_file(folder / "config.json"));
  config["tie_word_embeddings"] = false;
  write_file_atomically(folder / "config.json", config.dump());
  const CheckpointFacts facts = checkpoint_facts(folder);
  EXPECT_THAT(facts.warnings, Contains(HasSubstr("lm_head.weight")));
  EXPECT_THAT(facts.warnings, Contains(HasSubstr("tokenizer.json")));
}

TEST_F(CheckpointTest, TheSameFolderDoesNotDiffer) {
  const CheckpointDifference same = checkpoint_difference(kModels / "llama", copy("llama", "b"));
  EXPECT_THAT(same.config, IsEmpty());
  EXPECT_THAT(same.files, IsEmpty());
  EXPECT_THAT(same.tensors, IsEmpty());
  EXPECT_GT(same.equal_tensors, 10);
}

TEST_F(CheckpointTest, FindsTheNumberThatDiffers) {
  const fs::path other = copy("llama", "b");
  change(other, "model.norm.weight", 3, 0.25F);
  const CheckpointDifference found = checkpoint_difference(kModels / "llama", other);
  ASSERT_EQ(found.tensors.size(), 1u);
  EXPECT_EQ(found.tensors[0].name, "model.norm.weight");
  EXPECT_NEAR(found.tensors[0].most, 0.25, 1e-6);
  const auto size = static_cast<double>(read_model_config(other).hidden_size);
  EXPECT_NEAR(found.tensors[0].mean, 0.25 / size, 1e-7);
  change(other, "model.norm.weight", 4, std::numeric_limits<float>::infinity());
  EXPECT_EQ(checkpoint_difference(kModels / "llama", other).tensors[0].not_finite, 1);
}

TEST_F(CheckpointTest, NamesKeysFilesAndTensorsThatDiffer) {
  const fs::path other = copy("llama_tied", "b");
  ordered_json config = ordered_json::parse(read_file(kModels / "llama/config.json"));
  config["rms_norm_eps"] = 0.125;
  config["a_new_key"] = {{"inner", 1}};
  config.erase("vocab_size");
  config["vocab_size"] =
      ordered_json::parse(read_file(kModels / "llama/config.json"))["vocab_size"];
  write_file_atomically(other / "config.json", config.dump());
  write_file_atomically(other / "chat_template.jinja", "x");
  const CheckpointDifference found = checkpoint_difference(kModels / "llama", other);
  std::vector<std::string> keys;
  for (const ConfigDifference& each : found.config) {
    keys.push_back(each.key);
  }
  EXPECT_THAT(keys, ElementsAre("rms_norm_eps", "a_new_key.inner"));  // their order does not matter
  EXPECT_THAT(found.files, ElementsAre("chat_template.jinja"));
  ASSERT_FALSE(found.tensors.empty());
  EXPECT_EQ(found.tensors[0].name, "lm_head.weight");
  EXPECT_EQ(found.tensors[0].why, "only in the first");
}

}  // namespace
}  // namespace lmpo::checkpoint_test
