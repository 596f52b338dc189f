// Wrong model folders. Each mistake ends the program with exit code 2 before anything is written, and
// the message names the file or key, what was expected and what to do.
#include "cli/testing/bad_input.h"

namespace lmpo::bad_model_test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr std::size_t kLengthBytes = 8;  // before the header

std::size_t header_length(const std::string& file) {
  std::size_t length = 0;
  for (std::size_t i = 0; i < kLengthBytes; ++i) {
    length |= static_cast<std::size_t>(static_cast<unsigned char>(file[i])) << (8 * i);
  }
  return length;
}

std::string with_length(std::size_t length, const std::string& rest) {
  std::string file;
  for (std::size_t i = 0; i < kLengthBytes; ++i) {
    file += static_cast<char>(length >> (8 * i) & 0xFF);
  }
  return file + rest;
}

TEST_F(BadInput, APathThatNoSystemHas) {
  const std::string name(300, 'a');
  const auto too_long = AllOf(HasSubstr("error: " + name), HasSubstr(": File name too long"));
  expect_refusal(train(name, pairs()), too_long);
  expect_refusal(train(model(), name), too_long);
  expect_refusal(score(name, pairs()), too_long);
  expect_refusal({"report", name}, too_long);
}

TEST_F(BadInput, TruncatedWeights) {
  const fs::path folder = copy_of_model("model");
  const fs::path file = folder / "model.safetensors";
  const std::string whole = read_file(file);
  const std::size_t header = header_length(whole);
  const std::vector<std::pair<std::size_t, const char*>> cuts = {
      {0, "0 bytes are too few"},
      {5, "5 bytes are too few"},
      {kLengthBytes + header / 2, "truncated: a header of"},
      {kLengthBytes + header, "the file is truncated or its header is wrong"},
      {whole.size() - 1, "the file is truncated or its header is wrong"}};
  for (const auto& [size, message] : cuts) {
    write_file_atomically(file, whole.substr(0, size));
    for (const Words& words : {train(folder, pairs()), score(folder, pairs()), generate(folder)}) {
      expect_refusal(words, AllOf(HasSubstr(file.string()), HasSubstr(message)));
    }
  }
}

TEST_F(BadInput, LyingWeights) {
  const fs::path folder = copy_of_model("model");
  const fs::path file = folder / "model.safetensors";
  const std::string whole = read_file(file);
  const std::size_t length = header_length(whole);
  const std::string data = whole.substr(kLengthBytes + length);
  const auto expect = [&](const std::string& content, const std::string& message) {
    write_file_atomically(file, content);
    expect_refusal(train(folder, pairs()), AllOf(HasSubstr(file.string()), HasSubstr(message)));
  };
  expect(with_length(~std::size_t{0}, whole.substr(kLengthBytes)), "is announced, at most");
  expect(with_length(length, std::string(length, '{') + data),
         "the header is not valid JSON: parse error");
  expect(with_length(length, std::string(length, ' ') + data), "does not start with '{'");
  expect(whole + "tail", "4 bytes follow that belong to no tensor");

  const auto lie = [&](const std::function<void(json&)>& edit, const std::string& message) {
    json header = json::parse(whole.substr(kLengthBytes, length));
    edit(header["model.norm.weight"]);
    const std::string text = header.dump();
    expect(with_length(text.size(), text + data), "'model.norm.weight'" + message);
  };
  lie([](json& norm) { norm["shape"] = {64}; },
      ": F32 [64] needs 256 bytes, data_offsets give 128");
  lie([](json& norm) { norm["shape"] = {-32}; }, ": 'shape' must hold whole numbers");
  lie([](json& norm) { norm["shape"] = {1LL << 40, 1LL << 40}; }, ": the shape [");
  lie([](json& norm) { norm["dtype"] = "F33"; }, ": unknown dtype 'F33'");
  lie([](json& norm) { norm["dtype"] = "I32"; },
      " holds int32, a floating-point type was expected");
  lie([](json& norm) { norm["data_offsets"] = {128, 0}; }, ": data_offsets must be [begin, end]");
  lie(
      [](json& norm) {
        norm["data_offsets"] = {1LL << 60, (1LL << 60) + 128};
      },
      ": its bytes [1152921504606846976,");
  lie([](json& norm) { norm.erase("shape"); }, ": a list 'shape' was expected");
}

TEST_F(BadInput, WeightsThatAreNotThere) {
  const fs::path folder = copy_of_model("model");
  fs::remove(folder / "model.safetensors");
  expect_refusal(train(folder, pairs()), HasSubstr("no weights: model.safetensors or"));
  write_file_atomically(folder / "pytorch_model.bin", "pickle");
  expect_refusal(train(folder, pairs()), HasSubstr("only pytorch_model.bin is here"));
  fs::remove(folder / "pytorch_model.bin");
  const fs::path index = folder / "model.safetensors.index.json";
  write_file_atomically(index, "{\"weight_map\": {\"model.norm.weight\": \"../secret\"}}");
  expect_refusal(train(folder, pairs()), HasSubstr("must name a file of the same folder"));
  write_file_atomically(index, "{\"weight_map\": {\"model.norm.weight\": \"a.safetensors\"}}");
  expect_refusal(train(folder, pairs()), HasSubstr("this shard is missing"));
  expect_refusal(train("meta-llama/Llama-3.2-1B", pairs()),
                 HasSubstr("hf download meta-llama/Llama-3.2-1B"));
}

TEST_F(BadInput, ConfigurationThatContradictsItsTensors) {
  const fs::path folder = copy_of_model("model");
  const std::string whole = read_file(folder / "config.json");
  const auto expect = [&](const char* key, const json& value,
                          const ::testing::Matcher<const std::string&>& message) {
    write_file_atomically(folder / "config.json", whole);
    edit_json(folder / "config.json", [&](ordered_json& config) { config[key] = value; });
    expect_refusal(train(folder, pairs()), message);
    expect_refusal(score(folder, pairs()), message);
  };
  const auto misfit = [](const char* message) {
    return AllOf(HasSubstr("the tensors do not fit config.json:"), HasSubstr(message));
  };
  expect("vocab_size", 512, misfit("model.embed_tokens.weight is ["));
  expect("intermediate_size", 49, misfit("mlp.down_proj.weight is [32, 48], config.json says"));
  expect("num_hidden_layers", 3, misfit("9 missing: model.layers.2.self_attn.q_proj.weight,"));
  expect("num_hidden_layers", 1, misfit("9 unexpected: "));
  expect("num_key_value_heads", 4, misfit("self_attn.k_proj.weight is [16, 32]"));
  expect("tie_word_embeddings", false, misfit("set tie_word_embeddings: true"));
}

// Llama's tensors, and a config.json that says they are another family's.
TEST_F(BadInput, TensorsOfAnotherFamily) {
  const fs::path folder = copy_of_model("model");
  const std::string whole = read_file(folder / "config.json");
  const auto expect = [&](const char* key, const json& value, const char* message) {
    write_file_atomically(folder / "config.json", whole);
    edit_json(folder / "config.json", [&](ordered_json& config) {
      config["head_dim"] = 8;
      config[key] = value;
    });
    for (const Words& words : {train(folder, pairs()), score(folder, pairs()), generate(folder)}) {
      expect_refusal(
          words, AllOf(HasSubstr(folder.string()), HasSubstr("the tensors do not fit config.json:"),
                       HasSubstr(message)));
    }
  };
  expect("attention_bias", true, "8 missing: model.layers.0.self_attn.q_proj.bias,");
  expect("model_type", "qwen2", "6 missing: model.layers.0.self_attn.q_proj.bias,");
  expect("model_type", "qwen3", "missing: model.layers.0.self_attn.q_norm.weight,");
  expect("model_type", "gemma2", "4 missing: model.layers.0.pre_feedforward_layernorm.weight,");
  expect("model_type", "olmo2", "2 unexpected: model.layers.0.input_layernorm.weight,");
  expect("model_type", "phi3", "missing: model.layers.0.self_attn.qkv_proj.weight,");
}

TEST_F(BadInput, ConfigurationThatIsNone) {
  const fs::path folder = copy_of_model("model");
  const fs::path file = folder / "config.json";
  const std::string whole = read_file(file);
  const auto expect = [&](const char* key, const json& value, const char* message) {
    write_file_atomically(file, whole);
    edit_json(file, [&](ordered_json& config) { config[key] = value; });
    expect_refusal(train(folder, pairs()), AllOf(HasSubstr(file.string()), HasSubstr(message)));
  };
  expect("model_type", "gpt2", "llama, mistral, ");
  expect("hidden_size", "32", "key 'hidden_size': a whole number was expected, not \"32\"");
  expect("hidden_size", -32, "key 'hidden_size'");
  expect("num_attention_heads", 0, "key 'num_attention_heads'");
  expect("num_attention_heads", 3, "num_attention_heads");
  expect("num_hidden_layers", 1LL << 62, "key 'num_hidden_layers'");
  expect("rope_scaling", json{{"rope_type", "spiral"}, {"factor", 2}}, "'spiral' is not supported");
  write_file_atomically(file, whole);
  edit_json(file, [](ordered_json& config) {
    config.update({{"model_type", "gemma2"}, {"layer_types", json::array({"full_attention"})}});
  });
  expect_refusal(train(folder, pairs()),
                 AllOf(HasSubstr(file.string()),
                       HasSubstr("key 'layer_types': a list of 2 names was expected")));
  write_file_atomically(file, whole.substr(0, whole.size() / 2));
  expect_refusal(train(folder, pairs()),
                 AllOf(HasSubstr(file.string()), HasSubstr("not valid JSON")));
  fs::remove(file);
  expect_refusal(train(folder, pairs()), HasSubstr("there is no config.json"));
}

TEST_F(BadInput, TokenizerLargerThanTheEmbedding) {
  const fs::path folder = copy_of_model("model");
  edit_json(folder / "tokenizer.json", [](ordered_json& tokenizer) {
    ordered_json token = tokenizer["added_tokens"][0];
    token["id"] = tokenizer["model"]["vocab"].size();
    token["content"] = "<|extra|>";
    tokenizer["added_tokens"].push_back(token);
  });
  for (const Words& words : {train(folder, pairs()), score(folder, pairs()), generate(folder)}) {
    expect_refusal(words, AllOf(HasSubstr("the tokenizer has ids up to 303"),
                                HasSubstr("the model's embedding has"), HasSubstr("vocab_size")));
  }
  expect_refusal({"init", "--config", (folder / "config.json").string(), "--tokenizer",
                  folder.string(), path("out").string()},
                 HasSubstr("the tokenizer has ids up to 303"));
}

TEST_F(BadInput, TokenizerThatIsNone) {
  const fs::path folder = copy_of_model("model");
  const fs::path file = folder / "tokenizer.json";
  const std::string whole = read_file(file);
  for (const std::string& content :
       {whole.substr(0, whole.size() / 2), std::string("{}"), std::string("[]"), std::string()}) {
    write_file_atomically(file, content);
    expect_refusal(train(folder, pairs()), HasSubstr(file.string()));
  }
  fs::remove(file);
  expect_refusal(train(folder, pairs()), HasSubstr("tokenizer.json"));
}

}  // namespace
}  // namespace lmpo::bad_model_test
