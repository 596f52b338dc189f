#include "io/checkpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

#include "base/json.h"
#include "base/testing/test_folder.h"

namespace lmpo::checkpoint_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* single = "model.safetensors";
constexpr const char* index_file = "model.safetensors.index.json";

// Tensors t0, t1, ... of the given numbers of float32 elements, all of one value.
class CheckpointFolder : public FolderTest {
 protected:
  std::vector<TensorSource> tensors(const std::vector<std::int64_t>& sizes, float value = 1) {
    std::vector<TensorSource> sources;
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      memory_.push_back(std::make_unique<std::vector<float>>(sizes[i], value));
      sources.push_back(tensor_from_memory(fmt::format("t{}", i), Dtype::f32, {sizes[i]},
                                           memory_.back()->data()));
    }
    return sources;
  }

  std::string open_error() const {
    return user_error_of([&] { Checkpoint::open(folder_); });
  }

  float first_value(const std::string& name) const {
    float value = 0;
    read_as_float(Checkpoint::open(folder_).tensor(name), 0, std::span(&value, 1));
    return value;
  }

  std::vector<std::string> names_in(const char* file) const {
    return Checkpoint::open(folder_ / file).names();
  }

  void edit_weight_map(const std::function<void(json&)>& edit) const {
    json index = read_json(folder_ / index_file);
    edit(index["weight_map"]);
    write_file_atomically(folder_ / index_file, index.dump());
  }

 private:
  std::vector<std::unique_ptr<std::vector<float>>> memory_;
};

TEST_F(CheckpointFolder, OneFileWhereAllFits) {
  write_checkpoint(folder_, tensors({2, 3}), 20);
  EXPECT_EQ(listing(), std::set<std::string>{single});
  const SafetensorsFile file(folder_ / single);
  EXPECT_THAT(file.metadata(), ElementsAre(::testing::Pair("format", "pt")));
  EXPECT_THAT(Checkpoint::open(folder_).names(), ElementsAre("t0", "t1"));
}

TEST_F(CheckpointFolder, CutsWhereTheNextTensorWouldNotFit) {
  // 8 and 12 bytes fill 20 exactly; 4 more start the next shard; 24 have a shard of their own,
  // which does not end the one being filled.
  write_checkpoint(folder_, tensors({2, 3, 1, 6, 4}), 20);
  EXPECT_EQ(listing(), (std::set<std::string>{"model-00001-of-00003.safetensors",
                                              "model-00002-of-00003.safetensors",
                                              "model-00003-of-00003.safetensors", index_file}));
  EXPECT_THAT(names_in("model-00001-of-00003.safetensors"), ElementsAre("t0", "t1"));
  EXPECT_THAT(names_in("model-00002-of-00003.safetensors"), ElementsAre("t3"));
  EXPECT_THAT(names_in("model-00003-of-00003.safetensors"), ElementsAre("t2", "t4"));
  for (const char* number : {"1", "2", "3"}) {
    const SafetensorsFile file(folder_ / fmt::format("model-0000{}-of-00003.safetensors", number));
    EXPECT_THAT(file.metadata(), ElementsAre(::testing::Pair("format", "pt")));
  }
  const json index = read_json(folder_ / index_file);
  EXPECT_EQ(index["metadata"], json({{"total_size", 64}, {"total_parameters", 16}}));
  EXPECT_EQ(index["weight_map"]["t3"], "model-00002-of-00003.safetensors");
  EXPECT_THAT(Checkpoint::open(folder_).names(), ElementsAre("t0", "t1", "t2", "t3", "t4"));
}

TEST_F(CheckpointFolder, ANewSaveReplacesAnEarlierOneOfAnotherCut) {
  for (const std::int64_t shard_bytes : {100, 8, 20, 100, 8}) {
    const auto value = static_cast<float>(shard_bytes);
    write_file_atomically(folder_ / "model-card.md", "kept");
    write_checkpoint(folder_, tensors({2, 2, 2}, value), shard_bytes);
    EXPECT_EQ(first_value("t2"), value);
    const std::size_t shards = shard_bytes == 8 ? 3 : shard_bytes == 20 ? 2 : 1;
    EXPECT_EQ(listing().size(), 1 + shards + (shards > 1 ? 1 : 0)) << shard_bytes;
    EXPECT_TRUE(listing().contains("model-card.md"));
  }
}

TEST_F(CheckpointFolder, AFailureLeavesTheEarlierSave) {
  for (const std::int64_t shard_bytes : {100, 8}) {
    write_checkpoint(folder_, tensors({2, 2, 2}, 1), shard_bytes);
    const auto before = listing();
    auto broken = tensors({2, 2, 2}, 2);
    broken[1].read = [](std::int64_t, std::span<std::byte>) {
      throw std::runtime_error("no more");
    };
    EXPECT_THROW(write_checkpoint(folder_, broken, shard_bytes), std::runtime_error);
    EXPECT_EQ(listing(), before);
    for (const char* name : {"t0", "t1", "t2"}) {
      EXPECT_EQ(first_value(name), 1) << name;
    }
  }
}

TEST_F(CheckpointFolder, OpensAFolderOrAFile) {
  write_checkpoint(folder_, tensors({2, 3}), 100);
  for (const fs::path& path : {folder_, folder_ / single}) {
    const Checkpoint checkpoint = Checkpoint::open(path);
    EXPECT_EQ(checkpoint.path(), path);
    ASSERT_NE(checkpoint.find("t1"), nullptr);
    EXPECT_THAT(checkpoint.find("t1")->shape, ElementsAre(3));
    EXPECT_EQ(checkpoint.find("t2"), nullptr);
    EXPECT_THAT(user_error_of([&] { checkpoint.tensor("t2"); }),
                HasSubstr("there is no tensor 't2'"));
  }
}

TEST_F(CheckpointFolder, SaysWhatAFolderWithoutWeightsLacks) {
  EXPECT_THAT(open_error(), HasSubstr("no weights: model.safetensors or"));
  write_file_atomically(folder_ / "pytorch_model.bin", "pickle");
  EXPECT_THAT(open_error(), HasSubstr("only pytorch_model.bin is here"));
  EXPECT_THAT(
      user_error_of([] { Checkpoint::open("meta-llama/Llama-3.2-1B"); }),
      HasSubstr("hf download meta-llama/Llama-3.2-1B --local-dir FOLDER, then --model FOLDER"));
}

TEST_F(CheckpointFolder, NamesAMissingShard) {
  write_checkpoint(folder_, tensors({2, 2}), 8);
  fs::remove(folder_ / "model-00002-of-00002.safetensors");
  EXPECT_THAT(open_error(), HasSubstr("model-00002-of-00002.safetensors: this shard is missing"));
  EXPECT_THAT(open_error(), HasSubstr("'t1'"));
}

TEST_F(CheckpointFolder, NamesAMalformedShard) {
  write_checkpoint(folder_, tensors({2, 2}), 8);
  fs::resize_file(folder_ / "model-00002-of-00002.safetensors", 90);
  EXPECT_THAT(open_error(), HasSubstr("model-00002-of-00002.safetensors: "));
}

TEST_F(CheckpointFolder, NamesATensorThatIsNotInItsShard) {
  write_checkpoint(folder_, tensors({2, 2}), 8);
  edit_weight_map([](json& map) { map["t7"] = "model-00001-of-00002.safetensors"; });
  EXPECT_THAT(open_error(), HasSubstr("'t7' should be in model-00001-of-00002.safetensors"));
}

TEST_F(CheckpointFolder, LeavesOutTensorsThatTheIndexDoesNotName) {
  write_checkpoint(folder_, tensors({2, 2, 2}), 16);
  edit_weight_map([](json& map) { map.erase("t0"); });
  EXPECT_THAT(Checkpoint::open(folder_).names(), ElementsAre("t1", "t2"));
}

TEST_F(CheckpointFolder, AnIndexCannotLeadOutOfItsFolder) {
  write_checkpoint(folder_, tensors({2, 2}), 8);
  for (const char* shard : {"../model.safetensors", "/etc/passwd", "a/b", "a/", ""}) {
    edit_weight_map([&](json& map) { map["t1"] = shard; });
    EXPECT_THAT(open_error(), HasSubstr("weight_map: 't1'")) << shard;
  }
  edit_weight_map([](json& map) { map["t1"] = 7; });
  EXPECT_THAT(open_error(), HasSubstr("weight_map: 't1' must name a file"));
}

TEST_F(CheckpointFolder, RefusesAnIndexThatIsNone) {
  for (const char* text : {"", "{", "[]", "{}", R"({"weight_map": []})", "null"}) {
    write_file_atomically(folder_ / index_file, text);
    EXPECT_THAT(open_error(), HasSubstr(index_file)) << text;
  }
}

TEST_F(CheckpointFolder, CopiesTheTextFilesThatAreThere) {
  fs::create_directories(folder_ / "from");
  fs::create_directories(folder_ / "to");
  for (const char* name : {"tokenizer.json", "chat_template.jinja", "config.json", single}) {
    write_file_atomically(folder_ / "from" / name, name);
  }
  copy_text_files(folder_ / "from", folder_ / "to");
  EXPECT_EQ(read_file(folder_ / "to/tokenizer.json"), "tokenizer.json");
  EXPECT_EQ(read_file(folder_ / "to/chat_template.jinja"), "chat_template.jinja");
  EXPECT_FALSE(fs::exists(folder_ / "to/config.json"));
  EXPECT_FALSE(fs::exists(folder_ / "to" / single));
  copy_text_files(folder_ / "to", folder_ / "to");
  EXPECT_EQ(read_file(folder_ / "to/tokenizer.json"), "tokenizer.json");
}

}  // namespace
}  // namespace lmpo::checkpoint_test
