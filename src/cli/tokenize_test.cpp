// lmpo tokenize: ids of texts and conversations.
#include "cli/testing/commands.h"

namespace lmpo::tokenize_test {
namespace {

using ::testing::HasSubstr;

TEST_F(Commands, TokenizeRoundTrip) {
  const std::vector<std::string> texts = {" cat moon", "Grüße, 世界! 🦙", "", "a\nb\tc\"\\"};
  std::string input;
  for (const std::string& text : texts) {
    input += json(text).dump() + "\n";
  }
  const std::vector<json> encoded = tokenize(input);
  ASSERT_EQ(encoded.size(), texts.size());
  std::string ids;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    EXPECT_THAT(keys(encoded[i]), ::testing::UnorderedElementsAre("text", "ids"));
    EXPECT_EQ(encoded[i]["text"], texts[i]);
    ids += encoded[i]["ids"].dump() + "\n";
  }
  EXPECT_EQ(encoded[0]["ids"].size(), 2U);  // whole words are tokens of this world
  const std::vector<json> decoded = tokenize(ids, {"--decode"});
  ASSERT_EQ(decoded.size(), texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    EXPECT_EQ(decoded[i], encoded[i]);
  }
}

TEST_F(Commands, TokenizeRendersConversations) {
  const std::string chat = json::array({turn("user", "first : cat moon")}).dump() + "\n";
  const std::string shown = "<|begin|><|user|> first : cat moon<|end|>";
  const json closed = tokenize(chat)[0];
  const json open = tokenize(chat, {"--add_generation_prompt"})[0];
  EXPECT_EQ(closed["text"], shown);
  EXPECT_EQ(open["text"], shown + "<|assistant|>");
  EXPECT_EQ(closed["ids"][0], 0);
  EXPECT_EQ(open["ids"].size(), closed["ids"].size() + 1);
  const json bare = tokenize(open["ids"].dump() + "\n", {"--decode", "--skip_special_tokens"})[0];
  EXPECT_EQ(bare["text"], " first : cat moon");
}

TEST_F(Commands, TokenizeGivesTheTemplateToolsAndSwitches) {
  const fs::path folder = folder_ / "dressed";
  fs::create_directories(folder);
  fs::copy_file(model() / "tokenizer.json", folder / "tokenizer.json");
  write_file_atomically(
      folder / "chat_template.jinja",
      "{{ tools[0].name if tools else '-' }}|{{ flag }}|{{ messages[0].content }}");
  const std::string input =
      R"([{"role": "user", "content": "a"}])"
      "\n"
      R"({"messages": [{"role": "user", "content": "b"}], "tools": "[{\"name\": \"g\"}]",)"
      R"( "chat_template_kwargs": {"flag": "row"}})"
      "\n";
  const Result result = run({"tokenize", "-m", folder.string(), "--chat_template_kwargs",
                             R"({"flag": true, "flga": 1})", "--tools", R"([{"name": "f"}])"},
                            {.input = input});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, ::testing::AllOf(HasSubstr("\"text\":\"f|True|a\""),
                                           HasSubstr("\"text\":\"g|row|b\"")));
  EXPECT_THAT(result.err, HasSubstr("does not read these chat_template_kwargs: flga"));
  for (const auto& [option, value, message] :
       std::vector<std::tuple<const char*, std::string, const char*>>{
           {"--tools", R"([{"type": "function"}])", "--tools: a list of JSON schemas"},
           {"--tools", (folder_ / "none.json").string(), "none.json"},
           {"--chat_template_kwargs", "[1]", "--chat_template_kwargs: a map of names"},
           {"--chat_template_kwargs", R"({"messages": []})", "'messages' cannot be set here"}}) {
    const Result refused =
        run({"tokenize", "-m", folder.string(), option, value}, {.input = input});
    EXPECT_EQ(refused.exit_code, 2) << value;
    EXPECT_THAT(refused.err, HasSubstr(message));
  }
}

TEST_F(Commands, TokenizeNamesTheLineOfAMistake) {
  const std::vector<std::pair<const char*, const char*>> mistakes = {
      {"\"cat\"\n{\"text\": 1}\n", "standard input, line 2: a string, a list of chat messages"},
      {"\"cat\"\n\n\"cat\n", "standard input, line 3: not valid JSON"},
      {"[3]\n", "standard input, line 1: a list of messages was expected"}};
  for (const auto& [input, message] : mistakes) {
    const Result result = run({"tokenize", "-m", model().string()}, {.input = input});
    EXPECT_EQ(result.exit_code, 2) << input;
    EXPECT_THAT(result.err, HasSubstr(message));
  }
  for (const char* ids : {"[-1]", "[1e9]", "[99999999]", "[\"cat\"]", "null"}) {
    const Result result =
        run({"tokenize", "-m", model().string(), "--decode"}, {.input = std::string(ids) + "\n"});
    EXPECT_EQ(result.exit_code, 2) << ids;
    EXPECT_THAT(result.err, HasSubstr("line 1: a list of token ids from 0 to"));
  }
}

}  // namespace
}  // namespace lmpo::tokenize_test
