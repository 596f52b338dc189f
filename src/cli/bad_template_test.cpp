// Chat templates, tools and switches that are none. Each mistake ends the program with exit code 2
// before anything is written; a switch that the template does not read is a notice.
#include "cli/testing/bad_input.h"

namespace lmpo::bad_template_test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr const char* kGoodRow =
    "{\"prompt\": \"first : cat\", \"chosen\": \" cat .\", \"rejected\": \" moon .\"}\n";

// A row of conversations, with more keys.
std::string chat_row(const json& more) {
  json row = {{"prompt", {{{"role", "user"}, {"content", "cat"}}}},
              {"chosen", {{{"role", "assistant"}, {"content", "a"}}}},
              {"rejected", {{{"role", "assistant"}, {"content", "b"}}}}};
  row.update(more);
  return row.dump() + "\n";
}

TEST_F(BadInput, TemplateThatRaises) {
  const fs::path folder = copy_of_model("model");
  const fs::path data =
      write("chats.jsonl", std::string(kGoodRow) +
                               "{\"prompt\": [{\"role\": \"judge\", \"content\": \"cat\"}], "
                               "\"chosen\": [{\"role\": \"assistant\", \"content\": \"a\"}], "
                               "\"rejected\": [{\"role\": \"assistant\", \"content\": \"b\"}]}\n");
  write_file_atomically(folder / "chat_template.jinja",
                        "{% for m in messages %}\n{% if m.role == 'judge' %}"
                        "{{ raise_exception('no judges, ' + m.content) }}{% endif %}{% endfor %}");
  const auto message = AllOf(HasSubstr("chats.jsonl:2: "), HasSubstr("no judges, cat"),
                             HasSubstr("chat_template.jinja"));
  expect_refusal(train(folder, data), message);
  expect_refusal(score(folder, data), message);
  const Result result = run({"tokenize", "-m", folder.string()},
                            {.input = "[{\"role\": \"judge\", \"content\": \"cat\"}]\n"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err,
              AllOf(HasSubstr("standard input, line 1: "), HasSubstr("no judges, cat")));
}

TEST_F(BadInput, TemplateThatIsNone) {
  const fs::path folder = copy_of_model("model");
  const fs::path file = folder / "chat_template.jinja";
  write_file_atomically(file, "{% for m in messages %}\n{{ m.content }\n{% endfor %}");
  expect_refusal(train(folder, pairs()), HasSubstr(file.string() + ":2"));
  write_file_atomically(file, "\n\n{{ messages | shuffle }}");
  expect_refusal(train(folder, pairs()), AllOf(HasSubstr(":3"), HasSubstr("shuffle")));
  fs::remove(file);
  expect_refusal(train(folder, pairs()),
                 AllOf(HasSubstr("preferences.jsonl:1: "), HasSubstr("has no chat template"),
                       HasSubstr("add chat_template.jinja")));
  expect_refusal(train(folder, pairs(), {"--chat_template_path", path("none").string()}),
                 HasSubstr(path("none").string() + ": cannot be read"));
}

TEST_F(BadInput, ToolsThatAreNoSchemas) {
  const std::pair<json, const char*> wrong[] = {
      {"weather", "a list of JSON schemas was expected"},
      {"[{]", "a list of JSON schemas was expected"},
      {json::array({"weather"}), "tool 0 is not one: it is not an object"},
      {json::array({{{"type", "function"}}}), "tool 0 is not one: it has no 'name'"}};
  for (const auto& [tools, message] : wrong) {
    const fs::path data =
        write("tools.jsonl", chat_row(json::object()) + chat_row({{"tools", tools}}));
    for (const Words& words : {train(model(), data), score(model(), data)}) {
      expect_refusal(words,
                     AllOf(HasSubstr(data.string() + ":2: key 'tools': "), HasSubstr(message)));
    }
  }
}

TEST_F(BadInput, TemplateKwargsThatTheTemplateDoesNotKnow) {
  const fs::path data =
      write("kwargs.jsonl", chat_row({{"chat_template_kwargs", {{"thinkng", 1}}}}));
  Words words = train(model(), data);
  const Result of_a_row = run(words);
  EXPECT_EQ(of_a_row.exit_code, 0) << of_a_row.err;
  EXPECT_THAT(of_a_row.err,
              HasSubstr("in 1 row chat_template_kwargs has names that the chat template does not "
                        "read (first: row 0, thinkng)"));
  words = score(model(), data);
  words.insert(words.end(), {"--chat_template_kwargs", "{\"enable_thinkng\": false}"});
  const Result of_a_run = run(words);
  EXPECT_EQ(of_a_run.exit_code, 0) << of_a_run.err;
  EXPECT_THAT(of_a_run.err, HasSubstr("does not read"));
  words.back() = "[1]";
  expect_refusal(words, HasSubstr("chat_template_kwargs: a map of names"));
}

}  // namespace
}  // namespace lmpo::bad_template_test
