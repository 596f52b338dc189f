// Models and tokenizers in llama.cpp's words, read back by a reader written from the specification.
#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "base/testing/test_folder.h"
#include "base/testing/test_paths.h"
#include "convert/gguf_kind.h"
#include "convert/gguf_model.h"
#include "convert/gguf_scores.h"
#include "convert/gguf_vocabulary.h"
#include "io/testing/gguf_reader.h"

namespace lmpo::gguf_test {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using testing::Eq;
using ::testing::HasSubstr;

const fs::path kSource = source_folder() / "src";
const fs::path kModels = kSource / "model/testdata";

std::vector<float> values_of(const Checkpoint& checkpoint, const std::string& name) {
  const TensorView view = checkpoint.tensor(name);
  std::vector<float> values(static_cast<std::size_t>(view.elements()));
  read_as_float(view, 0, values);
  return values;
}

// A rotation as ggml computes it: neighbours 2j and 2j + 1 of each head turn by an angle.
std::vector<double> rotate_pairs(std::vector<double> x, const std::vector<float>& frequencies,
                                 double position) {
  const std::size_t half = frequencies.size();
  for (std::size_t i = 0; i < x.size(); i += 2) {
    const double angle = position * static_cast<double>(frequencies[i / 2 % half]);
    const double a = x[i];
    const double b = x[i + 1];
    x[i] = a * std::cos(angle) - b * std::sin(angle);
    x[i + 1] = a * std::sin(angle) + b * std::cos(angle);
  }
  return x;
}

// As transformers does: j and j + E/2.
std::vector<double> rotate_halves(std::vector<double> x, const std::vector<float>& frequencies,
                                  double position) {
  const std::size_t half = frequencies.size();
  for (std::size_t head = 0; head < x.size(); head += 2 * half) {
    for (std::size_t j = 0; j < half; ++j) {
      const double angle = position * static_cast<double>(frequencies[j]);
      const double a = x[head + j];
      const double b = x[head + half + j];
      x[head + j] = a * std::cos(angle) - b * std::sin(angle);
      x[head + half + j] = a * std::sin(angle) + b * std::cos(angle);
    }
  }
  return x;
}

std::vector<double> multiply(const std::vector<float>& matrix, const std::vector<double>& x) {
  std::vector<double> result(matrix.size() / x.size());
  for (std::size_t i = 0; i < matrix.size(); ++i) {
    result[i / x.size()] += static_cast<double>(matrix[i]) * x[i % x.size()];
  }
  return result;
}

class GgufModel : public FolderTest {
 protected:
  void SetUp() override {
    FolderTest::SetUp();
    write_gguf(file_, gguf_architecture(config_, "name", GgufType::f32),
               gguf_tensors(config_, checkpoint_, GgufType::f32));
    gguf_ = GgufParser::read(file_);
  }

  const ModelConfig config_ = read_model_config(kModels / "llama");
  const Checkpoint checkpoint_ = Checkpoint::open(kModels / "llama");
  const fs::path file_ = folder_ / "model.gguf";
  ReadGguf gguf_;
};

TEST_F(GgufModel, KeysSayWhatConfigJsonSays) {
  const std::map<std::string, json> expected = {
      {"general.architecture", "llama"}, {"general.name", "name"},
      {"general.file_type", 0},          {"llama.vocab_size", 48},
      {"llama.context_length", 64},      {"llama.embedding_length", 24},
      {"llama.block_count", 2},          {"llama.feed_forward_length", 40},
      {"llama.attention.head_count", 4}, {"llama.attention.head_count_kv", 2},
      {"llama.attention.key_length", 6}, {"llama.rope.dimension_count", 6},
      {"llama.rope.freq_base", 10000}};
  for (const auto& [key, value] : expected) {
    EXPECT_EQ(gguf_.key(key), value) << key;
  }
  EXPECT_EQ(gguf_.key("llama.attention.layer_norm_rms_epsilon").get<float>(), 1e-6F);
}

TEST_F(GgufModel, TensorsHaveTheirNamesSizesAndValues) {
  EXPECT_EQ(gguf_.tensors.size(), 2U * 9 + 3 + 1);
  EXPECT_THAT(gguf_.tensors.at("blk.1.ffn_gate.weight").sizes, ElementsAre(24, 40));
  for (const auto& [name, source] : std::map<std::string, std::string>{
           {"token_embd.weight", "model.embed_tokens.weight"},
           {"output_norm.weight", "model.norm.weight"},
           {"output.weight", "lm_head.weight"},
           {"blk.0.attn_v.weight", "model.layers.0.self_attn.v_proj.weight"},
           {"blk.1.attn_output.weight", "model.layers.1.self_attn.o_proj.weight"},
           {"blk.1.ffn_gate.weight", "model.layers.1.mlp.gate_proj.weight"},
           {"blk.0.ffn_up.weight", "model.layers.0.mlp.up_proj.weight"},
           {"blk.1.ffn_down.weight", "model.layers.1.mlp.down_proj.weight"},
           {"blk.0.attn_norm.weight", "model.layers.0.input_layernorm.weight"},
           {"blk.1.ffn_norm.weight", "model.layers.1.post_attention_layernorm.weight"}}) {
    EXPECT_EQ(gguf_.floats(name), values_of(checkpoint_, source)) << name;
  }
}

// Vectors, like norms: in float32, whatever the file's type. Those of queries and keys are reordered
// as the rows of their matrices are.
TEST_F(GgufModel, HoldsBiases) {
  const ModelConfig config = read_model_config(kModels / "llama_bias");
  const Checkpoint checkpoint = Checkpoint::open(kModels / "llama_bias");
  write_gguf(file_, gguf_architecture(config, "name", GgufType::f16),
             gguf_tensors(config, checkpoint, GgufType::f16));
  const ReadGguf gguf = GgufParser::read(file_);
  EXPECT_EQ(gguf.tensors.size(), 2U * (9 + 7) + 3);
  for (const auto& [name, source] : std::map<std::string, std::string>{
           {"blk.0.attn_v.bias", "model.layers.0.self_attn.v_proj.bias"},
           {"blk.1.attn_output.bias", "model.layers.1.self_attn.o_proj.bias"},
           {"blk.1.ffn_gate.bias", "model.layers.1.mlp.gate_proj.bias"},
           {"blk.0.ffn_up.bias", "model.layers.0.mlp.up_proj.bias"},
           {"blk.1.ffn_down.bias", "model.layers.1.mlp.down_proj.bias"}}) {
    EXPECT_EQ(gguf.floats(name), values_of(checkpoint, source)) << name;
  }
  const std::size_t half = 3;
  for (const auto& [name, source] : std::map<std::string, std::string>{
           {"blk.0.attn_q.bias", "model.layers.0.self_attn.q_proj.bias"},
           {"blk.1.attn_k.bias", "model.layers.1.self_attn.k_proj.bias"}}) {
    const std::vector<float> halves = values_of(checkpoint, source);
    std::vector<float> pairs(halves.size());
    for (std::size_t head = 0; head < halves.size(); head += 2 * half) {
      for (std::size_t j = 0; j < half; ++j) {
        pairs[head + 2 * j] = halves[head + j];
        pairs[head + 2 * j + 1] = halves[head + half + j];
      }
    }
    EXPECT_EQ(gguf.floats(name), pairs) << name;
  }
}

// Scores of attention are what matters: the same from rotated halves of transformers' rows and from
// rotated pairs of llama.cpp's.
TEST_F(GgufModel, WeightsThatAreNotFiniteAreNamed) {
  const fs::path folder = folder_ / "damaged";
  fs::copy(kModels / "llama", folder);
  const SafetensorsFile stored(folder / "model.safetensors");
  for (const char* name : {"model.layers.1.self_attn.k_proj.weight", "model.norm.weight"}) {
    std::string bytes = read_file(kModels / "llama/model.safetensors");
    const float value = std::numeric_limits<float>::infinity();
    bytes.replace(stored.find(name)->begin, sizeof value,
                  std::string(reinterpret_cast<const char*>(&value), sizeof value));
    write_file_atomically(folder / "model.safetensors", bytes);
    const Checkpoint checkpoint = Checkpoint::open(folder);
    try {
      write_gguf(folder_ / "damaged.gguf", {}, gguf_tensors(config_, checkpoint, GgufType::f16));
      FAIL() << name << " was not refused";
    } catch (const UserError& error) {
      EXPECT_NE(std::string(error.what()).find(fmt::format("{} (1 of", name)), std::string::npos)
          << error.what();
    }
    EXPECT_FALSE(fs::exists(folder_ / "damaged.gguf"));
  }
}

TEST_F(GgufModel, RotatedQueriesAndKeysGiveTheSameScores) {
  std::vector<double> x;
  for (int i = 0; i < 24; ++i) {
    x.push_back(std::sin(i * 1.7));
  }
  std::vector<float> frequencies;
  const std::vector<float> divisors = gguf_.floats("rope_freqs.weight");
  for (std::size_t i = 0; i < divisors.size(); ++i) {
    const double base = std::pow(10000, -static_cast<double>(i) / 3);
    frequencies.push_back(static_cast<float>(base / static_cast<double>(divisors[i])));
  }
  const std::vector<float> ours = rotary_frequencies(config_.ropes[0]).inverse;
  const auto scores = [&](const auto& rotate, const std::vector<float>& q,
                          const std::vector<float>& k, const std::vector<float>& turns) {
    const std::vector<double> queries = rotate(multiply(q, x), turns, 19);
    const std::vector<double> keys = rotate(multiply(k, x), turns, 5);
    std::vector<double> result(4);
    for (std::size_t i = 0; i < queries.size(); ++i) {
      result[i / 6] += queries[i] * keys[i / 12 * 6 + i % 6];
    }
    return result;
  };
  const std::vector<double> expected =
      scores(rotate_halves, values_of(checkpoint_, "model.layers.1.self_attn.q_proj.weight"),
             values_of(checkpoint_, "model.layers.1.self_attn.k_proj.weight"), ours);
  const std::vector<double> found = scores(rotate_pairs, gguf_.floats("blk.1.attn_q.weight"),
                                           gguf_.floats("blk.1.attn_k.weight"), frequencies);
  for (std::size_t head = 0; head < 4; ++head) {
    EXPECT_NEAR(found[head], expected[head], 1e-5 * (1 + std::fabs(expected[head])));
  }
}

TEST_F(GgufModel, OnlyLlama3ScalingHasDivisorsAndTiedModelsHaveNoHead) {
  const ModelConfig tied = read_model_config(kModels / "llama_tied");
  const Checkpoint checkpoint = Checkpoint::open(kModels / "llama_tied");
  std::set<std::string> names;
  for (const GgufTensor& tensor : gguf_tensors(tied, checkpoint, GgufType::f32)) {
    names.insert(tensor.name);
  }
  EXPECT_EQ(names.size(), 2U * 9 + 2);
  EXPECT_FALSE(names.contains("output.weight"));
  EXPECT_FALSE(names.contains("rope_freqs.weight"));
}

TEST_F(GgufModel, RowsThatAreNoBlocksStayInFloat16) {
  for (const GgufTensor& tensor : gguf_tensors(config_, checkpoint_, GgufType::q8_0)) {
    EXPECT_EQ(tensor.type, tensor.shape.size() == 1 ? GgufType::f32 : GgufType::f16) << tensor.name;
  }
}

class GgufVocabulary : public FolderTest {
 protected:
  static json tokenizer(const char* name) {
    return json::parse(read_file(kSource / "data/testdata" / name / "tokenizer.json"));
  }
  static GgufKind kind(const json& content) {
    return recognize_gguf_kind(JsonPart(content, "tokenizer.json"));
  }
  static std::string refusal(const json& content) {
    return user_error_of([&] { kind(content); });
  }
  std::map<std::string, GgufValue> keys(const fs::path& folder, std::int64_t vocab_size) {
    ModelConfig config;
    config.vocab_size = vocab_size;
    const GgufMetadata metadata = gguf_vocabulary(folder, config);
    return {metadata.begin(), metadata.end()};
  }
};

TEST_F(GgufVocabulary, ByteLevelTokenizerOfLlama3) {
  const fs::path folder = kSource / "data/testdata/llama3";
  auto found = keys(folder, 350);
  EXPECT_THAT(found["tokenizer.ggml.model"], Eq(GgufValue(std::string("gpt2"))));
  EXPECT_THAT(found["tokenizer.ggml.pre"], Eq(GgufValue(std::string("llama-bpe"))));
  const auto& tokens = std::get<std::vector<std::string>>(found["tokenizer.ggml.tokens"]);
  const auto& kinds = std::get<std::vector<std::int32_t>>(found["tokenizer.ggml.token_type"]);
  ASSERT_EQ(tokens.size(), 350U);
  EXPECT_EQ(tokens[0], "<|begin_of_text|>");
  EXPECT_EQ(kinds[0], 3);
  EXPECT_EQ(kinds[100], 1);
  EXPECT_EQ(tokens[349], "[PAD349]");
  EXPECT_EQ(kinds[349], 5);
  const json content = tokenizer("llama3");
  EXPECT_EQ(std::get<std::vector<std::string>>(found["tokenizer.ggml.merges"]).size(),
            content["model"]["merges"].size());
  EXPECT_EQ(found["tokenizer.ggml.bos_token_id"], GgufValue(std::uint32_t{0}));
  EXPECT_EQ(found["tokenizer.ggml.add_bos_token"], GgufValue(true));
  EXPECT_EQ(found["tokenizer.ggml.add_eos_token"], GgufValue(false));
  EXPECT_EQ(found["tokenizer.chat_template"], GgufValue(read_file(folder / "chat_template.jinja")));
}

TEST_F(GgufVocabulary, TokenizerAsOfSentencepiece) {
  auto found = keys(kSource / "data/testdata/mistral", 360);
  EXPECT_THAT(found["tokenizer.ggml.model"], Eq(GgufValue(std::string("llama"))));
  EXPECT_EQ(found["tokenizer.ggml.add_space_prefix"], GgufValue(true));
  EXPECT_FALSE(found.contains("tokenizer.ggml.merges"));
  const auto& tokens = std::get<std::vector<std::string>>(found["tokenizer.ggml.tokens"]);
  const auto& kinds = std::get<std::vector<std::int32_t>>(found["tokenizer.ggml.token_type"]);
  const auto& scores = std::get<std::vector<float>>(found["tokenizer.ggml.scores"]);
  ASSERT_EQ(scores.size(), tokens.size());
  const auto at = [&](const std::string& token) {
    return static_cast<std::size_t>(std::ranges::find(tokens, token) - tokens.begin());
  };
  EXPECT_EQ(kinds[at("<unk>")], 2);
  EXPECT_EQ(kinds[at("<s>")], 3);
  EXPECT_EQ(kinds[at("<0x0A>")], 6);
  const json content = tokenizer("mistral");
  const json& rule = content["model"]["merges"][4];
  const std::string made = rule.is_string()
                               ? std::string(rule).erase(std::string(rule).find(' '), 1)
                               : std::string(rule[0]) + std::string(rule[1]);
  EXPECT_EQ(scores[at(made)], -4);
}

TEST_F(GgufVocabulary, WaysToCutWords) {
  json content = tokenizer("llama3");
  content["pre_tokenizer"] = {
      {"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", true}};
  EXPECT_EQ(kind(content).pre, "gpt-2");
  content["pre_tokenizer"] = {{"type", "Sequence"},
                              {"pretokenizers",
                               {{{"type", "Digits"}, {"individual_digits", true}},
                                {{"type", "ByteLevel"}, {"add_prefix_space", false}}}}};
  EXPECT_EQ(kind(content).pre, "smollm");
  json sentencepiece = tokenizer("mistral");
  sentencepiece["normalizer"] = nullptr;
  sentencepiece["pre_tokenizer"] = {{"type", "Metaspace"}, {"prepend_scheme", "never"}};
  EXPECT_FALSE(kind(sentencepiece).add_space_prefix);
}

TEST_F(GgufVocabulary, WhatCannotBeSaidIsRefused) {
  json content = tokenizer("llama3");
  content["pre_tokenizer"]["pretokenizers"][0]["pattern"]["Regex"] = "\\s+";
  EXPECT_THAT(refusal(content), AllOf(HasSubstr("tokenizer.json: pre_tokenizer:"),
                                      HasSubstr("llama.cpp cannot be told to cut words so")));
  content = tokenizer("llama3");
  content["model"] = {{"type", "Unigram"}, {"vocab", {{"a", -1}}}, {"byte_fallback", true}};
  EXPECT_THAT(refusal(content), HasSubstr("tokenizer.json: model: 'Unigram' has no counterpart"));
  content = tokenizer("llama3");
  content["normalizer"] = {{"type", "NFKC"}};
  EXPECT_THAT(refusal(content), HasSubstr("tokenizer.json: normalizer: has no counterpart"));
  content = tokenizer("mistral");
  content["normalizer"]["normalizers"][1]["content"] = "_";
  EXPECT_THAT(refusal(content), HasSubstr("tokenizer.json: normalizer: llama.cpp cannot be told"));
  content = tokenizer("mistral");
  content["pre_tokenizer"] = {{"type", "Whitespace"}};
  EXPECT_THAT(refusal(content), HasSubstr("tokenizer.json: pre_tokenizer: "));
}

TEST_F(GgufVocabulary, ScoresOfMerges) {
  const std::vector<std::string> tokens = {"<s>", "a", "b", "c", "ab", "bc", "abc", "ca"};
  const std::vector<bool> normal = {false, true, true, true, true, true, true, true};
  const MergeScores whole =
      merge_scores(tokens, normal, {{"a", "b"}, {"b", "c"}, {"a", "bc"}, {"ab", "c"}, {"c", "a"}});
  EXPECT_THAT(whole.scores, ElementsAre(0, -5, -5, -5, 0, -1, -2, -4));
  EXPECT_THAT(whole.unlike, ElementsAre());
  const MergeScores missing =
      merge_scores(tokens, normal, {{"a", "b"}, {"b", "c"}, {"ab", "c"}, {"c", "a"}});
  EXPECT_THAT(missing.unlike, ElementsAre("abc"));  // "a" and "bc" make it too
  const MergeScores apart =
      merge_scores(tokens, normal, {{"a", "b"}, {"b", "c"}, {"ab", "c"}, {"c", "a"}, {"a", "bc"}});
  EXPECT_THAT(apart.unlike, ElementsAre("abc"));
}

}  // namespace
}  // namespace lmpo::gguf_test
