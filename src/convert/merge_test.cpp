// Weighted sums of checkpoints beside closed forms.
#include "convert/merge.h"

#include <gmock/gmock.h>

#include <cmath>

#include "base/testing/test_folder.h"
#include "base/testing/test_paths.h"
#include "model/tensor_table.h"

namespace lmpo::merge_test {
namespace {

using ::testing::HasSubstr;

const fs::path kModels = source_folder() / "src/model/testdata";

class Merge : public FolderTest {
 protected:
  // Every tensor's elements from `element`, in the model `like`.
  Checkpoint make(const std::string& name, const ModelConfig& like,
                  const std::function<float(std::size_t)>& element) {
    std::vector<std::vector<float>> values;
    std::vector<TensorSource> sources;
    for (const ModelTensor& expected : model_tensors(like)) {
      std::vector<float>& all = values.emplace_back();
      TensorSource source = {.name = expected.name, .shape = expected.shape, .read = {}};
      for (std::size_t i = 0; i < source.bytes() / sizeof(float); ++i) {
        all.push_back(element(i));
      }
      sources.push_back(tensor_from_memory(expected.name, Dtype::f32, expected.shape, all.data()));
    }
    fs::create_directories(folder_ / name);
    write_checkpoint(folder_ / name, sources, 1 << 30);
    return Checkpoint::open(folder_ / name);
  }

  static std::string bytes(const TensorSource& source) {
    std::string all(source.bytes(), '\0');
    source.read(0, std::as_writable_bytes(std::span(all)));
    return all;
  }
  static std::string bytes(const Checkpoint& checkpoint, const std::string& name) {
    const auto view = checkpoint.tensor(name).bytes;
    return {reinterpret_cast<const char*>(view.data()), view.size()};
  }

  const ModelConfig config_ = read_model_config(kModels / "llama");
  const Checkpoint model_ = Checkpoint::open(kModels / "llama");
};

TEST_F(Merge, WeightsThatAreNotFiniteAreNamedAndNothingIsWritten) {
  const Checkpoint damaged =
      make("damaged", config_, [](std::size_t i) { return i == 5 ? std::nanf("") : 0.5F; });
  try {
    write_weighted_sum(folder_ / "out", config_, {{&model_, 0.5}, {&damaged, 0.5}}, {},
                       kModels / "llama", 1 << 30);
    FAIL() << "nothing was refused";
  } catch (const UserError& error) {
    EXPECT_THAT(error.what(), HasSubstr((folder_ / "damaged").string()));
    EXPECT_THAT(error.what(), HasSubstr("model.embed_tokens.weight (1 of 1152)"));
  }
  EXPECT_FALSE(fs::exists(folder_ / "out"));
}

TEST_F(Merge, AModelWithItselfIsItself) {
  const std::vector<std::vector<double>> weights = {
      {0.5, 0.5}, {1 / 3.0, 1 / 3.0, 1 / 3.0}, {0.1, 0.2, 0.7}, {-0.3, 1.3}};
  for (const std::vector<double>& each : weights) {
    std::vector<WeightedModel> models;
    for (const double weight : each) {
      models.push_back({&model_, weight});
    }
    for (const TensorSource& tensor : weighted_sum(config_, models, {})) {
      EXPECT_EQ(bytes(tensor), bytes(model_, tensor.name)) << tensor.name;
    }
  }
}

// Signs of zeros, infinities and denormals too.
TEST_F(Merge, WeightsOfOneAndZeroGiveTheInputsBitForBit) {
  const std::vector<float> special = {-0.0F, 0.0F, 3.4e38F, -3.4e38F, 1e-45F, -3e38F, 0.1F};
  const Checkpoint first =
      make("first", config_, [&](std::size_t i) { return special[i % special.size()]; });
  const Checkpoint second =
      make("second", config_, [&](std::size_t i) { return special[(i + 3) % special.size()]; });
  for (const double alpha : {0.0, 1.0}) {
    const auto sum = weighted_sum(config_, {{&first, 1 - alpha}, {&second, alpha}}, {});
    for (const TensorSource& tensor : sum) {
      EXPECT_EQ(bytes(tensor), bytes(alpha == 0 ? first : second, tensor.name)) << tensor.name;
    }
  }
}

TEST_F(Merge, IsTheSumThatItSays) {
  const Checkpoint first =
      make("first", config_, [](std::size_t i) { return static_cast<float>(i); });
  const Checkpoint second =
      make("second", config_, [](std::size_t i) { return 8 - 3 * static_cast<float>(i); });
  const auto sum = weighted_sum(config_, {{&first, 0.25}, {&second, 0.75}}, Dtype::f32);
  std::vector<float> values(5);
  sum[0].read(3, std::as_writable_bytes(std::span(values)));  // from the middle
  for (std::size_t i = 0; i < values.size(); ++i) {
    EXPECT_EQ(values[i], 6 - 2 * static_cast<float>(i + 3));
  }
}

TEST_F(Merge, IsRoundedOnceToTheTypeAskedFor) {
  const auto sum = weighted_sum(config_, {{&model_, 1}}, Dtype::bf16);
  EXPECT_EQ(sum[0].dtype, Dtype::bf16);
  std::vector<bfloat16> rounded(7);
  sum[0].read(2, std::as_writable_bytes(std::span(rounded)));
  std::vector<float> values(7);
  read_as_float(model_.tensor(sum[0].name), 2, values);
  for (std::size_t i = 0; i < values.size(); ++i) {
    EXPECT_EQ(rounded[i].bits, to_bfloat16(values[i]).bits);
  }
}

TEST_F(Merge, WritesAWholeFolder) {
  const fs::path out = folder_ / "out";
  write_weighted_sum(out, config_, {{&model_, 0.5}, {&model_, 0.5}}, Dtype::f16, kModels / "llama",
                     4000);
  EXPECT_TRUE(fs::exists(out / "model.safetensors.index.json"));
  const ModelConfig config = read_model_config(out);
  EXPECT_EQ(config.dtype, Dtype::f16);
  check_tensors(config, Checkpoint::open(out));
}

TEST_F(Merge, ModelsThatDifferAreRefusedByTheFirstKey) {
  const auto message = [&](const std::function<void(ModelConfig&)>& edit) {
    ModelConfig other = config_;
    edit(other);
    return user_error_of([&] { check_same_architecture(config_, "A", other, "B"); });
  };
  EXPECT_EQ(message([](ModelConfig& other) {
              other.eos_ids = {7};
              other.dtype = Dtype::bf16;
            }),
            "");
  EXPECT_THAT(message([](ModelConfig& other) {
                other.hidden_size = 48;
                other.heads = 8;
              }),
              HasSubstr("B: config.json: hidden_size is 48, but 24 in A"));
  EXPECT_THAT(message([](ModelConfig& other) { other.ropes[0].theta = 5e5; }),
              HasSubstr("rope_theta is 500000.0, but 10000.0 in A"));
  EXPECT_THAT(message([](ModelConfig& other) { other.ropes[0].kind = Rope::Kind::plain; }),
              HasSubstr("rope_scaling is null, but {"));
  EXPECT_THAT(message([](ModelConfig& other) { other.tie_word_embeddings = true; }),
              HasSubstr("tie_word_embeddings is true, but false in A"));
}

}  // namespace
}  // namespace lmpo::merge_test
