#include "text/tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <thread>

#include "base/error.h"
#include "base/json.h"
#include "base/random.h"
#include "base/testing/test_paths.h"
#include "base/utf8.h"
#include "text/testing/golden_texts.h"

namespace lmpo::tokenizer_test {
namespace {

using ::testing::HasSubstr;

json base_tokenizer(const std::string& name) {
  return read_json(text_testdata() / (name + ".json"));
}

Tokenizer patched(const std::string& name, const json& patch = json::object()) {
  json content = base_tokenizer(name);
  content.merge_patch(patch);
  return Tokenizer::from_json(content.dump(), name);
}

std::string error_of(const json& content) {
  try {
    Tokenizer::from_json(content.dump(), "tokenizer.json");
  } catch (const UserError& error) {
    return error.what();
  }
  return "no error";
}

// Every variant of tools/oracle/tokenizers_golden.py, every text, against what `tokenizers` gave.
TEST(Tokenizer, EqualsTheReference) {
  const std::vector<std::string> texts = golden_texts();
  const json golden = read_json(text_testdata() / "golden.json");
  ASSERT_GT(golden.size(), 20u);
  for (const json& variant : golden) {
    const Tokenizer tokenizer = patched(variant["tokenizer"], variant["patch"]);
    ASSERT_EQ(variant["ids"].size(), texts.size());
    for (std::size_t i = 0; i < texts.size(); ++i) {
      SCOPED_TRACE(variant["name"].get<std::string>() + ": " + texts[i]);
      const auto ids = variant["ids"][i].get<std::vector<TokenId>>();
      EXPECT_EQ(tokenizer.encode(texts[i], true), ids);
      const json& whole = variant["decoded"][i];
      const std::string decoded =
          whole.is_null() ? replace_invalid_utf8(texts[i]) : whole.get<std::string>();
      EXPECT_EQ(tokenizer.decode(ids, false), decoded);
      const json& skipped = variant["decoded_without_special"][i];
      EXPECT_EQ(tokenizer.decode(ids, true),
                skipped.is_null() ? decoded : skipped.get<std::string>());
    }
  }
}

TEST(Tokenizer, SpecialTokensAreAddedOnRequestOnly) {
  const Tokenizer tokenizer = patched("llama3");
  const auto plain = tokenizer.encode("Hello <|eot_id|>", false);
  auto with = tokenizer.encode("Hello <|eot_id|>", true);
  ASSERT_EQ(with.front(), tokenizer.find("<|begin_of_text|>"));
  EXPECT_EQ(std::vector<TokenId>(with.begin() + 1, with.end()), plain);
  EXPECT_EQ(plain.back(), tokenizer.find("<|eot_id|>"));
  EXPECT_TRUE(tokenizer.encode("", false).empty());
}

TEST(Tokenizer, FindsTokensAndIds) {
  const Tokenizer tokenizer = patched("llama3");
  const TokenId last = static_cast<TokenId>(tokenizer.id_limit() - 1);
  EXPECT_EQ(tokenizer.find(tokenizer.token(last)), last);
  EXPECT_NE(tokenizer.token(last), "");
  EXPECT_EQ(tokenizer.token(last + 1), "");
  EXPECT_EQ(tokenizer.token(-1), "");
  EXPECT_EQ(tokenizer.find("no such token"), std::nullopt);
  EXPECT_EQ(tokenizer.decode(std::vector<TokenId>{-1, last + 1}, false), "");
}

// Byte-pair encoding as it is defined, without a queue or cuts: the first rule that applies
// anywhere is applied at its leftmost place.
std::vector<std::string> merge_slowly(const std::vector<std::pair<std::string, std::string>>& rules,
                                      std::vector<std::string> symbols) {
  for (bool changed = true; changed;) {
    changed = false;
    for (const auto& [left, right] : rules) {
      for (std::size_t i = 0; i + 1 < symbols.size() && !changed; ++i) {
        if (symbols[i] == left && symbols[i + 1] == right) {
          symbols[i] += right;
          symbols.erase(symbols.begin() + static_cast<std::ptrdiff_t>(i) + 1);
          changed = true;
        }
      }
      if (changed) {
        break;
      }
    }
  }
  return symbols;
}

TEST(Tokenizer, MergesInTheOrderOfTheRules) {
  Random random(7, 0);
  for (int round = 0; round < 40; ++round) {
    std::vector<std::string> tokens = {"a", "b", "c", "é", "_"};
    const std::vector<std::string> alphabet = tokens;
    std::vector<std::pair<std::string, std::string>> rules;
    while (rules.size() < 30) {
      const std::string left = tokens[random.below(tokens.size())];
      const std::string right = tokens[random.below(tokens.size())];
      if (std::find(tokens.begin(), tokens.end(), left + right) == tokens.end()) {
        rules.emplace_back(left, right);
        tokens.push_back(left + right);
      }
    }
    json model = {{"type", "BPE"}, {"vocab", json::object()}, {"merges", rules}};
    for (std::size_t id = 0; id < tokens.size(); ++id) {
      model["vocab"][tokens[id]] = id;
    }
    const auto tokenizer = Tokenizer::from_json(json{{"model", model}}.dump(), "rules");
    for (int word = 0; word < 20; ++word) {
      std::vector<std::string> symbols(random.below(60));
      std::string text;
      for (std::string& symbol : symbols) {
        symbol = alphabet[random.below(alphabet.size())];
        text += symbol;
      }
      std::vector<TokenId> expected;
      for (const std::string& symbol : merge_slowly(rules, symbols)) {
        expected.push_back(tokenizer.find(symbol).value());
      }
      EXPECT_EQ(tokenizer.encode(text, false), expected) << text;
    }
  }
}

TEST(Tokenizer, LongTextsWithoutSpacesComeBack) {
  const Tokenizer tokenizer = patched("llama2");
  for (const std::string part : {"a", "the", "é中", " ", "1"}) {
    std::string text;
    while (text.size() < 300'000) {
      text += part;
    }
    EXPECT_EQ(tokenizer.decode(tokenizer.encode(text, false), true), text);
  }
}

TEST(Tokenizer, ThreadsMayShareIt) {
  const Tokenizer tokenizer = patched("llama3");
  const std::vector<std::string> texts = golden_texts();
  std::vector<std::vector<std::vector<TokenId>>> ids(4);
  std::vector<std::thread> threads;
  for (auto& mine : ids) {
    threads.emplace_back([&] {
      for (const std::string& text : texts) {
        mine.push_back(tokenizer.encode(text, true));
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(ids[0].size(), texts.size());
  EXPECT_THAT(ids, ::testing::Each(ids[0]));
}

class ModelFolder : public ::testing::Test {
 protected:
  void SetUp() override {
    fs::create_directories(folder_);
    write_file_atomically(folder_ / "tokenizer.json", base_tokenizer("llama2").dump());
  }
  void TearDown() override { fs::remove_all(folder_); }

  // Tests run side by side, each in a process.
  const fs::path folder_ =
      fs::path(::testing::TempDir()) / fmt::format("lmpo_tokenizer_test_{}", ::getpid());
};

TEST_F(ModelFolder, NamesOfSpecialTokensAreStringsOrObjects) {
  write_file_atomically(folder_ / "tokenizer_config.json",
                        R"({"bos_token": {"content": "<s>", "lstrip": false}, "pad_token": null})");
  write_file_atomically(folder_ / "special_tokens_map.json",
                        R"({"bos_token": "wrong", "eos_token": "</s>", "unk_token": "?"})");
  const Tokenizer tokenizer = Tokenizer::load(folder_);
  EXPECT_EQ(tokenizer.bos_token(), "<s>");
  EXPECT_EQ(tokenizer.eos_token(), "</s>");
  EXPECT_EQ(tokenizer.unk_token(), "?");
  EXPECT_EQ(tokenizer.pad_token(), "");
  EXPECT_EQ(tokenizer.bos_id(), 1);
  EXPECT_EQ(tokenizer.eos_id(), 2);
}

TEST_F(ModelFolder, WithoutConfigurationThereAreNoNames) {
  const Tokenizer tokenizer = Tokenizer::load(folder_);
  EXPECT_EQ(tokenizer.eos_token(), "");
  EXPECT_EQ(tokenizer.eos_id(), std::nullopt);
}

TEST_F(ModelFolder, AWrongNameIsRefusedWithFileAndKey) {
  write_file_atomically(folder_ / "tokenizer_config.json", R"({"bos_token": 7})");
  try {
    Tokenizer::load(folder_);
    FAIL();
  } catch (const UserError& error) {
    EXPECT_THAT(error.what(), HasSubstr("tokenizer_config.json: key 'bos_token'"));
  }
}

struct BadCase {
  const char* patch;
  const char* message;

  friend std::ostream& operator<<(std::ostream& out, const BadCase& bad) {
    return out << bad.patch;
  }
};

class BadTokenizer : public ::testing::TestWithParam<BadCase> {};

TEST_P(BadTokenizer, IsRefusedByKey) {
  json content = base_tokenizer("llama2");
  const json patch = json::parse(GetParam().patch);
  // A list of operations (RFC 6902), or a merge patch.
  if (patch.is_array()) {
    content = content.patch(patch);
  } else {
    content.merge_patch(patch);
  }
  EXPECT_THAT(error_of(content), HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Tokenizer, BadTokenizer,
    ::testing::Values(
        BadCase{R"([{"op": "remove", "path": "/model"}])", "tokenizer.json: model: missing"},
        BadCase{R"({"model": 3})", "model: an object was expected"},
        BadCase{R"({"model": {"type": "Morphemes"}})",
                "model: the type 'Morphemes' is not supported; these are: BPE, Unigram"},
        BadCase{R"({"model": {"type": "Unigram"}})", "model.vocab: a list of [token, score]"},
        BadCase{R"({"model": {"type": "Unigram", "vocab": [["a", 1], ["b"]]}})",
                "model.vocab[1]: a token and its score"},
        BadCase{R"({"model": {"type": "Unigram", "vocab": [["a", 1], ["b", "2"]]}})",
                "model.vocab[1]: a token and its score"},
        BadCase{R"({"model": {"type": "Unigram", "vocab": [["a", 1], ["a", 2]]}})",
                "model.vocab[1]: the token 'a' comes twice"},
        BadCase{R"({"model": {"type": "Unigram", "vocab": [["", 1]]}})",
                "model.vocab[0]: a token of 1 to"},
        BadCase{R"({"model": {"type": "Unigram", "vocab": [["a", 1]], "unk_id": 1}})",
                "model: key 'unk_id': 1 is not the id of a token"},
        BadCase{R"({"model": {"type": "Unigram", "vocab": [["a", 1]], "unk_id": -1}})",
                "model: key 'unk_id': -1 is not the id of a token"},
        BadCase{R"({"model": {"type": "WordLevel", "unk_token": null}})",
                "model: the key 'unk_token' is missing"},
        BadCase{R"({"model": {"type": "WordPiece"}})",
                "model: key 'continuing_subword_prefix': a string was expected"},
        BadCase{R"({"model": {"type": "WordPiece", "continuing_subword_prefix": "##",
                    "max_input_chars_per_word": -1}})",
                "model: key 'max_input_chars_per_word': a number from 0"},
        BadCase{R"({"model": {"dropout": 0.1}})", "key 'dropout'"},
        BadCase{R"({"model": {"end_of_word_suffix": "</w>"}})", "key 'end_of_word_suffix'"},
        BadCase{R"({"model": {"byte_fallback": "yes"}})", "key 'byte_fallback'"},
        BadCase{R"({"model": {"vocab": [1]}})", "model.vocab: an object"},
        BadCase{R"({"model": {"vocab": {"a": -1}}})", "model.vocab: token 'a': an id from 0"},
        BadCase{R"({"model": {"vocab": {"a": 99999999999}}})", "token 'a': an id from 0"},
        BadCase{R"({"model": {"vocab": {"a": "b"}}})", "token 'a': an id from 0"},
        BadCase{R"({"model": {"vocab": {"new token": 5}}})", "have the same id 5"},
        BadCase{R"({"model": {"merges": {}}})", "model.merges: a list was expected"},
        BadCase{R"({"model": {"merges": ["a b c"]}})", "model.merges[0]: two tokens"},
        BadCase{R"({"model": {"merges": [["a", "b"], ["a"]]}})", "model.merges["},
        BadCase{R"({"model": {"merges": [["a", "no such"]]}})",
                "model.merges[0]: the token 'no such' is not in the vocabulary"},
        BadCase{R"({"added_tokens": [{"id": 0, "content": "<unk>"}]})",
                "added_tokens[0]: the key 'single_word' is missing"},
        BadCase{R"([{"op": "replace", "path": "/added_tokens/1/id", "value": 7}])",
                "added_tokens[1]: key 'id': 7 was given to the token '<s>', but its place is 1"},
        BadCase{R"([{"op": "replace", "path": "/added_tokens/1/content", "value": "<unk>"}])",
                "added_tokens[1]: the token '<unk>' comes twice"},
        BadCase{R"([{"op": "replace", "path": "/added_tokens/1/content", "value": ""}])",
                "added_tokens[1]: key 'content'"},
        BadCase{R"({"normalizer": {"type": "BertNormalizer"}})",
                "normalizer: the type 'BertNormalizer' is not supported; these are: ByteLevel"},
        BadCase{R"({"normalizer": {"type": "Strip", "strip_left": true}})",
                "normalizer: the key 'strip_right' is missing"},
        BadCase{R"({"normalizer": {"type": "Precompiled", "precompiled_charsmap": "AAAA?"}})",
                "normalizer: key 'precompiled_charsmap': a table of replacements"},
        BadCase{R"({"normalizer": {"type": "Precompiled", "precompiled_charsmap": "/////w=="}})",
                "normalizer: key 'precompiled_charsmap': a table of replacements"},
        BadCase{R"({"normalizer": {"type": "Sequence", "normalizers": [{"type": "NFC"}, 1]}})",
                "normalizer.normalizers[1]"},
        BadCase{R"({"pre_tokenizer": {"type": "UnicodeScripts"}})",
                "pre_tokenizer: the type 'UnicodeScripts' is not supported; these are: Bert"},
        BadCase{R"({"pre_tokenizer": {"type": "FixedLength", "length": 0}})",
                "pre_tokenizer: key 'length': a positive number"},
        BadCase{R"({"pre_tokenizer": {"type": "CharDelimiterSplit", "delimiter": "ab"}})",
                "pre_tokenizer: key 'delimiter': one character"},
        BadCase{R"({"pre_tokenizer": {"type": "Split", "pattern": {"Regex": "(a"},
                    "behavior": "Isolated", "invert": false}})",
                "pre_tokenizer.pattern: the pattern '(a' cannot be read"},
        BadCase{R"({"pre_tokenizer": {"type": "Split", "pattern": {"String": "a"},
                    "behavior": "Other", "invert": false}})",
                "key 'behavior': 'Other'"},
        BadCase{R"({"pre_tokenizer": {"type": "Metaspace", "replacement": "ab"}})",
                "key 'replacement': one character"},
        BadCase{R"({"pre_tokenizer": {"type": "Metaspace", "replacement": "_",
                    "prepend_scheme": "last"}})",
                "key 'prepend_scheme': 'last'"},
        BadCase{R"({"post_processor": {"type": "PairProcessing"}})",
                "post_processor: the type 'PairProcessing' is not supported"},
        BadCase{R"({"post_processor": {"type": "BertProcessing", "sep": ["</s>", 2]}})",
                "post_processor.cls: a list was expected"},
        BadCase{R"({"post_processor": {"type": "RobertaProcessing", "cls": ["<s>"]}})",
                "post_processor.cls: a token and its id"},
        BadCase{R"({"post_processor": {"type": "RobertaProcessing", "cls": ["<s>", 1],
                    "sep": ["</s>", 4000000]}})",
                "post_processor.sep[1]: an id below"},
        BadCase{R"({"post_processor": {"special_tokens": {"<s>": {"ids": [4000000]}}}})",
                "post_processor.special_tokens.<s>.ids[0]: an id below"},
        BadCase{R"({"post_processor": {"special_tokens": {"<s>": null}}})",
                "post_processor.special_tokens.<s>: missing"},
        BadCase{R"({"decoder": {"type": "Speech"}})", "decoder: the type 'Speech'"},
        BadCase{R"({"decoder": {"type": "WordPiece"}})", "decoder: the key 'prefix' is missing"},
        BadCase{R"({"decoder": {"type": "BPEDecoder", "suffix": ""}})",
                "decoder: key 'suffix': an empty text"},
        BadCase{R"({"decoder": {"type": "Strip", "content": " ", "start": -1, "stop": 0}})",
                "decoder: key 'start': -1 is negative"}));

// The error that names a wrong type lists the types there are; docs/formats.md has the same list.
TEST(Tokenizer, TheDocumentedTypesAreTheSupportedOnes) {
  const std::string page = read_file(source_folder() / "docs/formats.md");
  for (const char* part : {"model", "normalizer", "pre_tokenizer", "post_processor", "decoder"}) {
    json content = base_tokenizer("gpt2");
    content[part] = {{"type", "?"}};
    const std::string error = error_of(content);
    const std::string begin = "these are: ";
    ASSERT_NE(error.find(begin), std::string::npos) << error;
    EXPECT_THAT(page, HasSubstr(fmt::format("\n| `{}` | {} |\n", part,
                                            error.substr(error.find(begin) + begin.size()))));
  }
}

TEST(Tokenizer, DeepNestingIsRefused) {
  json deep = {{"type", "Fuse"}};
  for (int i = 0; i < 100; ++i) {
    json outer = {{"type", "Sequence"}};
    outer["decoders"].push_back(std::move(deep));
    deep = std::move(outer);
  }
  json content = base_tokenizer("gpt2");
  content["decoder"] = std::move(deep);
  EXPECT_THAT(error_of(content), HasSubstr("nested more than"));
}

TEST(Tokenizer, AMissingUnknownTokenIsAnErrorWhenNeeded) {
  const Tokenizer tokenizer =
      patched("llama2", {{"model", {{"unk_token", "<no>"}, {"byte_fallback", false}}}});
  EXPECT_EQ(tokenizer.encode("the", false).empty(), false);
  EXPECT_THROW(tokenizer.encode("\U0001F9FF", false), UserError);
}

TEST(Tokenizer, TextThatIsNotJsonNamesItsSource) {
  try {
    Tokenizer::from_json("{", "some/tokenizer.json");
    FAIL();
  } catch (const UserError& error) {
    EXPECT_THAT(error.what(), HasSubstr("some/tokenizer.json: not valid JSON"));
  }
}

}  // namespace
}  // namespace lmpo::tokenizer_test
