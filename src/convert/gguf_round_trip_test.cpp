// Every family to GGUF and back: the small configurations of src/model/testdata/configs.json with random
// weights.
#include <gmock/gmock.h>

#include <algorithm>
#include <set>

#include "base/log.h"
#include "base/testing/test_folder.h"
#include "base/testing/test_paths.h"
#include "convert/gguf_config.h"
#include "convert/gguf_import.h"
#include "convert/gguf_model.h"
#include "convert/merge.h"
#include "model/tensor_table.h"

namespace lmpo::gguf_round_trip_test {
namespace {

class GgufRoundTrip : public FolderTest {
 protected:
  // Weights that are a function of their place, of the size of real ones.
  Checkpoint make(const ModelConfig& config) const {
    std::vector<std::vector<float>> values;
    std::vector<TensorSource> sources;
    const std::vector<ModelTensor> table = model_tensors(config);
    values.reserve(table.size());
    for (const ModelTensor& tensor : table) {
      TensorSource source = {.name = tensor.name, .shape = tensor.shape, .read = {}};
      std::vector<float>& all = values.emplace_back(source.bytes() / sizeof(float));
      for (std::size_t i = 0; i < all.size(); ++i) {
        // Multiples of 2^-10 below 2, to which 1 can be added exactly.
        all[i] = static_cast<float>((i * 7919 + 13 * sources.size()) % 2039) / 1024 - 1;
      }
      sources.push_back(tensor_from_memory(tensor.name, Dtype::f32, tensor.shape, all.data()));
    }
    fs::create_directories(folder_ / "model");
    write_checkpoint(folder_ / "model", sources, 1 << 30);
    return Checkpoint::open(folder_ / "model");
  }

  // "" where the model comes back as it was, else what is different.
  std::string round_trip(const ModelConfig& config) const {
    const Checkpoint checkpoint = make(config);
    try {
      GgufMetadata keys = gguf_architecture(config, "name", GgufType::f32);
      write_gguf(folder_ / "x.gguf", keys, gguf_tensors(config, checkpoint, GgufType::f32));
    } catch (const UserError&) {
      return "not exported";
    }
    try {
      const GgufFile file(folder_ / "x.gguf");
      const ModelConfig back = parse_model_config(gguf_config(file), "back");
      expect_same_tensors(back, file, checkpoint);
      check_same_architecture(config, "before", back, "after");
      return "";
    } catch (const UserError& error) {
      return error.what();
    }
  }

  static void expect_same_tensors(const ModelConfig& config, const GgufFile& file,
                                  const Checkpoint& checkpoint) {
    std::atomic<std::int64_t> rounded = 0;
    const auto tensors = imported_tensors(config, file, Dtype::f32, rounded);
    EXPECT_EQ(tensors.size(), checkpoint.names().size());
    for (const TensorSource& tensor : tensors) {
      std::string bytes(tensor.bytes(), '\0');
      tensor.read(0, std::as_writable_bytes(std::span(bytes)));
      const auto expected = checkpoint.tensor(tensor.name).bytes;
      EXPECT_TRUE(
          std::equal(bytes.begin(), bytes.end(), reinterpret_cast<const char*>(expected.data())))
          << tensor.name;
    }
  }
};

// The others ask for what a GGUF file of their family cannot say: the export refuses or warns.
const std::set<std::string> kWhole = {
    "made: llama",      "made: llama_bias_tied", "made: llama_llama3", "made: llama_linear",
    "made: llama_yarn", "made: ministral3",      "made: qwen2",        "made: qwen3",
    "made: gemma",      "made: gemma3",          "made: phi3",         "made: olmo2",
    "made: olmo3",      "made: smollm3",         "made: granite",      "made: granite_bias_tied"};

TEST_F(GgufRoundTrip, FamiliesComeBackAsTheyWere) {
  set_log_level(LogLevel::error);
  const ordered_json entries =
      ordered_json::parse(read_file(source_folder() / "src/model/testdata/configs.json"));
  for (const ordered_json& entry : entries) {
    const std::string name = entry["name"];
    if (name.starts_with("made: ")) {
      const std::string different = round_trip(parse_model_config(entry["config"], name));
      EXPECT_EQ(different.empty(), kWhole.contains(name)) << name << ": " << different;
    }
  }
  set_log_level(LogLevel::info);
}

// As llama.cpp's gguf-split writes it: the first part has the keys.
TEST_F(GgufRoundTrip, TheLastOfTwoPartsOpensTheWholeModel) {
  const ordered_json entries =
      ordered_json::parse(read_file(source_folder() / "src/model/testdata/configs.json"));
  const auto found = std::ranges::find(entries, "made: llama", [](const ordered_json& entry) {
    return entry["name"].get<std::string>();
  });
  const ModelConfig config = parse_model_config((*found)["config"], "before");
  const Checkpoint checkpoint = make(config);
  const std::vector<GgufTensor> tensors = gguf_tensors(config, checkpoint, GgufType::f32);
  const auto keys_of_part = [&](std::uint32_t number) {
    GgufMetadata keys =
        number == 0 ? gguf_architecture(config, "name", GgufType::f32) : GgufMetadata();
    keys.emplace_back("split.no", number);
    keys.emplace_back("split.count", std::uint32_t{2});
    keys.emplace_back("split.tensors.count", static_cast<std::uint32_t>(tensors.size()));
    return keys;
  };
  const auto middle = tensors.begin() + 5;
  write_gguf(folder_ / "x-00001-of-00002.gguf", keys_of_part(0), {tensors.begin(), middle});
  write_gguf(folder_ / "x-00002-of-00002.gguf", keys_of_part(1), {middle, tensors.end()});
  const GgufFile file(folder_ / "x-00002-of-00002.gguf");
  const ModelConfig back = parse_model_config(gguf_config(file), "after");
  expect_same_tensors(back, file, checkpoint);
  check_same_architecture(config, "before", back, "after");
}

}  // namespace
}  // namespace lmpo::gguf_round_trip_test
