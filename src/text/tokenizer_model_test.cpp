// tokenizer.model of both kinds and tekken.json, against sentencepiece and tiktoken
// (tools/oracle/tokenizer_model_golden.py), and what is wrong with damaged ones.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "text/bpe.h"
#include "text/byte_level.h"
#include "text/ranked_tokens.h"
#include "text/testing/golden_texts.h"
#include "text/tokenizer.h"

namespace lmpo::tokenizer_model_test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using Ids = std::vector<TokenId>;

constexpr std::int64_t kRanks = 128'000;
constexpr TokenId kBegin = 128'000;

const json& golden() {
  static const json content = read_json(text_testdata() / "tokenizer_model_golden.json");
  return content;
}

std::vector<std::string> texts_with_added_tokens() {
  std::vector<std::string> texts = golden_texts();
  for (const json& text : golden()["added_texts"]) {
    texts.push_back(text);
  }
  return texts;
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view digits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      const char byte = at + i < bytes.size() ? bytes[at + i] : '\0';
      bits = bits << 8 | static_cast<unsigned char>(byte);
    }
    for (std::size_t i = 0; i < 4; ++i) {
      text += at + i <= bytes.size() ? digits[bits >> (18 - 6 * i) & 63] : '=';
    }
  }
  return text;
}

// As the script's: bytes that are not UTF-8.
std::string filler(std::int64_t rank) {
  return std::string({'\xFF', static_cast<char>(rank >> 16), static_cast<char>(rank >> 8 & 0xFF),
                      static_cast<char>(rank & 0xFF)});
}

// A vocabulary of Llama 3's size.
std::string llama3_model(std::int64_t ranks = kRanks) {
  std::string content = read_file(text_testdata() / "ranked.txt");
  for (std::int64_t rank = std::count(content.begin(), content.end(), '\n'); rank < ranks; ++rank) {
    content += base64(filler(rank)) + ' ' + std::to_string(rank) + '\n';
  }
  return content;
}

std::string sentencepiece_model() {
  return read_file(text_testdata() / "sentencepiece.model");
}

class TokenizerModelFolder : public ::testing::Test {
 protected:
  void SetUp() override { fs::create_directories(folder_); }
  void TearDown() override { fs::remove_all(folder_); }

  void write(const char* name, const std::string& content) {
    write_file_atomically(folder_ / name, content);
  }
  std::string error() {
    try {
      Tokenizer::load(folder_);
    } catch (const UserError& problem) {
      return problem.what();
    }
    return "no error";
  }

  // Tests run side by side, each in a process.
  const fs::path folder_ =
      fs::path(::testing::TempDir()) / fmt::format("lmpo_tokenizer_model_test_{}", ::getpid());
};

void expect_golden(const Tokenizer& tokenizer, const char* key, bool add, bool split) {
  const auto texts = texts_with_added_tokens();
  const json& ids = golden()[key];
  ASSERT_EQ(ids.size(), texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    EXPECT_EQ(tokenizer.encode(texts[i], add, split ? SpecialText::text : SpecialText::tokens),
              ids[i].get<Ids>())
        << key << ": " << texts[i];
  }
}

TEST_F(TokenizerModelFolder, SentencepieceEqualsItsReference) {
  write("tokenizer.model", sentencepiece_model());
  expect_golden(Tokenizer::load(folder_), "plain", true, true);
  expect_golden(Tokenizer::load(folder_), "first", true, false);
  write("tokenizer_config.json", R"({"legacy": true})");
  expect_golden(Tokenizer::load(folder_), "plain", true, true);
  expect_golden(Tokenizer::load(folder_), "legacy", true, false);
}

TEST_F(TokenizerModelFolder, SentencepieceBringsTextsBack) {
  write("tokenizer.model", sentencepiece_model());
  const Tokenizer tokenizer = Tokenizer::load(folder_);
  for (const std::string text : {"Hello  world", " a", "é中😀\u0301 \n", "1234 <0x41>"}) {
    EXPECT_EQ(tokenizer.decode(tokenizer.encode(text, true), true), text);
  }
  EXPECT_EQ(tokenizer.decode(tokenizer.encode("Hi[INST]", true), false), "<s> Hi[INST]");
}

TEST_F(TokenizerModelFolder, ConfigurationAddsTokensAndSaysWhatSurroundsAText) {
  write("tokenizer.model", sentencepiece_model());
  write("tokenizer_config.json",
        R"({"add_bos_token": false, "add_eos_token": true, "eos_token": "<|im_end|>",
            "add_prefix_space": false, "added_tokens_decoder": {
              "901": {"content": "<|im_start|>", "special": true, "rstrip": true},
              "900": {"content": "<|im_end|>", "special": true}}})");
  const Tokenizer tokenizer = Tokenizer::load(folder_);
  EXPECT_EQ(tokenizer.id_limit(), 902);
  EXPECT_EQ(tokenizer.eos_id(), 900);
  EXPECT_EQ(tokenizer.bos_token(), "<s>");
  EXPECT_EQ(tokenizer.unk_token(), "<unk>");
  const Ids ids = tokenizer.encode("<|im_start|>  word<|im_end|>", true);
  EXPECT_EQ(ids, (Ids{901, tokenizer.find("word").value(), 900, 900}));
  EXPECT_EQ(tokenizer.decode(ids, false), "<|im_start|>word<|im_end|><|im_end|>");
  EXPECT_EQ(tokenizer.decode(ids, true), "word");
}

TEST_F(TokenizerModelFolder, OlderFoldersHaveAFileOfAddedTokens) {
  write("tokenizer.model", sentencepiece_model());
  write("added_tokens.json", R"({"[PAD]": 900, "plain": 901})");
  write("special_tokens_map.json", R"({"pad_token": "[PAD]"})");
  const Tokenizer tokenizer = Tokenizer::load(folder_);
  const Ids ids = tokenizer.encode("[PAD]plain", false);
  EXPECT_EQ(ids, (Ids{900, 901}));
  EXPECT_EQ(tokenizer.decode(ids, true), "plain");
}

TEST(TokenizerModel, Llama3EqualsTiktoken) {
  const auto tokenizer = Tokenizer::from_model(llama3_model(), "tokenizer.model");
  expect_golden(tokenizer, "llama3", false, false);
  expect_golden(tokenizer, "llama3_plain", false, true);
}

TEST(TokenizerModel, Llama3HasTheSpecialTokensOfItsRelease) {
  const auto tokenizer = Tokenizer::from_model(llama3_model(), "tokenizer.model");
  EXPECT_EQ(tokenizer.id_limit(), kRanks + 256);
  EXPECT_EQ(tokenizer.bos_id(), kBegin);
  EXPECT_EQ(tokenizer.eos_id(), kBegin + 1);
  EXPECT_EQ(tokenizer.find("<|reserved_special_token_1|>"), kBegin + 3);
  EXPECT_EQ(tokenizer.find("<|eot_id|>"), kBegin + 9);
  EXPECT_EQ(tokenizer.find("<|reserved_special_token_2|>"), kBegin + 12);
  EXPECT_EQ(tokenizer.token(kBegin + 255), "<|reserved_special_token_245|>");
  EXPECT_EQ(tokenizer.encode("", true), Ids{kBegin});
}

TEST_F(TokenizerModelFolder, Llama3TakesOtherNamesFromTheConfiguration) {
  write("tokenizer.model", llama3_model());
  write("tokenizer_config.json", R"({"eos_token": "<|eot_id|>", "added_tokens_decoder": {
      "128005": {"content": "<|reserved_special_token_2|>", "special": true},
      "128012": {"content": "<|mine|>", "special": true}}})");
  const Tokenizer tokenizer = Tokenizer::load(folder_);
  EXPECT_EQ(tokenizer.eos_id(), kBegin + 9);
  EXPECT_EQ(tokenizer.find("<|reserved_special_token_2|>"), kBegin + 5);
  EXPECT_EQ(tokenizer.encode("<|mine|>", false), Ids{kBegin + 12});
}

// Byte-pair encoding over ranks as it is defined: the pair whose text has the lowest rank, the
// leftmost of several.
Ids merge_slowly(const std::map<std::string, TokenId>& ranks, const std::string& word) {
  std::vector<std::string> parts;
  for (const char byte : word) {
    parts.emplace_back(1, byte);
  }
  for (;;) {
    auto best = ranks.end();
    std::size_t at = 0;
    for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
      const auto found = ranks.find(parts[i] + parts[i + 1]);
      if (found != ranks.end() && (best == ranks.end() || found->second < best->second)) {
        best = found;
        at = i;
      }
    }
    if (best == ranks.end()) {
      break;
    }
    parts[at] = best->first;
    parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(at) + 1);
  }
  Ids ids;
  for (const std::string& part : parts) {
    ids.push_back(ranks.at(part));
  }
  return ids;
}

TEST(TokenizerModel, RanksMergeInTheirOrder) {
  RankedTokens tokens{{}, "test"};
  for (int byte = 0; byte < 256; ++byte) {
    tokens.bytes.emplace_back(1, static_cast<char>(byte));
  }
  // Several ways to make one token, whose texts overlap.
  for (const char* token : {"aa", "ab", "ba", "aab", "aba", "baa", "abab", "aaa", "aaaa", "bab"}) {
    tokens.bytes.emplace_back(token);
  }
  std::map<std::string, TokenId> ranks;
  for (std::size_t rank = 0; rank < tokens.bytes.size(); ++rank) {
    ranks[tokens.bytes[rank]] = static_cast<TokenId>(rank) + 10;
  }
  const Bpe model(tokens, 10);
  SubwordModel::Scratch scratch;
  for (unsigned bits = 0; bits < 1U << 12; ++bits) {
    std::string word;
    for (unsigned i = 0; i < 12; ++i) {
      word += (bits >> i & 1) != 0 ? 'a' : 'b';
    }
    Ids ids;
    model.encode(stand_ins(word), scratch, ids);
    EXPECT_EQ(ids, merge_slowly(ranks, word)) << word;
  }
}

json tekken() {
  const RankedTokens ranked =
      read_ranked_lines(read_file(text_testdata() / "ranked.txt"), "ranked");
  json vocabulary = json::array();
  for (std::size_t rank = 0; rank < ranked.bytes.size(); ++rank) {
    vocabulary.push_back({{"rank", rank}, {"token_bytes", base64(ranked.bytes[rank])}});
  }
  return {{"config",
           {{"pattern", "\\p{L}+| ?[^\\p{L}]"},
            {"default_vocab_size", 500},
            {"default_num_special_tokens", 100}}},
          {"vocab", vocabulary}};
}

TEST_F(TokenizerModelFolder, TekkenPutsSpecialTokensFirst) {
  write("tekken.json", tekken().dump());
  const Tokenizer tokenizer = Tokenizer::load(folder_);
  EXPECT_EQ(tokenizer.id_limit(), 500);
  EXPECT_EQ(tokenizer.bos_id(), 1);
  EXPECT_EQ(tokenizer.find("[/INST]"), 4);
  EXPECT_EQ(tokenizer.token(99), "<SPECIAL_99>");
  const Ids ids = tokenizer.encode("[INST]the é", true);
  EXPECT_EQ(Ids(ids.begin(), ids.begin() + 2), (Ids{1, 3}));
  EXPECT_EQ(tokenizer.decode(ids, true), "the é");
}

TEST_F(TokenizerModelFolder, ADamagedTekkenIsRefusedByKey) {
  const auto expect = [&](const char* pointer, const json& value, const char* message) {
    json content = tekken();
    content[json::json_pointer(pointer)] = value;
    write("tekken.json", content.dump());
    EXPECT_THAT(error(), AllOf(HasSubstr("tekken.json: "), HasSubstr(message)));
  };
  expect("/config/default_vocab_size", 100, "do not make a vocabulary");
  expect("/config/default_vocab_size", 5000, "a list of 4900 tokens was expected");
  expect("/config/pattern", "(", "cannot be read");
  expect("/vocab/7/rank", 8, "vocab[7]: key 'rank': 7 was expected");
  expect("/vocab/7/token_bytes", "A", "vocab[7]: key 'token_bytes': base64 was expected");
  expect("/vocab/7/token_bytes", "AAE=", "1 of the 256 single bytes have no token");
  expect("/special_tokens", json::array({{{"token_str", "<s>"}}, {{"token_str", "<s>"}}}),
         "the token '<s>' comes twice");
}

std::string model_error_of(const std::string& content) {
  try {
    Tokenizer::from_model(content, "tokenizer.model");
  } catch (const UserError& problem) {
    return problem.what();
  }
  return "no error";
}

TEST(TokenizerModel, ADamagedLlama3FileIsRefusedByLine) {
  const std::string whole = read_file(text_testdata() / "ranked.txt");
  EXPECT_THAT(model_error_of(whole),
              HasSubstr("tokenizer.model: 128000 tokens were expected, as in"));
  EXPECT_THAT(model_error_of(whole.substr(0, 1000)),
              HasSubstr("tokenizer.model:124: a token in base64"));
  EXPECT_THAT(model_error_of(whole.substr(7)), HasSubstr("no token has the rank 0"));
  EXPECT_THAT(
      model_error_of("IQ== 0\nIQ= 1\n"),
      HasSubstr("tokenizer.model:2: a token in base64, a space and its rank were expected"));
  EXPECT_THAT(model_error_of("IQ== 0\nIg== 0\n"),
              HasSubstr("tokenizer.model:2: the rank 0 comes twice"));
  EXPECT_THAT(model_error_of("IQ== 0\nIQ== 1\n"),
              HasSubstr("the ranks 0 and 1 have the same token"));
  EXPECT_THAT(model_error_of("IQ== 0\nIg== 99999999999\n"),
              HasSubstr("tokenizer.model:2: a token"));
  EXPECT_THAT(model_error_of("IQ== 0\n"), HasSubstr("255 of the 256 single bytes have no token"));
}

TEST(TokenizerModel, ADamagedSentencepieceFileIsRefused) {
  const std::string whole = sentencepiece_model();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_THAT(model_error_of(whole.substr(0, size)),
                AllOf(HasSubstr("tokenizer.model: "), ::testing::Not(HasSubstr("no error"))))
        << size;
  }
  EXPECT_THAT(model_error_of(whole + "\x0A\x7F"), HasSubstr("a field of 127 bytes was announced"));
  EXPECT_THAT(model_error_of("version https://git-lfs.github.com/spec/v1\n"), HasSubstr("Git LFS"));
  EXPECT_THAT(model_error_of("{}"), HasSubstr("the file is damaged"));
}

TEST(TokenizerModel, AFlippedBitIsRefusedOrChangesATokenOnly) {
  const std::string whole = sentencepiece_model();
  for (std::size_t at = 0; at < whole.size(); at += 31) {
    std::string content = whole;
    content[at] = static_cast<char>(content[at] ^ 1 << at % 8);
    try {
      const auto tokenizer = Tokenizer::from_model(content, "tokenizer.model");
      for (const TokenId id : tokenizer.encode("Hello, word! é\u0301", true)) {
        EXPECT_LT(id, tokenizer.id_limit());
      }
    } catch (const UserError& error) {
      EXPECT_THAT(error.what(), HasSubstr("tokenizer.model"));
    }
  }
}

TEST(TokenizerModel, SettingsOfOtherFamiliesAreNamed) {
  // Fields appended to a message overwrite those before them.
  const auto with = [](const std::string& field) { return sentencepiece_model() + field; };
  EXPECT_THAT(model_error_of(with("\x12\x02\x18\x01")), HasSubstr("the model type 1 (only 2"));
  EXPECT_THAT(model_error_of(with("\x1A\x03\x12\x01x")), HasSubstr("precompiled_charsmap"));
  EXPECT_THAT(model_error_of(with("\x2A\x03\x12\x01x")), HasSubstr("precompiled_charsmap"));
  EXPECT_THAT(model_error_of(with("\x1A\x02\x20\x01")), HasSubstr("remove_extra_whitespaces"));
  EXPECT_THAT(model_error_of(with("\x12\x03\xC0\x01\x01")),
              HasSubstr("treat_whitespace_as_suffix"));
}

TEST_F(TokenizerModelFolder, WithoutATokenizerTheFilesAreNamed) {
  EXPECT_THAT(error(), AllOf(HasSubstr(folder_.string()),
                             HasSubstr("tokenizer.json, tokenizer.model or tekken.json")));
  fs::remove_all(folder_);
  EXPECT_THAT(error(), HasSubstr("there is no such folder; check the path"));
}

TEST_F(TokenizerModelFolder, MistakesBesideTheModelAreNamed) {
  write("tokenizer.model", sentencepiece_model());
  const auto expect = [&](const char* config, const char* message) {
    write("tokenizer_config.json", config);
    EXPECT_THAT(error(), HasSubstr(message));
  };
  expect(R"({"bos_token": "<none>"})", "the token '<none>' is to be added to texts");
  expect(R"({"legacy": 1})", "tokenizer_config.json: key 'legacy'");
  expect(R"({"added_tokens_decoder": []})", "added_tokens_decoder: an object from ids");
  expect(R"({"added_tokens_decoder": {"x": {"content": "a"}}})", "key 'x': a token's id");
  expect(R"({"added_tokens_decoder": {"900": {}}})", "added_tokens_decoder.900: the key 'content'");
  expect(R"({"added_tokens_decoder": {"900": {"content": "word"}}})",
         "900 was given to the token 'word', but its place is");
  expect(R"({"added_tokens_decoder": {"99999999": {"content": "<|a|>"}}})", "a number from 0 to");
}

}  // namespace
}  // namespace lmpo::tokenizer_model_test
