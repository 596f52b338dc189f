// Models with a tokenizer other than tokenizer.json, and what people get wrong with tokenizers.
#include "base/testing/test_paths.h"
#include "cli/testing/bad_input.h"

namespace lmpo::tokenizer_input_test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

fs::path text_data(const char* name) {
  return source_folder() / "src/text/testdata" / name;
}

class TokenizerInput : public BadInput {
 protected:
  // A copy of the model whose tokenizer.json is gone.
  fs::path without_tokenizer() const {
    fs::path folder = copy_of_model("model");
    fs::remove(folder / "tokenizer.json");
    return folder;
  }

  void expect_refused_everywhere(const fs::path& folder,
                                 const ::testing::Matcher<const std::string&>& message) {
    for (const Words& words : {train(folder, pairs()), score(folder, pairs()), generate(folder),
                               Words{"tokenize", "-m", folder.string()},
                               Words{"init", "--config", (folder / "config.json").string(),
                                     "--tokenizer", folder.string(), path("new").string()}}) {
      expect_refusal(words, message);
    }
    EXPECT_FALSE(fs::exists(path("new")));
  }
};

TEST_F(TokenizerInput, AModelWithSentencepiecesFileTrains) {
  const fs::path tokenizer = path("tokenizer");
  fs::create_directories(tokenizer);
  fs::copy_file(text_data("sentencepiece.model"), tokenizer / "tokenizer.model");
  fs::copy_file(model() / "chat_template.jinja", tokenizer / "chat_template.jinja");
  fs::copy_file(model() / "config.json", path("config.json"));
  edit_json(path("config.json"), [](ordered_json& config) { config["vocab_size"] = 1000; });
  const Result made = run({"init", "--config", path("config.json").string(), "--tokenizer",
                           tokenizer.string(), path("model").string()});
  EXPECT_EQ(made.exit_code, 0) << made.err;
  const Result trained = run(train(path("model"), pairs()));
  EXPECT_EQ(trained.exit_code, 0) << trained.err;
  EXPECT_EQ(read_file(path("out") / "tokenizer.model"),
            read_file(text_data("sentencepiece.model")));
  const auto ids = [&](const std::string& split) {
    const Result result =
        run({"tokenize", "-m", path("out").string(), "--split_special_tokens", split},
            {.input = "\"cat[INST]\"\n"});
    return json_lines(result.out).at(0).at("ids").get<std::vector<int>>();
  };
  EXPECT_EQ(ids("false").back(), 3);
  EXPECT_NE(ids("true").back(), 3);
}

TEST_F(TokenizerInput, NoTokenizer) {
  const fs::path folder = without_tokenizer();
  expect_refused_everywhere(
      folder, AllOf(HasSubstr(folder.string() + ": no tokenizer"),
                    HasSubstr("tokenizer.json, tokenizer.model or tekken.json was expected")));
}

TEST_F(TokenizerInput, DamagedSentencepieceFile) {
  const fs::path folder = without_tokenizer();
  const std::string whole = read_file(text_data("sentencepiece.model"));
  for (const std::string& content : {whole.substr(0, whole.size() / 2), whole + "\x0A\x7F",
                                     std::string("\x0A"), std::string()}) {
    write_file_atomically(folder / "tokenizer.model", content);
    expect_refused_everywhere(folder, HasSubstr((folder / "tokenizer.model").string() + ": "));
  }
}

TEST_F(TokenizerInput, DamagedTiktokenFile) {
  const fs::path folder = without_tokenizer();
  const std::string whole = read_file(text_data("ranked.txt"));
  write_file_atomically(folder / "tokenizer.model", whole);
  expect_refused_everywhere(folder, AllOf(HasSubstr("tokenizer.model: 128000 tokens were"),
                                          HasSubstr("incomplete, or of another family")));
  write_file_atomically(folder / "tokenizer.model", whole.substr(0, whole.size() - 7));
  expect_refused_everywhere(folder, HasSubstr("tokenizer.model:1000: a token in base64"));
}

TEST_F(TokenizerInput, PartsOfOtherFamiliesAreNamed) {
  const fs::path folder = copy_of_model("model");
  const std::string whole = read_file(folder / "tokenizer.json");
  const auto expect = [&](const char* part, const char* type, const char* supported) {
    write_file_atomically(folder / "tokenizer.json", whole);
    edit_json(folder / "tokenizer.json",
              [&](ordered_json& tokenizer) { tokenizer[part]["type"] = type; });
    expect_refused_everywhere(
        folder, HasSubstr(fmt::format("tokenizer.json: {}: the type '{}' is not supported; these "
                                      "are: {}",
                                      part, type, supported)));
  };
  expect("model", "Morphemes", "BPE, Unigram");
  expect("pre_tokenizer", "UnicodeScripts", "BertPreTokenizer, ByteLevel");
  expect("normalizer", "BertNormalizer", "ByteLevel, Lowercase");
  expect("decoder", "Speech", "BPEDecoder, ByteFallback");
}

}  // namespace
}  // namespace lmpo::tokenizer_input_test
