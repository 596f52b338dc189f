// lmpo generate: an answer to every prompt.
#include "cli/testing/commands.h"

namespace lmpo::generate_test {
namespace {

using ::testing::HasSubstr;

TEST_F(Commands, GenerateWritesOneObjectAPrompt) {
  const std::vector<json> lines =
      generate({"--prompt", "first : cat moon", "--prompt", "last : red"});
  ASSERT_EQ(lines.size(), 2U);
  for (const json& line : lines) {
    EXPECT_THAT(keys(line),
                ::testing::UnorderedElementsAre("index", "prompt", "output", "prompt_tokens",
                                                "output_tokens", "finish_reason"));
    EXPECT_LE(line["output_tokens"].get<int>(), 12);
    EXPECT_EQ(line["finish_reason"], line["output_tokens"] == 12 ? "length" : "stop");
  }
  EXPECT_EQ(lines[0]["prompt"], "first : cat moon");
  const std::string chat = json::array({turn("user", "first : cat moon")}).dump() + "\n";
  EXPECT_EQ(lines[0]["prompt_tokens"],
            tokenize(chat, {"--add_generation_prompt"})[0]["ids"].size());
}

TEST_F(Commands, GenerateAnswersTheSameWhereverPromptsComeFrom) {
  const std::vector<json> flags =
      generate({"--prompt", "first : cat moon", "--prompt", "last : red"});
  EXPECT_EQ(generate({}, "first : cat moon\nlast : red\n"), flags);
  const fs::path text = write("prompts.txt", "first : cat moon\r\n\nlast : red");
  EXPECT_EQ(generate({"--prompts", text.string()}), flags);
  const fs::path lines =
      write("prompts.jsonl", "\"first : cat moon\"\n{\"prompt\": \"last : red\"}\n");
  EXPECT_EQ(generate({"--prompts", lines.string()}), flags);
  const fs::path list =
      write("prompts.json", "[{\"instruction\": \"first : cat moon\"}, \"last : red\"]");
  EXPECT_EQ(generate({"--prompts", list.string()}), flags);
  const fs::path chats =
      write("chats.jsonl", json::array({turn("user", "first : cat moon")}).dump() + "\n");
  EXPECT_EQ(generate({"--prompts", chats.string()})[0]["output"], flags[0]["output"]);
}

TEST_F(Commands, GenerateTakesPromptsAsTheyAre) {
  for (const char* prompt : {"well, cat", "null", "a=b"}) {
    const std::vector<json> lines = generate({"--prompt", prompt});
    ASSERT_EQ(lines.size(), 1U);
    EXPECT_EQ(lines[0]["prompt"], prompt);
  }
}

TEST_F(Commands, GenerateIsGreedyUnlessTold) {
  const std::vector<std::string> prompt = {"--prompt", "first : cat moon", "--prompt", "last : a"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.end(), prompt.begin(), prompt.end());
    return generate(more);
  };
  const auto greedy = with({});
  EXPECT_EQ(with({"--seed", "5"}), greedy);
  EXPECT_EQ(with({"--temperature", "1", "--top_k", "1"}), greedy);
  EXPECT_EQ(with({"--batch_size", "1"}), greedy);
  const auto drawn = with({"--temperature", "1", "--seed", "5"});
  EXPECT_NE(drawn, greedy);
  EXPECT_EQ(with({"--temperature", "1", "--seed", "5"}), drawn);
  EXPECT_EQ(with({"--temperature", "1", "--seed", "5", "--batch_size", "1"}), drawn);
  EXPECT_NE(with({"--temperature", "1", "--seed", "6"}), drawn);
}

TEST_F(Commands, GenerateNamesWhatIsWrongWithPrompts) {
  const std::string folder = model().string();
  const Result none = run({"generate", "-m", folder});
  EXPECT_EQ(none.exit_code, 2);
  EXPECT_THAT(none.err, HasSubstr("there is no prompt: give --prompt, --prompts FILE"));
  const fs::path lines = write("prompts.jsonl", "\"cat\"\n{\"promt\": \"cat\"}\n");
  const Result row = run({"generate", "-m", folder, "--prompts", lines.string()});
  EXPECT_EQ(row.exit_code, 2);
  EXPECT_THAT(row.err, HasSubstr("prompts.jsonl:2: a string, a list of messages, or an object"));
  const Result empty = run({"generate", "-m", folder, "--no_chat_template", "--prompt", ""});
  EXPECT_EQ(empty.exit_code, 2);
  EXPECT_THAT(empty.err, HasSubstr("--prompt '' is empty"));
}

}  // namespace
}  // namespace lmpo::generate_test
