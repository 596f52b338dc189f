// lmpo merge and lmpo export: what they write, and what they refuse.
#include "cli/testing/llama3_model.h"
#include "io/checkpoint.h"
#include "io/testing/gguf_reader.h"

namespace lmpo::convert_test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class Convert : public Llama3Test {
 protected:
  static Words merge(const std::vector<fs::path>& models, const fs::path& out, Words more = {}) {
    Words words = {"merge", "--output", out.string()};
    for (const fs::path& model : models) {
      words.push_back(model.string());
    }
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  static Words exported(const fs::path& model, const fs::path& out, Words more) {
    more.insert(more.begin(), {"export", model.string(), "--output", out.string()});
    return more;
  }
  static std::string weights(const fs::path& folder) {
    return read_file(folder / "model.safetensors");
  }

  // The shared model's sizes with other weights.
  fs::path other_model(const std::string& name, const Words& more = {"--seed", "9"}) const {
    Words words = {"init",        "--config",       (model() / "config.json").string(),
                   "--tokenizer", model().string(), path(name).string()};
    words.insert(words.end(), more.begin(), more.end());
    expect_done(words);
    return path(name);
  }
};

TEST_F(Convert, InterpolationEndsAtItsModels) {
  const fs::path other = other_model("other");
  for (const auto& [alpha, end] : {std::pair("0", model()), std::pair("1", other)}) {
    const fs::path out = path(std::string("at") + alpha);
    expect_done(merge({model(), other}, out, {"--alpha", alpha}));
    EXPECT_EQ(weights(out), weights(end));
    EXPECT_EQ(read_file(out / "tokenizer.json"), read_file(model() / "tokenizer.json"));
    EXPECT_EQ(json::parse(read_file(out / "config.json")),
              json::parse(read_file(model() / "config.json")));
  }
}

TEST_F(Convert, WeightsAreOneAModelInTheirOrder) {
  const fs::path other = other_model("other");
  expect_done(merge({model(), other}, path("a"), {"--weights", "0.25", "0.75"}));
  expect_done(merge({other, model()}, path("b"), {"--weights", "0.75,0.25"}));
  EXPECT_EQ(weights(path("a")), weights(path("b")));
  EXPECT_NE(weights(path("a")), weights(other));
  expect_done(merge({model(), model(), model()}, path("same")));
  EXPECT_EQ(weights(path("same")), weights(model()));
}

TEST_F(Convert, AnotherTypeAndOtherShards) {
  expect_done(exported(model(), path("bf16"), {"--format", "safetensors", "--dtype", "bfloat16"}));
  EXPECT_EQ(Checkpoint::open(path("bf16")).tensor("model.norm.weight").dtype, Dtype::bf16);
  expect_done(
      exported(model(), path("shards"), {"--format", "safetensors", "--max_shard_size", "20KB"}));
  EXPECT_TRUE(fs::exists(path("shards") / "model.safetensors.index.json"));
  expect_done(exported(path("shards"), path("whole"), {"--format", "safetensors"}));
  EXPECT_EQ(weights(path("whole")), weights(model()));
}

TEST_F(Convert, AGgufFileOfEachType) {
  const fs::path folder = llama3_model();
  for (const auto& [type, number] : {std::pair("f32", 0U), std::pair("f16", 1U),
                                     std::pair("bf16", 30U), std::pair("q8_0", 8U)}) {
    const fs::path out = path(std::string(type) + ".gguf");
    expect_done(exported(folder, out, {"--format", "gguf", "--type", type}));
    const ReadGguf gguf = GgufParser::read(out);
    EXPECT_EQ(gguf.key("general.name"), "llama3");
    EXPECT_EQ(gguf.key("tokenizer.ggml.tokens").size(), 352U);
    EXPECT_EQ(gguf.tensors.at("token_embd.weight").type, number);
    EXPECT_EQ(gguf.tensors.at("output_norm.weight").type, 0U);
  }
}

TEST_F(Convert, WeightsThatMakeNoSum) {
  const auto refuse = [&](const Words& more, const char* message) {
    expect_refusal(merge({model(), model()}, path("out"), more), HasSubstr(message));
  };
  refuse({"--weights", "0.5", "0.6"}, "--weights: they must add up to 1, not to 1.1");
  refuse({"--weights", "nan", "0.6"}, "--weights: ");
  refuse({"--weights", "1"}, "--weights: one number per model was expected: 1 for 2 models");
  refuse({"--weights", "half"}, "--weights: a list, each a number was expected, not 'half'");
  refuse({"--alpha", "0.5", "--weights", "0.5", "0.5"}, "either --alpha or --weights");
  expect_refusal(merge({model(), model(), model()}, path("out"), {"--alpha", "0.5"}),
                 HasSubstr("--alpha: needs two models, not 3"));
  expect_refusal(merge({model()}, path("out")), HasSubstr("two or more models"));
  expect_refusal({"merge", model().string(), model().string()}, HasSubstr("--output is needed"));
}

TEST_F(Convert, ModelsThatDiffer) {
  ordered_json config = ordered_json::parse(read_file(model() / "config.json"));
  config["intermediate_size"] = 64;
  const fs::path file = write("wide.json", config.dump());
  const fs::path wide = other_model("wide", {"--config", file.string()});
  expect_refusal(merge({model(), wide}, path("out")),
                 AllOf(HasSubstr(wide.string()), HasSubstr("intermediate_size is 64, but 48 in"),
                       HasSubstr(model().string())));
  const fs::path broken = copy_of_model("broken");
  fs::copy_file(wide / "model.safetensors", broken / "model.safetensors",
                fs::copy_options::overwrite_existing);
  expect_refusal(merge({model(), broken}, path("out")),
                 AllOf(HasSubstr(broken.string()), HasSubstr("the tensors do not fit")));
}

TEST_F(Convert, ACheckpointWithoutOneOfItsShards) {
  const fs::path folder = other_model("shards", {"--max_shard_size", "20KB"});
  const json index = json::parse(read_file(folder / "model.safetensors.index.json"));
  const auto shard = index["weight_map"]["model.norm.weight"].get<std::string>();
  fs::remove(folder / shard);
  const auto message = AllOf(HasSubstr(shard), HasSubstr("this shard is missing"));
  expect_refusal(merge({model(), folder}, path("out")), message);
  expect_refusal(exported(folder, path("out"), {"--format", "gguf"}), message);
}

TEST_F(Convert, AnOutputThatIsThere) {
  fs::create_directories(path("out"));
  write("out/thesis.txt", "years of work");
  const auto message = HasSubstr("already exists; choose another name or remove it");
  expect_refusal(merge({model(), model()}, path("out")), message);
  const fs::path file = write("model.gguf", "a file");
  const fs::path folder = llama3_model();
  expect_refusal(exported(folder, file, {"--format", "gguf"}), message);
  EXPECT_EQ(read_file(file), "a file");
  expect_refusal(exported(folder, path("no/such/model.gguf"), {"--format", "gguf"}),
                 HasSubstr("make it first"));
}

TEST_F(Convert, OptionsOfTheOtherFormat) {
  expect_refusal(exported(model(), path("out"), {"--format", "gguf", "--dtype", "float32"}),
                 HasSubstr("--dtype: is for model folders"));
  expect_refusal(exported(model(), path("out"), {"--format", "safetensors", "--type", "f16"}),
                 HasSubstr("--type: is for GGUF files"));
  expect_refusal(exported(model(), path("out"), {"--format", "ggml"}), HasSubstr("--format: "));
}

TEST_F(Convert, ATokenizerWithoutCounterpart) {
  expect_refusal(exported(model(), path("out"), {"--format", "gguf"}),
                 AllOf(HasSubstr("tokenizer.json: pre_tokenizer: "),
                       HasSubstr("llama.cpp cannot be told to cut words so")));
}

TEST_F(Convert, AFullDiskLeavesNothing) {
  const fs::path folder = llama3_model();
  for (const Words& words : {merge({model(), model()}, path("full")),
                             exported(folder, path("full"), {"--format", "gguf"})}) {
    const auto before = contents(folder_);
    const Result result = run(words, {.largest_file = 8192});
    EXPECT_EQ(result.exit_code, 1) << result.err;
    EXPECT_THAT(result.err, AllOf(HasSubstr(path("full").string()), HasSubstr("writing failed")));
    EXPECT_EQ(changes(before, contents(folder_)), std::vector<std::string>());
  }
}

}  // namespace
}  // namespace lmpo::convert_test
