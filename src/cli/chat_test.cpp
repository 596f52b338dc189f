// lmpo chat: under a pseudo-terminal, and through pipes.
#include "base/utf8.h"
#include "cli/testing/program.h"
#include "cli/testing/terminal.h"

namespace lmpo::chat_test {
namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

// Ctrl-C and Ctrl-D mean something else where the program is not yet reading keys.
bool at_prompt(TerminalProgram& program) {
  return program.read_until("> ") && program.await_editing();
}

class Chat : public ProgramTest {
 protected:
  Words chat(const Words& more = {}) const {
    Words words = {"chat", "-m", model().string(), "--temperature", "0", "--max_new_tokens", "12",
                   "-t",   "1"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  // Nothing of the user's own home is touched.
  Surroundings at_home() const {
    return {
        .environment = {{"XDG_STATE_HOME", path("state").string()}, {"HOME", path("").string()}}};
  }
  // Greedy answer of the model to one message, by lmpo generate.
  static std::string answer(const std::string& message) {
    const Result result = run({"generate", "-m", model().string(), "--prompt", message,
                               "--max_new_tokens", "12", "-t", "1"});
    return json_lines(result.out).at(0)["output"];
  }
};

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::size_t begin = 0;
  for (std::size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', begin)) {
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

TEST_F(Chat, ALineOfAPipeIsATurn) {
  const fs::path saved = path("saved.json");
  Surroundings surroundings = at_home();
  surroundings.input = "cat\n\ndog\n/save " + saved.string() + "\n";
  const Result result = run(chat(), surroundings);
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const ordered_json messages = ordered_json::parse(read_file(saved))["messages"];
  ASSERT_EQ(messages.size(), 4U);
  EXPECT_EQ(messages[0]["content"], "cat");
  EXPECT_EQ(messages[1]["content"], answer("cat"));
  EXPECT_EQ(messages[2]["content"], "dog");
  EXPECT_EQ(result.out, messages[1]["content"].get<std::string>() + "\n" +
                            messages[3]["content"].get<std::string>() + "\n");
  EXPECT_THAT(result.err, Not(HasSubstr("/help lists")));
  // The second answer is that to the whole conversation.
  ordered_json asked = messages;
  asked.erase(3);
  const fs::path prompts = write("prompts.jsonl", asked.dump() + "\n");
  const Result whole = run({"generate", "-m", model().string(), "--prompts", prompts.string(),
                            "--max_new_tokens", "12", "-t", "1"});
  EXPECT_EQ(json_lines(whole.out).at(0)["output"], messages[3]["content"].get<std::string>());
}

TEST_F(Chat, CommandsThroughAPipe) {
  const fs::path saved = path("saved.json");
  const fs::path loaded =
      write("loaded.json",
            R"([{"role": "user", "content": "cat"}, {"role": "assistant", "content": "dog"}])");
  Surroundings surroundings = at_home();
  surroundings.input = "cat\n/undo\n/system you are a wolf\n//slash\n/retry\n/save " +
                       saved.string() + "\n/model\n/help\n/load " + loaded.string() +
                       "\nwolf\n/reset\n/temperature 0.5\n/quit\nnever said\n";
  const Result result = run(chat({"--system", "you are a dog"}), surroundings);
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const ordered_json messages = ordered_json::parse(read_file(saved))["messages"];
  ASSERT_EQ(messages.size(), 3U);
  EXPECT_EQ(messages[0], (ordered_json{{"role", "system"}, {"content", "you are a wolf"}}));
  EXPECT_EQ(messages[1]["content"], "/slash");
  const std::vector<std::string> answers = lines_of(result.out);
  ASSERT_EQ(answers.size(), 4U);      // cat, /slash twice, wolf
  EXPECT_EQ(answers[1], answers[2]);  // the likeliest tokens, twice
  EXPECT_THAT(result.err, AllOf(HasSubstr("removed: cat"), HasSubstr("tokens/s; the first after"),
                                HasSubstr("/temperature X"), HasSubstr("2 messages from")));
}

TEST_F(Chat, MistakesThroughAPipeEndIt) {
  const std::pair<const char*, const char*> mistakes[] = {
      {"/undo\n", "there is no message to remove"},
      {"/retry\n", "there is no message to answer yet"},
      {"/sytem x\n", "there is no command /sytem (did you mean 'system'?)"},
      {"/temperature hot\n", "'hot': a number from 0 to"},
      {"/temperature -1\n", "a number from 0 to"},
      {"/top_p 1.5\n", "a number from 0 to 1"},
      {"/max_new_tokens 0\n", "a number from 1 to"},
      {"/load nowhere.json\n", "nowhere.json: cannot be read"},
      {"/save /nowhere/x\n", "/nowhere/x: cannot be written"},
      {"/load\n", "/load needs a file name"},
  };
  for (const auto& [input, message] : mistakes) {
    Surroundings surroundings = at_home();
    surroundings.input = std::string(input) + "cat\n";
    const Result result = run(chat(), surroundings);
    EXPECT_EQ(result.exit_code, 2) << input;
    EXPECT_THAT(result.err, HasSubstr(message));
    EXPECT_EQ(result.out, "") << input;
  }
  for (const char* content : {"{}", "[]", "[1]", R"([{"role": "user"}])", "nonsense"}) {
    Surroundings surroundings = at_home();
    surroundings.input = "/load " + write("bad.json", content).string() + "\n";
    const Result result = run(chat(), surroundings);
    EXPECT_EQ(result.exit_code, 2) << content;
    EXPECT_THAT(result.err, HasSubstr("bad.json"));
  }
}

TEST_F(Chat, AConversationThatIsTooLong) {
  std::string text = "cat";
  for (int i = 0; i < 60; ++i) {
    text += " dog";
  }
  Surroundings surroundings = at_home();
  surroundings.input = text + "\n";
  const Result result = run(chat({"--context", "40"}), surroundings);
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err,
              AllOf(HasSubstr("; the context of 40 leaves no room for an answer"),
                    HasSubstr("/undo"), HasSubstr("/reset"), HasSubstr("a larger --context")));
  const Result larger = run(chat({"--context", "1000000"}));
  EXPECT_EQ(larger.exit_code, 2);
  EXPECT_THAT(larger.err, HasSubstr("the model was made for"));

  surroundings.input = "cat\n";
  const Result cut = run(chat({"--context", "20", "--max_new_tokens", "1000"}), surroundings);
  EXPECT_EQ(cut.exit_code, 0) << cut.err;
  EXPECT_THAT(cut.err, HasSubstr("cut: the context of 20 tokens is full"));
}

TEST_F(Chat, ModelsThatCannotTalk) {
  const fs::path mute = copy_of_model("mute");
  fs::remove(mute / "chat_template.jinja");
  const Result result = run({"chat", "-m", mute.string()});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, HasSubstr("mute: the model has no chat template"));
}

// The template asks for turns that alternate; what a user said in vain is not kept.
TEST_F(Chat, ATemplateThatRefuses) {
  const fs::path strict = copy_of_model("strict");
  const std::string original = read_file(strict / "chat_template.jinja");
  write_file_atomically(strict / "chat_template.jinja",
                        "{% for m in messages %}{% if 'dog' in m['content'] %}{{ "
                        "raise_exception('no dogs') }}{% endif %}{% endfor %}" +
                            original);
  Words words = chat();
  words[2] = strict.string();
  Surroundings surroundings = at_home();
  surroundings.input = "dog\n";
  const Result result = run(words, surroundings);
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, HasSubstr("no dogs"));

  TerminalProgram program(words, {}, at_home());
  ASSERT_TRUE(at_prompt(program));
  program.type("dog\r");
  ASSERT_TRUE(program.read_until("no dogs"));
  program.type("cat\r");
  program.type("/save " + path("saved.json").string() + "\r");
  ASSERT_TRUE(program.read_until("saved in"));
  ASSERT_TRUE(at_prompt(program));
  program.type("\x04");
  EXPECT_EQ(program.wait(), 0) << program.written();
  EXPECT_EQ(ordered_json::parse(read_file(path("saved.json")))["messages"][0]["content"], "cat");
}

TEST_F(Chat, TwoModelsAnswerTheSame) {
  const fs::path other = path("other");
  ASSERT_EQ(run({"init", "--config", world("config.json").string(), "--tokenizer",
                 world("").string(), "--seed", "9", other.string()})
                .exit_code,
            0);
  Surroundings surroundings = at_home();
  surroundings.input = "cat\n/save " + path("both.json").string() + "\n";
  const Result result = run(chat({"--other", other.string()}), surroundings);
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const ordered_json both = ordered_json::parse(read_file(path("both.json")));
  const std::string first = both["messages"][1]["content"];
  const std::string second = both["other"]["messages"][1]["content"];
  EXPECT_EQ(first, answer("cat"));
  EXPECT_NE(first, second);
  EXPECT_EQ(result.out, "[model]\n" + printable(first, LineEnds::keep) + "\n[other]\n" +
                            printable(second, LineEnds::keep) + "\n");

  for (const int columns : {120, 40}) {
    TerminalProgram program(chat({"--other", other.string()}), {.columns = columns}, at_home());
    ASSERT_TRUE(at_prompt(program));
    program.type("cat\r");
    ASSERT_TRUE(program.read_until(columns == 120 ? "│" : "other"));
    ASSERT_TRUE(at_prompt(program));
    program.type("\x04");
    EXPECT_EQ(program.wait(), 0);
    EXPECT_EQ(program.written().find("│") != std::string::npos, columns == 120);
  }
}

TEST_F(Chat, AConversationOnATerminal) {
  TerminalProgram program(chat(), {}, at_home());
  ASSERT_TRUE(program.read_until("Ctrl-D leaves"));
  ASSERT_TRUE(at_prompt(program));
  program.type("cat\r");
  const std::string said = answer("cat");
  ASSERT_TRUE(program.read_until(said.substr(0, said.find('\n'))));
  ASSERT_TRUE(program.read_until("cut after 12 tokens"));
  program.type("/undo\r");
  ASSERT_TRUE(program.read_until("removed: cat"));
  program.type("/nonsense\r");
  ASSERT_TRUE(program.read_until("there is no command /nonsense"));
  program.type("/quit\r");
  EXPECT_EQ(program.wait(), 0) << program.written();
}

TEST_F(Chat, LinesAreEditedAndRemembered) {
  const std::string file = path("saved.json").string();
  {
    TerminalProgram program(chat(), {}, at_home());
    ASSERT_TRUE(at_prompt(program));
    program.type(
        "cut\x7f\x7f"
        "at\r");  // backspace
    ASSERT_TRUE(program.read_until("tokens (/max"));
    program.type("/save " + file + "\r");
    ASSERT_TRUE(program.read_until("saved in"));
    ASSERT_TRUE(at_prompt(program));
    program.type("\x04");
    EXPECT_EQ(program.wait(), 0) << program.written();
  }
  EXPECT_EQ(ordered_json::parse(read_file(file))["messages"][0]["content"], "cat");
  const fs::path history = path("state") / "lmpo/chat_history";
  ASSERT_TRUE(fs::exists(history));
  EXPECT_EQ(fs::status(history).permissions() & fs::perms::others_read, fs::perms::none);
  {
    TerminalProgram program(chat(), {}, at_home());
    ASSERT_TRUE(at_prompt(program));
    program.type("\x10\x10\r");  // Ctrl-P, twice: the line before the last
    ASSERT_TRUE(program.read_until("tokens (/max"));
    program.type("/save " + file + "\r");
    ASSERT_TRUE(program.read_until("saved in"));
    ASSERT_TRUE(at_prompt(program));
    program.type("\x04");
    EXPECT_EQ(program.wait(), 0) << program.written();
  }
  EXPECT_EQ(ordered_json::parse(read_file(file))["messages"][0]["content"], "cat");
}

TEST_F(Chat, ControlCAtThePrompt) {
  TerminalProgram program(chat(), {}, at_home());
  ASSERT_TRUE(at_prompt(program));
  program.type("half a li\x03");
  ASSERT_TRUE(program.read_until("press Ctrl-C again"));
  ASSERT_TRUE(at_prompt(program));
  program.type("cat\r");
  ASSERT_TRUE(program.read_until("tokens (/max"));
  ASSERT_TRUE(at_prompt(program));
  program.type("\x03");
  ASSERT_TRUE(program.read_until("press Ctrl-C again"));
  ASSERT_TRUE(at_prompt(program));
  program.type("\x03");
  EXPECT_EQ(program.wait(), 0) << program.written();
}

// An answer that would take long is stopped; what was said stays.
TEST_F(Chat, ControlCStopsAnAnswer) {
  const std::string file = path("saved.json").string();
  const fs::path endless = copy_of_model("endless");
  edit_json(endless / "generation_config.json",
            [](ordered_json& content) { content["eos_token_id"] = 0; });
  edit_json(endless / "config.json",
            [](ordered_json& content) { content["max_position_embeddings"] = 200'000; });
  Words words = chat({"--max_new_tokens", "150000", "--context", "180000"});
  words[2] = endless.string();
  TerminalProgram program(words, {}, at_home());
  ASSERT_TRUE(at_prompt(program));
  program.type("cat\r");
  const std::string said = answer("cat").substr(0, 4);
  ASSERT_TRUE(program.read_until(said));
  program.type("\x03");
  ASSERT_TRUE(program.read_until("stopped"));
  program.type("/save " + file + "\r");
  ASSERT_TRUE(program.read_until("saved in"));
  ASSERT_TRUE(at_prompt(program));
  program.type("\x04");
  EXPECT_EQ(program.wait(), 0) << program.written();
  const ordered_json messages = ordered_json::parse(read_file(file))["messages"];
  ASSERT_EQ(messages.size(), 2U);
  EXPECT_FALSE(messages[1]["content"].get<std::string>().empty());
}

// What a model says cannot command the terminal. This one says its favourite token, which is a
// command here.
TEST_F(Chat, EscapeSequencesAreShown) {
  const std::string favourite = answer("cat").substr(0, 1);
  const fs::path hostile = copy_of_model("hostile");
  edit_json(hostile / "tokenizer.json", [&](ordered_json& content) {
    ordered_json vocabulary;
    for (const auto& [token, id] : content["model"]["vocab"].items()) {
      vocabulary[token == favourite ? "\xC4\x9B[31m" : token] = id;  // ESC, as GPT-2 spells bytes
    }
    content["model"]["vocab"] = vocabulary;
    content["model"]["merges"] = ordered_json::array();
  });
  Words words = chat();
  words[2] = hostile.string();
  TerminalProgram program(words, {}, at_home());
  ASSERT_TRUE(at_prompt(program));
  program.type("cat\r");
  ASSERT_TRUE(program.read_until("tokens (/max"));
  ASSERT_TRUE(at_prompt(program));
  program.type("\x04");
  EXPECT_EQ(program.wait(), 0);
  EXPECT_THAT(program.written(), AllOf(HasSubstr("\\x1b[31m"), Not(HasSubstr("\x1b[31m"))));

  Surroundings surroundings = at_home();
  surroundings.input = "cat\n";
  EXPECT_THAT(run(words, surroundings).out, AllOf(HasSubstr("\\x1b[31m"), Not(HasSubstr("\x1b"))));
}

}  // namespace
}  // namespace lmpo::chat_test
