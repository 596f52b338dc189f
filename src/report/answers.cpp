#include "report/answers.h"

#include <algorithm>

#include "base/error.h"
#include "report/lenient_json.h"

namespace lmpo {
namespace {

// A prompt is a text or the turns of a conversation. A single user turn becomes its text, so that
// `lmpo generate --prompt` has the same prompt as a row of data.
std::string prompt_text(const json& prompt) {
  if (prompt.is_string()) {
    return prompt.get<std::string>();
  }
  if (!prompt.is_array()) {
    return prompt.is_null() ? "" : prompt.dump();
  }
  if (prompt.size() == 1 && text_or(prompt[0], "role", "") == "user" &&
      member(prompt[0], "content").is_string()) {
    return member(prompt[0], "content").get<std::string>();
  }
  std::string text;
  for (const json& turn : prompt) {
    const json& content = member(turn, "content");
    text += (text.empty() ? "" : "\n") + text_or(turn, "role", "") + ": " +
            (content.is_string() ? content.get<std::string>() : content.dump());
  }
  return text;
}

// The i-th of a list, or null.
const json& item(const json& list, std::size_t i) {
  static const json none;
  return list.is_array() && i < list.size() ? list[i] : none;
}

// A prompt that was rendered by a template is identified by its messages.
Answer answer_of(const json& line, const json& response, const json& tokens, const json& reason) {
  const json& messages = member(line, "messages");
  return {.step = -1,
          .index = integer_or(line, "index", 0),
          .prompt = prompt_text(messages.is_null() ? member(line, "prompt") : messages),
          .response = response.get<std::string>(),
          .tokens = tokens.is_number() ? integer_or({{"n", tokens}}, "n", 0) : 0,
          .finish_reason = reason.is_string() ? reason.get<std::string>() : ""};
}

void add_answers(const json& line, std::vector<Answer>& answers) {
  if (const json& output = member(line, "output"); output.is_string()) {
    answers.push_back(
        answer_of(line, output, member(line, "output_tokens"), member(line, "finish_reason")));
  }
  const json& responses = member(line, "responses");
  for (std::size_t i = 0; responses.is_array() && i < responses.size(); ++i) {
    if (responses[i].is_string()) {
      answers.push_back(answer_of(line, responses[i], item(member(line, "output_tokens"), i),
                                  item(member(line, "finish_reasons"), i)));
    }
  }
}

}  // namespace

std::vector<Answer> read_answers(const fs::path& file) {
  std::vector<Answer> answers;
  for_each_json_line(read_file(file), [&](json&& line) { add_answers(line, answers); });
  if (answers.empty()) {
    user_error(
        "{}: no answers found; a file of lmpo generate was expected: JSON Lines with "
        "'prompt' and 'responses' or 'output'",
        file.string());
  }
  return answers;
}

std::vector<AnswerSet> read_answer_sets(std::span<const std::string> texts,
                                        std::span<const Run> runs) {
  std::vector<std::string> names;
  for (const Run& run : runs) {
    names.push_back(run.name);
  }
  std::vector<AnswerSet> sets;
  for (const std::string& text : texts) {
    const std::size_t equals = text.find('=');
    const bool labelled = equals != std::string::npos && equals > 0 && !fs::exists(text);
    const fs::path file = labelled ? text.substr(equals + 1) : text;
    const std::string wished = labelled ? text.substr(0, equals) : file.stem().string();
    AnswerSet& set = sets.emplace_back(AnswerSet{wished, read_answers(file)});
    for (int number = 2; std::ranges::find(names, set.name) != names.end(); ++number) {
      set.name = fmt::format("{} ({})", wished, number);
    }
    names.push_back(set.name);
  }
  return sets;
}

std::int64_t read_samples(std::string_view text, std::vector<Answer>& answers) {
  const std::int64_t unread = for_each_json_line(text, [&](json&& line) {
    const json& response = member(line, "response");
    const std::int64_t step = integer_or(line, "step", -1);
    if (response.is_string() && step >= 0) {
      answers.push_back(
          answer_of(line, response, member(line, "tokens"), member(line, "finish_reason")));
      answers.back().step = step;
    }
  });
  std::ranges::stable_sort(answers, [](const Answer& a, const Answer& b) {
    return std::pair(a.step, a.index) < std::pair(b.step, b.index);
  });
  return unread;
}

}  // namespace lmpo
