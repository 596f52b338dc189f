// From a model folder to a GGUF file and back; and files that lmpo does not read.
#include "convert/gguf_import.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "base/testing/test_folder.h"
#include "base/testing/test_paths.h"
#include "convert/gguf_config.h"
#include "convert/gguf_kind.h"
#include "convert/gguf_merges.h"
#include "convert/gguf_model.h"
#include "convert/gguf_scores.h"
#include "convert/gguf_tokenizer.h"
#include "convert/gguf_vocabulary.h"
#include "convert/gguf_words.h"
#include "convert/merge.h"
#include "convert/stored_model.h"
#include "model/random_model.h"
#include "text/chat_template.h"
#include "text/testing/golden_texts.h"
#include "text/tokenizer.h"

namespace lmpo::gguf_import_test {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const fs::path kTexts = source_folder() / "src/data/testdata";

ordered_json llama3_config() {
  return {{"model_type", "llama"},
          {"vocab_size", 352},
          {"hidden_size", 64},
          {"intermediate_size", 96},
          {"num_hidden_layers", 2},
          {"num_attention_heads", 4},
          {"num_key_value_heads", 2},
          {"max_position_embeddings", 4096},
          {"rms_norm_eps", 1e-5},
          {"rope_theta", 500000.0},
          {"rope_scaling",
           {{"rope_type", "llama3"},
            {"factor", 8.0},
            {"low_freq_factor", 1.0},
            {"high_freq_factor", 4.0},
            {"original_max_position_embeddings", 64}}},
          {"bos_token_id", 0},
          {"eos_token_id", 1}};
}

std::vector<float> floats_of(const Checkpoint& checkpoint, const std::string& name) {
  const TensorView view = checkpoint.tensor(name);
  std::vector<float> values(static_cast<std::size_t>(view.elements()));
  read_as_float(view, 0, values);
  return values;
}

class GgufImport : public FolderTest {
 protected:
  // A random model with a tokenizer of the tests' data.
  fs::path make(const ordered_json& config, const char* texts, const char* name = "source") const {
    const fs::path folder = folder_ / name;
    fs::create_directories(folder);
    write_random_model(folder, parse_model_config(config, "config.json"), Dtype::f32, 7,
                       kTexts / texts, 1 << 30);
    return folder;
  }
  fs::path exported(const fs::path& folder, GgufType type, const char* name = "model.gguf") const {
    const StoredModel model(folder);
    write_gguf_model(folder_ / name, folder, model.config, model.checkpoint, type);
    return folder_ / name;
  }
  ImportedModel imported(const fs::path& file, std::optional<Dtype> dtype = {},
                         const char* name = "back") const {
    return import_gguf(file, folder_ / name, dtype, 1 << 30);
  }
  void expect_same_ids(const fs::path& source, const fs::path& back) const {
    const Tokenizer before = Tokenizer::load(source);
    const Tokenizer after = Tokenizer::load(back);
    for (const std::string& text : golden_texts()) {
      const auto ids = before.encode(text, true);
      EXPECT_EQ(after.encode(text, true), ids) << text;
      EXPECT_EQ(after.decode(ids, false), before.decode(ids, false)) << text;
    }
    EXPECT_EQ(after.bos_token(), before.bos_token());
    EXPECT_EQ(after.eos_token(), before.eos_token());
    EXPECT_EQ(ChatTemplate::load(back)->text(), ChatTemplate::load(source)->text());
  }
};

TEST_F(GgufImport, Float32ComesBackAsItWas) {
  const fs::path source = make(llama3_config(), "llama3");
  const ImportedModel model = imported(exported(source, GgufType::f32));
  const StoredModel before(source);
  const StoredModel after(folder_ / "back");
  check_same_architecture(before.config, source, after.config, folder_ / "back");
  EXPECT_EQ(after.config.bos_id, before.config.bos_id);
  EXPECT_EQ(after.config.eos_ids, before.config.eos_ids);
  for (const std::string& name : before.checkpoint.names()) {
    EXPECT_EQ(floats_of(after.checkpoint, name), floats_of(before.checkpoint, name)) << name;
  }
  EXPECT_EQ(after.checkpoint.names(), before.checkpoint.names());
  expect_same_ids(source, folder_ / "back");
  EXPECT_EQ(model.dtype, Dtype::f32);
  EXPECT_EQ(model.rounded, 0);
  EXPECT_EQ(model.tokens, Tokenizer::load(source).id_limit());
  EXPECT_TRUE(model.has_template);
}

// Each type holds its own values exactly: what was imported is exported to the same bytes.
TEST_F(GgufImport, EveryTypeIsExportedAgainToTheSameBytes) {
  const fs::path source = make(llama3_config(), "llama3");
  for (const auto& [type, dtype] :
       {std::pair(GgufType::f16, Dtype::f16), std::pair(GgufType::bf16, Dtype::bf16),
        std::pair(GgufType::q8_0, Dtype::f32)}) {
    const std::string name = fmt::format("back{}", static_cast<int>(type));
    const ImportedModel model = imported(exported(source, type), {}, name.c_str());
    EXPECT_EQ(model.dtype, dtype);
    EXPECT_EQ(model.rounded, 0);
    // general.name is the name of the folder.
    fs::create_directories(folder_ / "again");
    fs::rename(folder_ / name, folder_ / "again" / "source");
    EXPECT_EQ(read_file(exported(folder_ / "again/source", type, "again.gguf")),
              read_file(folder_ / "model.gguf"))
        << name;
    fs::remove_all(folder_ / "again/source");
  }
}

TEST_F(GgufImport, RoundedValuesAreCounted) {
  const fs::path source = make(llama3_config(), "llama3");
  const ImportedModel model = imported(exported(source, GgufType::f32), Dtype::bf16);
  const Checkpoint before = Checkpoint::open(source);
  const Checkpoint after = Checkpoint::open(folder_ / "back");
  std::int64_t rounded = 0;
  for (const std::string& name : before.names()) {
    const std::vector<float> values = floats_of(before, name);
    const std::vector<float> stored = floats_of(after, name);
    for (std::size_t i = 0; i < values.size(); ++i) {
      ASSERT_EQ(stored[i], to_float(to_bfloat16(values[i])));
      rounded += stored[i] == values[i] ? 0 : 1;
    }
  }
  EXPECT_GT(rounded, 0);
  EXPECT_EQ(model.rounded, rounded);
  EXPECT_EQ(read_model_config(folder_ / "back").dtype, Dtype::bf16);
}

TEST_F(GgufImport, BiasesAndSentencepieceTokens) {
  ordered_json config = llama3_config();
  config["vocab_size"] = 360;
  config["attention_bias"] = true;
  config["mlp_bias"] = true;
  config["tie_word_embeddings"] = true;
  config["rope_scaling"] = {{"rope_type", "linear"}, {"factor", 4.0}};
  const fs::path source = make(config, "mistral");
  imported(exported(source, GgufType::f32));
  const StoredModel before(source);
  const StoredModel after(folder_ / "back");
  check_same_architecture(before.config, source, after.config, folder_ / "back");
  for (const std::string& name : before.checkpoint.names()) {
    EXPECT_EQ(floats_of(after.checkpoint, name), floats_of(before.checkpoint, name)) << name;
  }
  EXPECT_EQ(Tokenizer::load(folder_ / "back").encode("a b", true),
            Tokenizer::load(source).encode("a b", true));
}

// Files that are refused

class BadGgufModel : public GgufImport {
 protected:
  void SetUp() override {
    GgufImport::SetUp();
    const fs::path source = make(llama3_config(), "llama3");
    const StoredModel model(source);
    keys_ = gguf_architecture(model.config, "name", GgufType::f32);
    std::ranges::move(gguf_vocabulary(source, model.config), std::back_inserter(keys_));
    for (GgufTensor& tensor : gguf_tensors(model.config, model.checkpoint, GgufType::f32)) {
      tensor.read = [](std::int64_t, std::span<float> out) { std::ranges::fill(out, 0.5F); };
      tensor.done = {};
      if (tensor.name == "rope_freqs.weight") {
        tensor.read = [](std::int64_t, std::span<float> out) { std::ranges::fill(out, 1.0F); };
      }
      tensors_.push_back(std::move(tensor));
    }
  }
  void set(const std::string& key, GgufValue value) {
    erase(key);
    keys_.emplace_back(key, std::move(value));
  }
  void erase(const std::string& key) {
    std::erase_if(keys_, [&](const auto& entry) { return entry.first == key; });
  }
  GgufTensor& tensor(const std::string& name) {
    return *std::ranges::find(tensors_, name, &GgufTensor::name);
  }
  // The message, or "" where the file is imported.
  std::string refusal() {
    write_gguf(folder_ / "bad.gguf", keys_, tensors_);
    try {
      imported(folder_ / "bad.gguf", {}, "never");
      fs::remove_all(folder_ / "never");
      return "";
    } catch (const UserError& error) {
      EXPECT_THAT(error.what(), HasSubstr("bad.gguf"));
      EXPECT_FALSE(fs::exists(folder_ / "never"));
      EXPECT_EQ(listing().size(), 2U);  // bad.gguf, source
      return error.what();
    }
  }

  GgufMetadata keys_;
  std::vector<GgufTensor> tensors_;
};

TEST_F(BadGgufModel, ArchitecturesAndKeys) {
  EXPECT_EQ(refusal(), "");
  set("general.architecture", std::string("mamba"));
  EXPECT_THAT(refusal(), HasSubstr("'mamba' is not supported; these are: "));
  erase("general.architecture");
  EXPECT_THAT(refusal(), HasSubstr("the key 'general.architecture' is missing"));
  set("general.architecture", std::string("llama"));
  erase("llama.block_count");
  EXPECT_THAT(refusal(), HasSubstr("the key 'llama.block_count' is missing"));
  set("llama.block_count", std::string("two"));
  EXPECT_THAT(refusal(), HasSubstr("key 'llama.block_count': a whole number was expected"));
  set("llama.block_count", std::uint32_t{2});
  set("llama.expert_count", std::uint32_t{8});
  EXPECT_THAT(refusal(), HasSubstr("'llama.expert_count': models with experts"));
  erase("llama.expert_count");
  set("llama.attention.value_length", std::uint32_t{8});
  EXPECT_THAT(refusal(), HasSubstr("heads of values (8)"));
  erase("llama.attention.value_length");
  set("llama.attention.head_count", std::uint32_t{0});
  EXPECT_THAT(refusal(), HasSubstr("0 heads of 64 columns"));
}

TEST_F(BadGgufModel, RotarySettings) {
  set("llama.rope.scaling.type", std::string("spiral"));
  std::erase_if(tensors_, [](const GgufTensor& one) { return one.name == "rope_freqs.weight"; });
  EXPECT_THAT(refusal(), HasSubstr("'llama.rope.scaling.type': 'spiral' is not known"));
  erase("llama.rope.scaling.type");
  tensors_.push_back({.name = "rope_freqs.weight",
                      .shape = {8},
                      .read = [](std::int64_t begin, std::span<float> out) {
                        for (std::size_t i = 0; i < out.size(); ++i) {
                          out[i] = 1 + static_cast<float>(begin) + static_cast<float>(i);
                        }
                      }});
  EXPECT_THAT(refusal(), HasSubstr("'rope_freqs.weight': its divisors are not those of Llama 3"));
  tensors_.back().shape = {7};
  EXPECT_THAT(refusal(), HasSubstr("a tensor 'rope_freqs.weight' of 8 values was expected"));
}

TEST_F(BadGgufModel, Tensors) {
  tensor("blk.1.ffn_up.weight").name = "blk.1.ffn_gate_inp.weight";
  EXPECT_THAT(refusal(), AllOf(HasSubstr("not those of a llama model"),
                               HasSubstr("'blk.1.ffn_up.weight' is missing"),
                               HasSubstr("'blk.1.ffn_gate_inp.weight' is not known")));
  tensor("blk.1.ffn_gate_inp.weight").name = "blk.1.ffn_up.weight";
  tensor("blk.1.ffn_up.weight").shape = {64, 96};
  EXPECT_THAT(refusal(), HasSubstr("'blk.1.ffn_up.weight' is [64, 96], not [96, 64]"));
  std::erase_if(tensors_, [](const GgufTensor& one) { return one.name == "token_embd.weight"; });
  EXPECT_THAT(refusal(), HasSubstr("there is no tensor 'token_embd.weight'"));
}

TEST_F(BadGgufModel, TypesThatAreNotRead) {
  write_gguf(folder_ / "bad.gguf", keys_, tensors_);
  std::string bytes = read_file(folder_ / "bad.gguf");
  const std::string name = "blk.1.ffn_up.weight";
  const std::size_t type = bytes.find(name) + name.size() + 4 + 2 * 8;
  bytes[type] = 26;  // I32, of the same size
  write_file_atomically(folder_ / "bad.gguf", bytes);
  EXPECT_THAT(user_error_of([&] { imported(folder_ / "bad.gguf"); }),
              HasSubstr("tensor 'blk.1.ffn_up.weight' is stored as I32, which is not read"));
}

TEST_F(BadGgufModel, Tokenizers) {
  set("tokenizer.ggml.model", std::string("bert"));
  EXPECT_THAT(refusal(), HasSubstr("'tokenizer.ggml.model': 'bert' is not supported"));
  set("tokenizer.ggml.model", std::string("gpt2"));
  set("tokenizer.ggml.pre", std::string("klingon"));
  EXPECT_THAT(refusal(), HasSubstr("'tokenizer.ggml.pre': 'klingon' is not known; these are"));
  set("tokenizer.ggml.pre", std::string("llama-bpe"));
  set("tokenizer.ggml.merges", std::vector<std::string>{"no space"});
  EXPECT_THAT(refusal(), HasSubstr("'tokenizer.ggml.merges': 'no space': two tokens"));
  set("tokenizer.ggml.merges", std::vector<std::string>{});
  set("tokenizer.ggml.token_type", std::vector<std::int32_t>{1, 1});
  EXPECT_THAT(refusal(), HasSubstr("'tokenizer.ggml.token_type': one value a token was expected"));
  erase("tokenizer.ggml.token_type");
  set("tokenizer.ggml.tokens", std::vector<std::string>{"a", "b", "a"});
  EXPECT_THAT(refusal(), HasSubstr("'tokenizer.ggml.tokens': 'a' stands twice"));
  set("tokenizer.ggml.tokens", std::vector<std::string>{"a", "\xff"});
  EXPECT_THAT(refusal(), HasSubstr("'tokenizer.ggml.tokens': not valid UTF-8"));
  set("tokenizer.ggml.tokens", std::vector<std::string>(353, ""));
  set("tokenizer.ggml.add_bos_token", true);
  EXPECT_THAT(refusal(), HasSubstr("'tokenizer.ggml.add_bos_token' is true, but"));
}

// Tokenizers

// llama.cpp's ways to cut words: each becomes a tokenizer that lmpo reads, and is recognised again as
// a way that means the same.
TEST(GgufWordsTest, EveryWayIsReadAndRecognised) {
  for (const GgufWords& words : gguf_words()) {
    json content = json::parse(read_file(kTexts / "llama3/tokenizer.json"));
    content["pre_tokenizer"] = pre_tokenizer_of(words);
    content["model"]["ignore_merges"] = words.ignores_merges;
    const Tokenizer tokenizer = Tokenizer::from_json(content.dump(), "tokenizer.json");
    EXPECT_FALSE(tokenizer.encode("It's 12345 caf\u00e9s!\n\n  x", true).empty()) << words.name;
    const GgufKind kind = recognize_gguf_kind(JsonPart(content, "tokenizer.json"));
    const GgufWords* found = find_gguf_words(kind.pre);
    ASSERT_NE(found, nullptr) << words.name;
    EXPECT_EQ(pre_tokenizer_of(*found), pre_tokenizer_of(words)) << words.name;
    EXPECT_EQ(found->ignores_merges, words.ignores_merges) << words.name;
  }
}

TEST(GgufMerges, ScoresComeFromTheMergesThatTheyGive) {
  const std::vector<std::string> tokens = {"<s>", "a", "b", "c", "ab", "bc", "abc", "ca"};
  const std::vector<bool> normal = {false, true, true, true, true, true, true, true};
  const std::vector<double> scores = {0, -5, -5, -5, 0, -1, -2, -4};
  const json merges = merges_of_scores(tokens, normal, scores, "x.gguf");
  EXPECT_EQ(merges, json::parse(R"([["a","b"],["b","c"],["a","bc"],["ab","c"],["c","a"]])"));
  std::vector<MergeRule> rules;
  for (const json& merge : merges) {
    rules.emplace_back(merge[0], merge[1]);
  }
  EXPECT_THAT(merge_scores(tokens, normal, rules).scores,
              ElementsAre(0, -5, -5, -5, 0, -1, -2, -4));
}

GgufKeys sentencepiece_keys() {
  GgufKeys keys("x.gguf");
  const auto list = [](std::vector<std::string> texts) { return texts; };
  keys.add("tokenizer.ggml.model", std::string("llama"));
  keys.add("tokenizer.ggml.tokens", list({"<unk>", "<s>", "</s>", "<0x0A>", "\u2581", "a", "b",
                                          "ab", "\u2581ab", "  ", "<|x|>", "[PAD11]"}));
  keys.add("tokenizer.ggml.token_type",
           std::vector<std::int64_t>{2, 3, 3, 6, 1, 1, 1, 1, 1, 4, 3, 5});
  keys.add("tokenizer.ggml.scores",
           std::vector<double>{0, 0, 0, 0, -9, -8, -7, -1, -2, -1000, -1000, -10000});
  return keys;
}

// What llama.cpp does where the keys say nothing: a space first and after every special token, <s>
// before a text.
TEST(GgufTokenizer, SentencepieceByDefault) {
  const GgufTexts texts = gguf_texts(sentencepiece_keys());
  EXPECT_EQ(texts.tokens, 11);
  const Tokenizer tokenizer = Tokenizer::from_json(texts.tokenizer.dump(), "tokenizer.json");
  EXPECT_THAT(tokenizer.encode("ab\n", true), ElementsAre(1, 8, 3));
  EXPECT_THAT(tokenizer.encode("ab<|x|>ab  b", true), ElementsAre(1, 8, 10, 8, 9, 4, 6));
  EXPECT_EQ(tokenizer.decode(tokenizer.encode("ab\nab", false), true), "ab\nab");
  EXPECT_EQ(texts.tokenizer_config["bos_token"], "<s>");
  EXPECT_EQ(texts.tokenizer_config["unk_token"], "<unk>");
  EXPECT_EQ(texts.generation_config["eos_token_id"], 2);
  EXPECT_FALSE(tokenizer.find("[PAD11]"));
  EXPECT_EQ(tokenizer.decode(std::vector<TokenId>{0, 7}, true), "ab");  // <unk> is special
}

TEST(GgufTokenizer, SentencepieceAsTheKeysSay) {
  GgufKeys keys = sentencepiece_keys();
  keys.add("general.name", std::string("Phi-3 mini"));
  keys.add("tokenizer.ggml.add_space_prefix", false);
  keys.add("tokenizer.ggml.add_bos_token", false);
  keys.add("tokenizer.ggml.add_eos_token", true);
  keys.add("tokenizer.ggml.eot_token_id", std::int64_t{10});
  const GgufTexts texts = gguf_texts(keys);
  const Tokenizer tokenizer = Tokenizer::from_json(texts.tokenizer.dump(), "tokenizer.json");
  EXPECT_THAT(tokenizer.encode("ab", true), ElementsAre(7, 2));
  EXPECT_THAT(tokenizer.encode("<|x|>\n ab", true), ElementsAre(10, 7, 2));  // takes white space
  EXPECT_EQ(texts.generation_config["eos_token_id"], ordered_json({2, 10}));
}

TEST(GgufTokenizer, ByteLevelAddsNoTokensUnlessItsWordsDo) {
  GgufKeys keys("x.gguf");
  keys.add("tokenizer.ggml.model", std::string("gpt2"));
  keys.add("tokenizer.ggml.pre", std::string("tekken"));
  keys.add("tokenizer.ggml.tokens", std::vector<std::string>{"<s>", "a", "b", "ab", "<|im_end|>"});
  keys.add("tokenizer.ggml.token_type", std::vector<std::int64_t>{3, 1, 1, 1, 3});
  keys.add("tokenizer.ggml.merges", std::vector<std::string>{"a b"});
  keys.add("tokenizer.ggml.bos_token_id", std::int64_t{0});
  const GgufTexts texts = gguf_texts(keys);
  const Tokenizer tokenizer = Tokenizer::from_json(texts.tokenizer.dump(), "tokenizer.json");
  EXPECT_THAT(tokenizer.encode("ab", true), ElementsAre(0, 3));
  EXPECT_EQ(texts.generation_config["eos_token_id"], 4);
}

}  // namespace
}  // namespace lmpo::gguf_import_test
