// Every kind of part of a tokenizer.json over random texts, against what `tokenizers` makes of them
// (tools/oracle/tokenizer_parts_golden.py).
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <vector>

#include "base/error.h"
#include "base/testing/test_paths.h"
#include "text/decoder.h"
#include "text/normalizer.h"
#include "text/pre_tokenizer.h"
#include "text/regex.h"
#include "text/tokenizer.h"

namespace lmpo::parts_test {
namespace {

// What a part of one kind makes of a text.
using Apply = json (*)(const json& part, const std::string& text);

json normalized(const json& part, const std::string& text) {
  NormalizedText result(text, 0);
  read_normalizer(JsonPart(part, "t"))(result);
  return result.text;
}

json words(const json& part, const std::string& text) {
  Words result{text, {{0, text.size()}}, utf8_size(text[0])};
  read_pre_tokenizer(JsonPart(part, "t"))(result);
  json list = json::array();
  for (const Span span : result.spans) {
    list.push_back(span.of(result.text));
  }
  return list;
}

json matched(const json& pattern, const std::string& text) {
  json list = json::array();
  for (const Span span : Regex::oniguruma(pattern.get<std::string>(), "t").find_all(text)) {
    if (span.size() > 0) {  // the reference shows no others
      list.push_back(span.of(text));
    }
  }
  return list;
}

json decoded(const json& part, const std::string& tokens) {
  auto texts = json::parse(tokens).get<std::vector<std::string>>();
  read_decoder(JsonPart(part, "t"))(texts);
  std::string joined;
  for (const std::string& text : texts) {
    joined += text;
  }
  return joined;
}

TEST(TokenizerParts, EqualTheReference) {
  const std::map<std::string, Apply> kinds = {{"normalizer", normalized},
                                              {"pre_tokenizer", words},
                                              {"pattern", matched},
                                              {"decoder", decoded}};
  std::map<std::string, int> compared;
  for (const json& golden : read_json(source_folder() / "src/text/testdata/parts.json")) {
    const std::string kind = golden["kind"];
    ++compared[kind];
    if (kind == "tokenizer") {
      const Tokenizer tokenizer = Tokenizer::from_json(golden["tokenizer"].dump(), "t");
      for (const auto& [text, ids] : golden["ids"].items()) {
        EXPECT_EQ(json(tokenizer.encode(text, true)), ids) << text;
      }
      continue;
    }
    for (const auto& [input, output] : golden["cases"].items()) {
      EXPECT_EQ(kinds.at(kind)(golden["part"], input), output)
          << golden["part"] << " over " << input;
    }
  }
  EXPECT_EQ(compared.size(), 5U);
}

std::string base64(const std::string& bytes) {
  constexpr const char* kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  std::uint32_t bits = 0;
  for (std::size_t i = 0; i < (bytes.size() + 2) / 3 * 3; ++i) {
    bits = bits << 8 | (i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0U);
    if (i % 3 == 2) {
      for (int digit = 3; digit >= 0; --digit) {
        text += kDigits[bits >> (6 * digit) & 63];
      }
    }
  }
  text.replace(text.size() - (3 - bytes.size() % 3) % 3, std::string::npos,
               (3 - bytes.size() % 3) % 3, '=');
  return text;
}

// In large tries an offset is a multiple of 256, which bit 9 of a unit says. `tokenizers` makes the
// same of this table.
TEST(TokenizerParts, APrecompiledTableMayHaveLargeOffsets) {
  std::vector<std::uint32_t> trie(512, 0);
  trie[0] = 1U << 10 | 1U << 9;                // on to 256
  trie[256 ^ 'A'] = 'A' | 1U << 8 | 1U << 10;  // 'A' has a value, one place on
  trie[(256 ^ 'A') ^ 1] = 1U << 31;            // the first replacement
  std::string blob;
  const auto append = [&](std::uint32_t number) {
    blob.append(reinterpret_cast<const char*>(&number), sizeof number);
  };
  append(static_cast<std::uint32_t>(trie.size() * sizeof trie[0]));
  std::ranges::for_each(trie, append);
  blob.append("b", 2);
  const json part = {{"type", "Precompiled"}, {"precompiled_charsmap", base64(blob)}};
  EXPECT_EQ(normalized(part, "AxA"), "bxb");
}

}  // namespace
}  // namespace lmpo::parts_test
