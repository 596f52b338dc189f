// Tokenizer files that would take the machine's time or memory, and what newer characters become.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/json.h"
#include "base/testing/test_paths.h"
#include "text/normalizer.h"
#include "text/ranked_tokens.h"
#include "text/regex.h"
#include "text/tokenizer.h"

namespace lmpo::limits_test {
namespace {

using ::testing::HasSubstr;

json gpt2() {
  return read_json(source_folder() / "src/text/testdata/gpt2.json");
}

// What refuses the text, or the file; "" where nothing does.
std::string refusal(const json& content, const std::string& text = "a") {
  try {
    const Tokenizer tokenizer = Tokenizer::from_json(content.dump(), "t.json");
    tokenizer.decode(tokenizer.encode(text, true), false);
  } catch (const UserError& error) {
    return error.what();
  }
  return "";
}

json sequence(const char* key, const json& step, std::size_t count) {
  return {{"type", "Sequence"}, {key, json(count, step)}};
}

TEST(TokenizerLimits, ANormalizerThatGrowsIsNamed) {
  json content = gpt2();
  const json replace = {
      {"type", "Replace"}, {"pattern", {{"Regex", "."}}}, {"content", std::string(100, 'x')}};
  content["normalizer"] = sequence("normalizers", replace, 1);
  EXPECT_EQ(refusal(content), "");
  content["normalizer"] = sequence("normalizers", replace, 5);
  EXPECT_THAT(refusal(content), HasSubstr("t.json: normalizer.normalizers["));
  content["normalizer"] = {
      {"type", "Replace"}, {"pattern", {{"String", "a"}}}, {"content", std::string(100'000, 'x')}};
  EXPECT_THAT(refusal(content), HasSubstr("normalizer"));
  EXPECT_EQ(refusal(content, "b"), "");
  content["normalizer"] =
      sequence("normalizers", {{"type", "Prepend"}, {"prepend", std::string(1000, 'x')}}, 1000);
  EXPECT_THAT(refusal(content), HasSubstr("normalizer"));
  // An added token is normalized when the file is read.
  content = gpt2();
  content["normalizer"] = sequence("normalizers", replace, 5);
  content["added_tokens"].push_back({{"id", 50257},
                                     {"content", "aa"},
                                     {"single_word", false},
                                     {"lstrip", false},
                                     {"rstrip", false},
                                     {"normalized", true},
                                     {"special", false}});
  EXPECT_THAT(refusal(content, "b"), HasSubstr("normalizer"));
}

TEST(TokenizerLimits, APreTokenizerThatGrowsIsNamed) {
  json content = gpt2();
  const json byte_level = {
      {"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", false}};
  content["pre_tokenizer"] = sequence("pretokenizers", byte_level, 2);
  EXPECT_EQ(refusal(content, "é"), "");
  content["pre_tokenizer"] = sequence("pretokenizers", byte_level, 40);
  EXPECT_THAT(refusal(content, "é"), HasSubstr("t.json: pre_tokenizer"));
}

TEST(TokenizerLimits, ADecoderThatGrowsIsNamed) {
  json content = gpt2();
  const json replace = {
      {"type", "Replace"}, {"pattern", {{"Regex", "."}}}, {"content", std::string(100, 'x')}};
  content["decoder"] = sequence("decoders", replace, 2);
  EXPECT_EQ(refusal(content), "");
  content["decoder"] = sequence("decoders", replace, 5);
  EXPECT_THAT(refusal(content), HasSubstr("t.json: decoder.decoders["));
}

TEST(TokenizerLimits, APostProcessorThatRepeatsIsNamed) {
  json content = gpt2();
  const json text = {{"Sequence", {{"id", "A"}, {"type_id", 0}}}};
  content["post_processor"] = {{"type", "TemplateProcessing"},
                               {"single", json(100'000, text)},
                               {"special_tokens", json::object()}};
  EXPECT_THAT(refusal(content), HasSubstr("post_processor"));
  const json token = {{"SpecialToken", {{"id", "a"}, {"type_id", 0}}}};
  content["post_processor"] = {{"type", "TemplateProcessing"},
                               {"single", {token, text, token}},
                               {"special_tokens", {{"a", {{"ids", json(4000, 1u)}}}}}};
  EXPECT_THAT(refusal(content), HasSubstr("post_processor"));
}

TEST(TokenizerLimits, LongAddedTokensAreNamed) {
  json content = gpt2();
  content["added_tokens"].push_back({{"id", 0},
                                     {"content", std::string(5000, 'a')},
                                     {"single_word", false},
                                     {"lstrip", false},
                                     {"rstrip", false},
                                     {"normalized", false},
                                     {"special", false}});
  EXPECT_THAT(refusal(content), HasSubstr("too long for a token"));
}

TEST(TokenizerLimits, LongRankedTokensAreNamed) {
  std::string message;
  try {
    read_ranked_lines(std::string(4000, 'A') + " 0\n", "t.model");  // base64 of 3,000 zeros
  } catch (const UserError& error) {
    message = error.what();
  }
  EXPECT_THAT(message, HasSubstr("t.model: the token of rank 0 has 3000 bytes"));
}

// What gives up is an error, never "no match".
TEST(TokenizerLimits, APatternThatBacktracksWithoutEndIsNamed) {
  json content = gpt2();
  content["pre_tokenizer"] = {{"type", "Split"},
                              {"pattern", {{"Regex", "(a|aa)+[bc]"}}},
                              {"behavior", "Isolated"},
                              {"invert", false}};
  EXPECT_THAT(refusal(content, std::string(5000, 'a') + "d"),
              HasSubstr("t.json: pre_tokenizer.pattern: the pattern cannot be applied"));
}

TEST(TokenizerLimits, ABrokenTableOfReplacementsIsNamed) {
  json content = gpt2();
  // A trie whose root leads outside, and one replacement.
  content["normalizer"] = {{"type", "Precompiled"}, {"precompiled_charsmap", "BAAAAAD8//9hAA=="}};
  EXPECT_THAT(refusal(content, "b"),
              HasSubstr("t.json: normalizer: key 'precompiled_charsmap': the table is damaged"));
}

json unigram(const std::string& token) {
  json content = gpt2();
  content["model"] = {{"type", "Unigram"}, {"vocab", json::array()}};
  content["model"]["vocab"].push_back(json::array({token, -1}));
  content["pre_tokenizer"] = nullptr;
  content["added_tokens"] = nullptr;
  return content;
}

TEST(TokenizerLimits, LongPiecesAreNamed) {
  EXPECT_THAT(refusal(unigram(std::string(5000, 'a'))),
              HasSubstr("t.json: model.vocab[0]: a token of 1 to 4096 bytes"));
}

TEST(TokenizerLimits, AUnigramWithoutUnknownTokenNamesWhatItLacks) {
  EXPECT_EQ(refusal(unigram("a")), "");
  EXPECT_THAT(refusal(unigram("a"), "aéa"),
              HasSubstr("t.json: model: key 'unk_id' is missing, but there is a text that needs a "
                        "token for unknown characters: 'é'"));
}

// Every form, every character that is newer than the tables of `tokenizers`, and 400 texts
// (tools/oracle/reference_unicode.py, which compares all characters and 10,000 texts).
TEST(Normalizer, KnowsOnlyWhatTheReferenceKnows) {
  const json golden = read_json(source_folder() / "src/text/testdata/normalization.json");
  ASSERT_GT(golden.size(), 500u);
  for (const auto& [form, column] :
       {std::pair("NFC", 1), std::pair("NFD", 2), std::pair("NFKC", 3), std::pair("NFKD", 4)}) {
    const json part = {{"type", form}};
    const Normalizer normalize = read_normalizer(JsonPart(part, "t"));
    for (const json& row : golden) {
      NormalizedText text(row[0].get<std::string>(), 0);
      normalize(text);
      EXPECT_EQ(text.text, row[static_cast<std::size_t>(column)].get<std::string>()) << form << row;
    }
  }
}

}  // namespace
}  // namespace lmpo::limits_test
