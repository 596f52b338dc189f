#include "generate/prompts.h"

#include <gmock/gmock.h>

#include <sstream>

#include "base/testing/test_folder.h"
#include "base/testing/test_paths.h"

namespace lmpo::prompts_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

class PromptsTest : public FolderTest {
 protected:
  std::vector<std::string> read(const std::string& name, const std::string& content) const {
    write_file_atomically(folder_ / name, content);
    std::vector<std::string> found;
    for (const GivenPrompt& prompt : read_prompt_file(folder_ / name)) {
      found.push_back(prompt.content.dump() + " " +
                      prompt.place.substr((folder_ / name).string().size()));
    }
    return found;
  }
};

TEST_F(PromptsTest, FilesOfEveryFormNameTheirPlaces) {
  using Found = std::vector<std::string>;
  EXPECT_EQ(read("a.txt", "One\r\n\n  \n{two\n"), Found({"\"One\" :1", "\"{two\" :4"}));
  EXPECT_EQ(read("a.jsonl", R"("One"
{"prompt": "Two", "x": 1}
{"messages": [{"role": "user", "content": "Three"}]}
{"instruction": "Four"})"),
            Found({"\"One\" :1", "\"Two\" :2", R"([{"role":"user","content":"Three"}] :3)",
                   "\"Four\" :4"}));
  EXPECT_EQ(read("a.json", " [\"One\", {\"prompt\": \"Two\"}]"),
            Found({"\"One\" : row 0", "\"Two\" : row 1"}));
  EXPECT_EQ(read("b.json", "{\"prompt\": \"One\"}\n\"Two\""), Found({"\"One\" :1", "\"Two\" :2"}));
  EXPECT_EQ(read("empty.jsonl", "\n"), Found());
}

TEST_F(PromptsTest, WhatIsNoPromptIsNamed) {
  EXPECT_THAT([&] { read("a.jsonl", "\"One\"\n{\"text\": \"Two\"}\n"); },
              ThrowsMessage<UserError>(HasSubstr("a.jsonl:2: a string, a list of messages")));
  EXPECT_THAT([&] { read("a.json", "[1]"); },
              ThrowsMessage<UserError>(HasSubstr("a.json: row 0: a string, a list of messages")));
  EXPECT_THAT([&] { read("a.jsonl", "{\n"); },
              ThrowsMessage<UserError>(HasSubstr("a.jsonl:1: not valid JSON")));
}

TEST_F(PromptsTest, StandardInputIsReadWhereNoPromptIsGiven) {
  const fs::path file = folder_ / "a.txt";
  write_file_atomically(file, "Two\n");
  const auto places = [](const std::vector<std::string>& texts, const fs::path& from,
                         const std::string& input) {
    std::istringstream stream(input);
    std::vector<std::string> found;
    for (const GivenPrompt& prompt : collect_prompts(texts, from, stream)) {
      found.push_back(prompt.content.get<std::string>() + " of " + prompt.place);
    }
    return found;
  };
  EXPECT_THAT(places({"One"}, file, "Three\n"),
              ElementsAre("One of --prompt 'One'", "Two of " + file.string() + ":1"));
  EXPECT_THAT(places({}, {}, "Three\nFour\n"),
              ElementsAre("Three of standard input, line 1", "Four of standard input, line 2"));
  EXPECT_THAT([&] { places({}, {}, ""); },
              ThrowsMessage<UserError>(HasSubstr("there is no prompt: give --prompt")));
}

TEST_F(PromptsTest, TextsAreUserTurnsWhereThereIsATemplate) {
  const TextModel model = TextModel::load(source_folder() / "src/data/testdata/llama3");
  const ordered_json turn = ordered_json::array({{{"role", "user"}, {"content", "Hi"}}});
  const auto tokens = [&](const ordered_json& content, bool use_template) {
    return tokenize_prompts({{content, "p"}}, model, use_template).at(0).tokens;
  };
  EXPECT_EQ(tokens("Hi", true), tokens(turn, true));
  EXPECT_EQ(tokens(turn, false), tokens(turn, true));
  EXPECT_EQ(tokens("Hi", false), model.tokenizer.encode("Hi", true));
  EXPECT_NE(tokens("Hi", false), tokens("Hi", true));
}

}  // namespace
}  // namespace lmpo::prompts_test
